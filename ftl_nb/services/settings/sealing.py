"""Secrets at rest: each sealed by AES-256-GCM, bound to its ref, with a key from a 0600 file or the keyring."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Protocol

from ftl_nb.errors import FtlError, fail
from ftl_nb.services.settings.provider import Ref, Site

_NONCE, _KEY = 12, 32
_OTHERS = 0o077


class Key(Protocol):
    """The 32 bytes that secrets are sealed by."""

    def load(self, *, make: bool) -> bytes:
        """With `make` one is made where there is none. Raises FtlError `settings-key`."""


class Sealer:
    """A value moved to another ref, or changed, does not open."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def write(self, ref: Ref, value: bytes) -> object:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self._key.load(make=True)).encrypt(nonce, value, str(ref).encode())
        return base64.b64encode(nonce + sealed).decode()

    def read(self, ref: Ref, kept: object) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._key.load(make=False)
        try:
            data = base64.b64decode(str(kept), validate=True)
            return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], str(ref).encode())
        except (InvalidTag, ValueError):
            raise fail("settings-seal", name=ref) from None


class FileKey:
    """A file beside the secrets. One that others can read is refused: it may have been read."""

    def __init__(self, path: Path, secrets: Path) -> None:
        self._path = path
        self._secrets = secrets

    def load(self, *, make: bool) -> bytes:
        try:
            if self._path.stat().st_mode & _OTHERS:
                raise self._fault("others can read it", f"chmod 600 {self._path}, and set the secrets anew")
            return decoded(self._path.read_bytes()) or self._broken()
        except FileNotFoundError:
            # A new key where secrets are sealed by a lost one would split them.
            if not make or self._secrets.exists():
                lost = f"put it back, or remove {self._secrets} and set the secrets anew"
                raise self._fault("it is not there", lost) from None
        except OSError as e:
            raise self._fault(str(e.strerror), "make it readable for you alone") from None
        return self._made()

    def _made(self) -> bytes:
        from ftl_nb.services.settings.file import replace

        key = os.urandom(_KEY)
        replace(self._path, base64.b64encode(key) + b"\n")
        return key

    def _broken(self) -> bytes:
        raise self._fault("it holds no key", f"put the old one back, or remove it and {self._secrets}")

    def _fault(self, detail: str, hint: str) -> FtlError:
        return fail("settings-key", key=self._path, detail=detail, hint_text=hint)


def decoded(text: bytes) -> bytes:
    """The key that a text holds; empty where it holds none."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        return b""
    return key if len(key) == _KEY else b""


def key_of(site: Site, secrets: Path) -> Key:
    """The key that the project's `secrets-key` names: "file" or "keyring"."""
    if site.key == "keyring":
        from ftl_nb.services.settings.keyring import KeyringKey

        return KeyringKey(site.realm, secrets)
    if site.key == "file":
        return FileKey(site.state / "secrets.key", secrets)
    raise fail("settings-provider", word=f"secrets-key {site.key}", near="it is file or keyring")
