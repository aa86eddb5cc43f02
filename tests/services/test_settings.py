"""Providers of values, and one value looked up over several of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import keyring.backend
import keyring.errors
import pytest

from ftl_nb.errors import FtlError
from ftl_nb.services.settings import Chain, Provider, Ref, Site, chain_of, register
from ftl_nb.services.settings.environment import Environment
from ftl_nb.services.settings.provider import provider_of

KEY, RATE = Ref("shop", "apiKey"), Ref("", "rate")
SECRET = b'"a canary in a mine"'


class FakeRing(keyring.backend.KeyringBackend):
    """Registered through the keyring's own interface; `locked` makes it refuse."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("it is locked.")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Iterator[FakeRing]:
    before, made = keyring.get_keyring(), FakeRing()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def secrets(tmp_path: Path) -> Site:
    return Site("secret", tmp_path, "play")


@pytest.mark.parametrize("word", ["file", "file:other.json", "keyring", "keyring:mine", "memory"])
@pytest.mark.parametrize("kind", ["config", "secret"])
def test_every_provider_keeps_lists_and_forgets(word: str, kind: str, tmp_path: Path, ring: FakeRing) -> None:
    provider = provider_of(word, Site(kind, tmp_path, "play"))  # type: ignore[arg-type]
    assert (provider.get(KEY), list(provider.refs())) == (None, [])
    provider.put(KEY, SECRET)
    provider.put(RATE, b"[1, 2.5, null]")
    provider.put(RATE, b"[1]")
    assert (provider.get(KEY), provider.get(RATE), provider.get(Ref("", "apiKey"))) == (SECRET, b"[1]", None)
    assert set(provider.refs()) == {KEY, RATE}
    provider.put(KEY, None)
    provider.put(KEY, None)
    assert (provider.get(KEY), list(provider.refs())) == (None, [RATE])


def test_secrets_are_sealed_and_their_files_private(secrets: Site, tmp_path: Path) -> None:
    provider_of("file", secrets).put(KEY, SECRET)
    assert provider_of("file", secrets).get(KEY) == SECRET
    assert {p.name: oct(p.stat().st_mode & 0o777) for p in tmp_path.iterdir()} == {
        "secrets.json": "0o600",
        "secrets.key": "0o600",
    }
    assert b"canary" not in b"".join(p.read_bytes() for p in tmp_path.iterdir())


def test_a_files_secrets_may_be_sealed_by_a_key_in_the_keyring(tmp_path: Path, ring: FakeRing) -> None:
    site = Site("secret", tmp_path, "play", key="keyring")
    provider_of("file", site).put(KEY, SECRET)
    assert provider_of("file", site).get(KEY) == SECRET
    assert [p.name for p in tmp_path.iterdir()] == ["secrets.json"]
    assert list(ring.kept) == [("ftl-nb play", "key")]
    ring.kept.clear()
    assert refused(lambda: provider_of("file", site).get(KEY)).slug == "settings-key"


def refused(act: object) -> FtlError:
    with pytest.raises(FtlError) as caught:
        act()  # type: ignore[operator]
    assert "canary" not in str(caught.value)
    return caught.value


def cut(folder: Path) -> None:
    (folder / "secrets.json").write_bytes((folder / "secrets.json").read_bytes()[:20])


def moved(folder: Path) -> None:
    text = (folder / "secrets.json").read_text()
    (folder / "secrets.json").write_text(text.replace("shop.apiKey", "shop.other").replace("shop.pin", "shop.apiKey"))


def made_folder(folder: Path) -> None:
    (folder / "secrets.json").unlink()
    (folder / "secrets.json").mkdir()


def other_key(folder: Path) -> None:
    (folder / "secrets.key").write_text("A" * 43 + "=")


