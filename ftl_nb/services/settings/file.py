"""Values in a file of the project's state folder, of mode 0600: one JSON object by ref; secrets are sealed in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from ftl_nb.errors import FtlError, fail
from ftl_nb.services.settings.provider import Ref, Site
from ftl_nb.services.settings.sealing import Sealer, key_of

NAMES = {"config": "configuration.json", "secret": "secrets.json"}
_OTHERS = 0o077


class Form(Protocol):
    """How one value stands in the file."""

    def write(self, ref: Ref, value: bytes) -> object: ...

    def read(self, ref: Ref, kept: object) -> bytes: ...


class Plain:
    """As the JSON that it is."""

    def write(self, ref: Ref, value: bytes) -> object:
        return json.loads(value)

    def read(self, ref: Ref, kept: object) -> bytes:
        return json.dumps(kept).encode()


class FileProvider:
    """The file is read at each use, and replaced whole: whoever dies on the way leaves the old one."""

    name = "file"
    keeps = True

    def __init__(self, path: Path, form: Form) -> None:
        self._path = path
        self._form = form

    def get(self, ref: Ref) -> bytes | None:
        kept = self._load()
        return self._form.read(ref, kept[str(ref)]) if str(ref) in kept else None

    def refs(self) -> Iterable[Ref]:
        return [Ref.of(path) for path in self._load()]

    def put(self, ref: Ref, value: bytes | None) -> None:
        kept = self._load()
        if value is None and str(ref) not in kept:
            return
        kept.pop(str(ref), None)
        if value is not None:
            kept[str(ref)] = self._form.write(ref, value)
        replace(self._path, (json.dumps(dict(sorted(kept.items())), indent=2) + "\n").encode())

    def _load(self) -> dict[str, object]:
        try:
            status = self._path.stat()
            if status.st_mode & _OTHERS:
                self._path.chmod(0o600)
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as e:
            raise self._unreadable(str(e.strerror)) from None
        except ValueError:
            raise self._unreadable("it is not JSON, as when a write was cut") from None
        if not isinstance(found, dict):
            raise self._unreadable("it is not one JSON object")
        return found

    def _unreadable(self, detail: str) -> FtlError:
        return fail("settings-unreadable", file=self._path, detail=detail)


def replace(path: Path, data: bytes) -> None:
    """Writes a file of mode 0600 beside it and puts that in its place. Raises FtlError `settings-unwritable`."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as e:
        new.unlink(missing_ok=True)
        raise fail("settings-unwritable", file=path, detail=e.strerror) from None


def file_provider(site: Site, text: str) -> FileProvider:
    """`file`, or `file:PATH` below the state folder."""
    path = site.state / (text or NAMES[site.kind])
    return FileProvider(path, Plain() if site.kind == "config" else Sealer(key_of(site, path)))
