"""Keys of deployments, changesets, requests and runners: `<kind>[-<payload>]-<suffix>` as text.

The suffix is ten random bytes in lower-case base 36, leading zero bytes kept as `0` characters.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Literal, Self, get_args

from ftl_nb.errors import FtlError, fail

#: Gives that many random bytes; `os.urandom` outside of tests.
Random = Callable[[int], bytes]
Origin = Literal["ingress", "cron", "pubsub"]

_source = random.Random()
os.register_at_fork(after_in_child=_source.seed)
#: Random bytes for what only has to differ, such as spans: without a system call, apart from what an author seeds,
#: and fresh in every forked process.
identifying: Random = _source.randbytes

SUFFIX_BYTES = 10
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_SUFFIX = re.compile(r"[0-9a-z]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BETWEEN_WORDS = re.compile(r"[^A-Za-z0-9]+")


def encode_suffix(raw: bytes) -> str:
    number, digits = int.from_bytes(raw), ""
    while number:
        number, four = divmod(number, 36**4)
        high, low = divmod(four, 36 * 36)
        digits = _PAIRS[high] + _PAIRS[low] + digits
    return "0" * (len(raw) - len(raw.lstrip(b"\0"))) + digits.lstrip("0")


def decode_suffix(text: str) -> bytes:
    zeros = len(text) - len(text.lstrip("0"))
    number = int(text[zeros:] or "0", 36)
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key; `str(key)` is its text. Made by a kind's `make` (with a random source) or `parse`."""

    kind: ClassVar[str]
    suffix: bytes = field(repr=False)

    @property
    def payload(self) -> str:
        return ""

    def __str__(self) -> str:
        return "-".join(part for part in (self.kind, self.payload, encode_suffix(self.suffix)) if part)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises FtlError `key-invalid` when `text` is not a key of this kind."""
        kind, *payload, suffix = ["", *text.split("-")] if "-" not in text else text.split("-")
        if kind != cls.kind:
            raise _invalid(f'expected prefix "{cls.kind}" for key "{text}"')
        return cls._of_payload("-".join(payload), _parse_suffix(suffix, text), text)

    @classmethod
    def _of_payload(cls, payload: str, suffix: bytes, text: str) -> Self:
        if payload:
            raise _invalid(f'failed to parse payload for key "{text}": expected no content')
        return cls(suffix=suffix)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesetKey(Key):
    kind = "chs"

    @classmethod
    def make(cls, random: Random = os.urandom) -> Self:
        return cls(suffix=random(SUFFIX_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentKey(Key):
    """One version of one module."""

    kind = "dpl"
    realm: str
    module: str

    @property
    def payload(self) -> str:
        return f"{self.realm}-{self.module}"

    @classmethod
    def make(cls, realm: str, module: str, random: Random = os.urandom) -> Self:
        if not (_NAME.fullmatch(realm) and _NAME.fullmatch(module)):
            raise _invalid(f"a deployment key needs the names of a realm and a module, not {realm!r} and {module!r}")
        return cls(realm=realm, module=module, suffix=random(SUFFIX_BYTES))

    @classmethod
    def _of_payload(cls, payload: str, suffix: bytes, text: str) -> Self:
        names = payload.split("-")
        if len(names) != 2 or not all(map(_NAME.fullmatch, names)):
            raise _invalid(f'failed to parse payload for key "{text}": expected <realm>-<module> but got {payload}')
        return cls(realm=names[0], module=names[1], suffix=suffix)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey(Key):
    """One request that came into the system, and everything it caused; `text` says from where."""

    kind = "req"
    origin: Origin
    text: str

    @property
    def payload(self) -> str:
        return f"{self.origin}-{self.text}"

    @classmethod
    def make(cls, origin: Origin, text: str, random: Random = os.urandom) -> Self:
        """Every run of other characters than letters and digits in `text` becomes one `-`."""
        return cls(origin=origin, text=_dashed(text), suffix=random(SUFFIX_BYTES))

    @classmethod
    def text_of_new(cls, origin: Origin, text: str, random: Random = identifying) -> str:
        """The text of a new key, for every call from outside: its suffix has the same size, and hexadecimal digits."""
        return f"{cls.kind}-{origin}-{_dashed(text)}-f{random(7).hex()}"

    @classmethod
    def _of_payload(cls, payload: str, suffix: bytes, text: str) -> Self:
        for origin in get_args(Origin):
            if payload.startswith(origin + "-"):
                return cls(origin=origin, text=payload.removeprefix(origin + "-"), suffix=suffix)
        raise _invalid(f'failed to parse payload for key "{text}": expected <origin>-<text> but got {payload}')


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerKey(Key):
    kind = "rnr"
    host: str
    port: int

    @property
    def payload(self) -> str:
        return f"{self.host}-{self.port}" if self.host else str(self.port)

    @classmethod
    def make(cls, host: str, port: int, random: Random = os.urandom) -> Self:
        return cls(host=host, port=port, suffix=random(SUFFIX_BYTES))

    @classmethod
    def _of_payload(cls, payload: str, suffix: bytes, text: str) -> Self:
        host, _, port = payload.rpartition("-")
        if not (port.isascii() and port.isdigit()):
            raise _invalid(f'failed to parse payload for key "{text}": expected [<host>-]<port> but got {payload}')
        return cls(host=host, port=int(port), suffix=suffix)


@lru_cache(maxsize=1024)
def _dashed(text: str) -> str:
    return _BETWEEN_WORDS.sub("-", text).strip("-")


def _parse_suffix(suffix: str, text: str) -> bytes:
    if not suffix:
        raise _invalid(f'expected a suffix for key "{text}"')
    if not _SUFFIX.fullmatch(suffix):
        raise _invalid(f'expected a base36 suffix for key "{text}"')
    raw = decode_suffix(suffix)
    if len(raw) != SUFFIX_BYTES:
        raise _invalid(f'expected a suffix of {SUFFIX_BYTES} bytes for key "{text}", not {len(raw)}')
    return raw


def _invalid(detail: str) -> FtlError:
    return fail("key-invalid", detail=detail)