BROKEN = {
    "cut in half": (cut, "settings-unreadable", "not JSON"),
    "a list": (lambda f: (f / "secrets.json").write_text("[]"), "settings-unreadable", "one JSON object"),
    "a folder": (made_folder, "settings-unreadable", "directory"),
    "key lost": (lambda f: (f / "secrets.key").unlink(), "settings-key", "not there"),
    "key broken": (lambda f: (f / "secrets.key").write_text("?"), "settings-key", "holds no key"),
    "key for all to read": (lambda f: (f / "secrets.key").chmod(0o644), "settings-key", "others can read it"),
    "another key": (other_key, "settings-seal", "another key"),
    "values swapped": (moved, "settings-seal", "another key"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_store_is_told_and_never_written_over(case: str, secrets: Site, tmp_path: Path) -> None:
    damage, slug, words = BROKEN[case]
    provider = provider_of("file", secrets)
    provider.put(KEY, SECRET)
    provider.put(Ref("shop", "pin"), b"1")
    damage(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}
    error = refused(lambda: provider.get(KEY))
    assert (error.slug, words in error.message) == (slug, True), error.message
    if slug != "settings-seal":
        assert refused(lambda: provider.put(RATE, b"1")).slug == slug
        assert {p: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()} == before


def test_a_file_for_all_to_read_is_closed(secrets: Site, tmp_path: Path) -> None:
    provider = provider_of("file", secrets)
    provider.put(KEY, SECRET)
    (tmp_path / "secrets.json").chmod(0o644)
    assert provider.get(KEY) == SECRET
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    provider = provider_of("file:away/c.json", Site("config", tmp_path, "play"))
    assert refused(lambda: provider.put(RATE, b"1")).slug == "settings-unwritable"
    assert list(tmp_path.iterdir()) == []


def test_a_keyring_that_refuses_is_told(ring: FakeRing, secrets: Site) -> None:
    ring.locked = True
    assert "it is locked" in refused(lambda: provider_of("keyring", secrets).get(KEY)).message


def test_a_provider_of_another_package_joins_by_name(tmp_path: Path) -> None:
    register("mine", lambda site, text: provider_of(f"file:{text}.json", site))
    provider_of("mine:there", Site("config", tmp_path, "play")).put(RATE, b"2")
    assert json.loads((tmp_path / "there.json").read_text()) == {"rate": 2}
    error = refused(lambda: provider_of("keyrin", Site("config", tmp_path, "play")))
    assert (error.slug, "keyring" in error.hint) == ("settings-provider", True)


def chain(*words: str, folder: Path, variables: dict[str, str]) -> Chain:
    return chain_of("config", {"config-providers": list(words)}, folder, "play", variables)


def test_the_modules_own_value_comes_first_and_the_environment_before_the_file(tmp_path: Path) -> None:
    variables: dict[str, str] = {}
    found = chain("file", folder=tmp_path, variables=variables)
    steps: list[tuple[str, bytes]] = []
    found.set(Ref("", "taxRate"), b"1")
    steps.append((_provider(found), _value(found)))
    variables["FTL_CONFIGURATION_TAXRATE"] = "2"
    steps.append((_provider(found), _value(found)))
    found.set(Ref("shop", "taxRate"), b"3")
    steps.append((_provider(found), _value(found)))
    variables["FTL_CONFIGURATION_SHOP_TAXRATE"] = "4"
    steps.append((_provider(found), _value(found)))
    assert steps == [("file", b"1"), ("environment", b"2"), ("file", b"3"), ("environment", b"4")]
    assert found.seen_by("other", ["taxRate", "none"]) == {"taxRate": b"2"}
    found.set(Ref("shop", "taxRate"), b"5")
    assert (_provider(found), _value(found)) == ("file", b"5")
    assert "FTL_CONFIGURATION_SHOP_TAXRATE" not in variables


def _provider(found: Chain) -> str:
    one = found.lookup("shop", "taxRate")
    assert one is not None
    return one.provider


def _value(found: Chain) -> bytes:
    one = found.lookup("shop", "taxRate")
    assert one is not None
    return one.value


def test_providers_are_asked_in_order_and_the_first_one_keeps(tmp_path: Path) -> None:
    both = chain("memory", "file:second.json", folder=tmp_path, variables={})
    provider_of("file:second.json", Site("config", tmp_path, "play")).put(RATE, b"1")
    assert both.of(RATE) == (b"1", "file")
    both.set(RATE, b"2")
    assert both.of(RATE) == (b"2", "memory")
    both.unset(RATE)
    assert both.of(RATE) is None


def test_a_variable_that_holds_no_json_is_told_by_its_name_alone() -> None:
    provider: Provider = Environment("secret", {"FTL_SECRETS_SHOP_APIKEY": "canary"})
    error = refused(lambda: provider.get(KEY))
    assert (error.slug, "FTL_SECRETS_SHOP_APIKEY" in error.message) == ("settings-variable", True)


def test_nobody_is_left_with_half_a_file(secrets: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = provider_of("file", secrets)
    provider.put(KEY, SECRET)

    def full(fd: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    assert refused(lambda: provider.put(KEY, b'"new"')).slug == "settings-unwritable"
    assert provider.get(KEY) == SECRET
    assert sorted(p.name for p in tmp_path.iterdir()) == ["secrets.json", "secrets.key"]
