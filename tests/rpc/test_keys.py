import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftl_nb.errors import FtlError
from ftl_nb.rpc.keys import ChangesetKey, DeploymentKey, Key, RequestKey, RunnerKey, decode_suffix, encode_suffix


def ones(count: int) -> bytes:
    return b"\x01" * count


MADE = [
    (ChangesetKey.make(ones), "chs-"),
    (DeploymentKey.make("myproj", "echo", ones), "dpl-myproj-echo-"),
    (RequestKey.make("cron", "mod.verb", ones), "req-cron-mod-verb-"),
    (RequestKey.make("ingress", "  GET /a/b!", ones), "req-ingress-GET-a-b-"),
    (RunnerKey.make("127.0.0.1", 8893, ones), "rnr-127.0.0.1-8893-"),
    (RunnerKey.make("", 8893, ones), "rnr-8893-"),
    (RunnerKey.make("my-host", 1, ones), "rnr-my-host-1-"),
]


@pytest.mark.parametrize(("key", "head"), MADE)
def test_a_key_has_its_text_and_comes_back_from_it(key: Key, head: str) -> None:
    assert str(key).startswith(head)
    assert type(key).parse(str(key)) == key


@given(st.binary(min_size=10, max_size=10))
def test_a_suffix_comes_back_whatever_its_bytes(raw: bytes) -> None:
    assert decode_suffix(encode_suffix(raw)) == raw
    assert ChangesetKey.parse(f"chs-{encode_suffix(raw)}").suffix == raw


def test_leading_zero_bytes_are_zero_characters() -> None:
    assert encode_suffix(b"\0\0\x24") == "0010"
    assert encode_suffix(bytes(10)) == "0" * 10


def test_two_keys_differ() -> None:
    assert DeploymentKey.make("r", "m") != DeploymentKey.make("r", "m")


BAD = [
    (ChangesetKey, "", 'expected prefix "chs"'),
    (ChangesetKey, "chs", 'expected prefix "chs"'),
    (ChangesetKey, "dpl-a-b-0123456789abcdef", 'expected prefix "chs"'),
    (ChangesetKey, "chs-", "expected a suffix"),
    (ChangesetKey, "chs-UPPER", "expected a base36 suffix"),
    (ChangesetKey, "chs-12", "expected a suffix of 10 bytes"),
    (ChangesetKey, "chs-x-0000000000", "expected no content"),
    (DeploymentKey, "dpl-only-0000000000", "expected <realm>-<module>"),
    (DeploymentKey, "dpl-a-b-c-0000000000", "expected <realm>-<module>"),
    (RequestKey, "req-sideways-x-0000000000", "expected <origin>-<text>"),
    (RunnerKey, "rnr-host-0000000000", "expected [<host>-]<port>"),
]


@pytest.mark.parametrize(("kind", "text", "says"), BAD)
def test_a_bad_key_says_what_is_wrong(kind: type[Key], text: str, says: str) -> None:
    with pytest.raises(FtlError) as caught:
        kind.parse(text)
    assert caught.value.slug == "key-invalid"
    assert says in caught.value.message


@pytest.mark.parametrize(("realm", "module"), [("a-b", "m"), ("r", "m-n"), ("", "m"), ("r", "")])
def test_a_deployment_needs_names_that_its_key_can_hold(realm: str, module: str) -> None:
    with pytest.raises(FtlError, match="needs the names"):
        DeploymentKey.make(realm, module)


def test_the_text_of_a_new_request_is_one_of_its_keys() -> None:
    for random in (bytes, lambda size: b"\xff" * size):
        text = RequestKey.text_of_new("ingress", "a b", random)
        assert str(RequestKey.parse(text)) == text
        assert text.startswith("req-ingress-a-b-f")
    assert RequestKey.text_of_new("ingress", "x") != RequestKey.text_of_new("ingress", "x")
