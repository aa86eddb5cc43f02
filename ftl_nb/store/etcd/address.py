"""Where a store on etcd is: `etcd://HOST:PORT,HOST:PORT/PREFIX?ca=FILE&certificate=FILE&key=FILE&patience=SECONDS`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from ftl_nb.errors import fail

SCHEME = "etcd"
_PATIENCE_SECONDS = 10.0
_FILES = ("ca", "certificate", "key")


@dataclass(frozen=True, slots=True)
class Address:
    """`files` are of mutual TLS, in PEM: authority, certificate, key; without them only this machine is spoken to.

    Everything of the store is below `prefix`, so that one etcd can serve several. `patience` is for how many seconds a
    call tries one member after another.
    """

    endpoints: tuple[str, ...]
    prefix: str
    files: tuple[Path, Path, Path] | None = None
    patience: float = _PATIENCE_SECONDS

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises FtlError `store-address`."""
        try:
            parts = urlsplit(url)
            options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
            patience = float(options.pop("patience", _PATIENCE_SECONDS))
        except ValueError as error:
            raise fail("store-address", url=url, detail=error) from error
        prefix = unquote(parts.path).strip("/")
        wrong = _wrong(parts.scheme, endpoints := parts.netloc.split(","), prefix, options, patience)
        if wrong:
            raise fail("store-address", url=url, detail=wrong)
        files = tuple(Path(options[name]) for name in _FILES) if options else None
        return cls(tuple(endpoints), prefix, (files[0], files[1], files[2]) if files else None, patience)

    def __str__(self) -> str:
        return f"{SCHEME}://{','.join(self.endpoints)}/{self.prefix}"


def _wrong(scheme: str, endpoints: list[str], prefix: str, options: dict[str, str], patience: float) -> str:
    """What is wrong with it, or nothing."""
    if scheme != SCHEME:
        return f"it does not begin with {SCHEME}://"
    if not all(_host(endpoint) for endpoint in endpoints):
        return "each member is HOST:PORT"
    if not prefix:
        return "it has no prefix"
    if not patience > 0:
        return "patience is a number of seconds"
    if options and set(options) != set(_FILES):
        return f"the options of TLS are all of {', '.join(_FILES)}, and nothing else"
    if not options and not all(map(_here, endpoints)):
        return "members on other machines are reached over TLS alone"
    return ""


def _host(endpoint: str) -> str:
    host, _, port = endpoint.rpartition(":")
    return host.strip("[]") if port.isdigit() and 0 < int(port) < 65536 and "@" not in host else ""


def _here(endpoint: str) -> bool:
    host = _host(endpoint)
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
