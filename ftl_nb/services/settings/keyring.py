"""The system's keyring, as a provider of values and as the place of the key: needs the package `keyring`."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ftl_nb.errors import FtlError, fail
from ftl_nb.services.settings.provider import Ref, Site
from ftl_nb.services.settings.sealing import decoded

if TYPE_CHECKING:
    from types import ModuleType

R = TypeVar("R")

#: A keyring cannot list what it holds: the refs are an entry of their own.
_INDEX = "refs"
_KEY = "key"


class KeyringProvider:
    """One entry a value, under the service `ftl-nb REALM KIND`."""

    name = "keyring"
    keeps = True

    def __init__(self, service: str) -> None:
        self._service = service

    def get(self, ref: Ref) -> bytes | None:
        text = self._entry(f"={ref}")
        return None if text is None else text.encode()

    def refs(self) -> Iterable[Ref]:
        return [Ref.of(path) for path in self._index()]

    def put(self, ref: Ref, value: bytes | None) -> None:
        index = self._index()
        if value is not None:
            self._set(f"={ref}", value.decode())
        elif str(ref) in index:
            asked(lambda ring: ring.delete_password(self._service, f"={ref}"))
        left = (index | {str(ref)}) if value is not None else index - {str(ref)}
        if left != index:
            self._set(_INDEX, json.dumps(sorted(left)))

    def _index(self) -> set[str]:
        return set(json.loads(self._entry(_INDEX) or "[]"))

    def _entry(self, name: str) -> str | None:
        found: str | None = asked(lambda ring: ring.get_password(self._service, name))
        return found

    def _set(self, name: str, text: str) -> None:
        asked(lambda ring: ring.set_password(self._service, name, text))


class KeyringKey:
    """The key that a file's secrets are sealed by, kept in the keyring."""

    def __init__(self, realm: str, secrets: Path) -> None:
        self._service = f"ftl-nb {realm}"
        self._secrets = secrets

    def load(self, *, make: bool) -> bytes:
        text = asked(lambda ring: ring.get_password(self._service, _KEY))
        if text is not None:
            return decoded(text.encode()) or self._fault("it holds no key")
        if not make or self._secrets.exists():
            return self._fault("it is not there")
        key = os.urandom(32)
        asked(lambda ring: ring.set_password(self._service, _KEY, base64.b64encode(key).decode()))
        return key

    def _fault(self, detail: str) -> bytes:
        hint = f"put it back, or remove {self._secrets} and set the secrets anew"
        raise fail("settings-key", key=f"{_KEY!r} of {self._service!r} in the keyring", detail=detail, hint_text=hint)


def asked(ask: Callable[[Any], R]) -> R:
    """What the keyring answers. Raises FtlError `settings-keyring` where there is none, or it refuses."""
    ring = _keyring()
    try:
        return ask(ring)
    except ring.errors.KeyringError as e:
        raise _away(str(e) or type(e).__name__) from None


def _keyring() -> ModuleType:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise _away("the package keyring is not installed") from None
    return keyring


def _away(detail: str) -> FtlError:
    return fail("settings-keyring", detail=detail.rstrip("."))


def keyring_provider(site: Site, text: str) -> KeyringProvider:
    """`keyring`, or `keyring:SERVICE`."""
    return KeyringProvider(text or f"ftl-nb {site.realm} {site.kind}")
