"""The type checker `ty`, kept as a language server, with its command line to fall back on.

Half a millisecond after an edit as a server, tens of milliseconds as a command.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlparse

from ftl_nb.compiler.languageserver import LanguageServer, ServerLost
from ftl_nb.errors import FtlError

_log = logging.getLogger(__name__)

_SEVERITIES = {1: "error", 2: "warning", 3: "info", 4: "info"}
_CREATED, _CHANGED, _DELETED = 1, 2, 3


class Finding(NamedTuple):
    """What the checker says of a file. Lines and columns are 0-based, columns in characters, the end is exclusive."""

    path: Path
    line: int
    column: int
    end_line: int
    end_column: int
    rule: str
    severity: str
    message: str


def ty_command() -> str:
    """The checker's program in this environment."""
    from ty import find_ty_bin

    return str(find_ty_bin())


class Ty:
    """Checks files below one folder, which has a `ty.toml`. Thread-safe; starts and restarts its server by itself."""

    def __init__(self, folder: Path, timeout: float = 10.0, command: Callable[[], str] = ty_command) -> None:
        self._folder = folder
        self._timeout = timeout
        self._command = command
        self._lock = threading.Lock()
        self._server: LanguageServer | None = None
        self._opened: dict[Path, tuple[int, str]] = {}
        self._seen: dict[Path, str] = {}

    @property
    def pid(self) -> int | None:
        """The server's process; None while there is none."""
        return self._server.pid if self._server is not None and self._server.alive else None

    def start(self) -> None:
        """Starts the server now, so that the first check does not wait for it."""
        with self._lock:
            try:
                self._running()
            except ServerLost as error:
                _log.warning("ty does not serve: %s", error)

    def stop(self) -> None:
        with self._lock:
            self._drop()

    def check(self, files: Iterable[Path], texts: Mapping[Path, str]) -> list[Finding]:
        """Checks `files`. `texts` are all files of the folder as they stand on disk now.

        Raises FtlError `internal` when neither the server nor the command answers.
        """
        wanted = sorted(files)
        with self._lock:
            # A server that died is worth one restart.
            for _ in range(2):
                try:
                    return self._ask(wanted, texts)
                except ServerLost as error:
                    _log.warning("ty does not serve: %s", error)
                    self._drop()
        return self._run(wanted)

    def _ask(self, files: Sequence[Path], texts: Mapping[Path, str]) -> list[Finding]:
        server = self._running()
        self._tell_changes(server, texts)
        found: list[Finding] = []
        for path in files:
            self._open(server, path, texts[path])
            answer = server.request("textDocument/diagnostic", {"textDocument": {"uri": path.as_uri()}})
            found += [_from_server(path, item) for item in answer["items"]]
        return found

    def _running(self) -> LanguageServer:
        if self._server is None or not self._server.alive:
            self._drop()
            self._server = LanguageServer([self._program(), "server"], self._folder, self._timeout)
        return self._server

    def _program(self) -> str:
        try:
            return self._command()
        except (ImportError, FileNotFoundError) as error:
            raise ServerLost(f"it is not installed: {error}") from error

    def _drop(self) -> None:
        if self._server is not None:
            self._server.stop()
        self._server = None
        self._opened.clear()
        self._seen.clear()

    def _tell_changes(self, server: LanguageServer, texts: Mapping[Path, str]) -> None:
        """What changed on disk since the last check; before the first one everything, since a server that was warmed up
        may have read what an earlier run left."""
        kinds = _changes(self._seen, texts) if self._seen else ((path, _CHANGED) for path in texts)
        changes = [{"uri": path.as_uri(), "type": kind} for path, kind in kinds]
        if changes:
            server.notify("workspace/didChangeWatchedFiles", {"changes": changes})
        self._seen = dict(texts)

    def _open(self, server: LanguageServer, path: Path, text: str) -> None:
        version, known = self._opened.get(path, (0, ""))
        document = {"uri": path.as_uri(), "version": version + 1}
        if version == 0:
            server.notify("textDocument/didOpen", {"textDocument": {**document, "languageId": "python", "text": text}})
        elif known != text:
            server.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
        self._opened[path] = (version + 1, text)

    def _run(self, files: Sequence[Path]) -> list[Finding]:
        """The same by the command line."""
        try:
            command = [self._program(), "check", "--output-format", "gitlab", "--exit-zero", *map(str, files)]
            ran = subprocess.run(command, cwd=self._folder, capture_output=True, timeout=self._timeout, check=True)
            return [_from_command(self._folder, item) for item in json.loads(ran.stdout)]
        except (ServerLost, OSError, subprocess.SubprocessError, ValueError) as error:
            raise FtlError("internal", f"The type checker ty does not answer: {error}.") from error


def _changes(before: Mapping[Path, str], now: Mapping[Path, str]) -> Iterable[tuple[Path, int]]:
    for path, text in now.items():
        if path not in before:
            yield path, _CREATED
        elif before[path] != text:
            yield path, _CHANGED
    yield from ((path, _DELETED) for path in before if path not in now)


def _from_server(path: Path, item: dict[str, Any]) -> Finding:
    start, end = item["range"]["start"], item["range"]["end"]
    place = start["line"], start["character"], end["line"], end["character"]
    return Finding(path, *place, str(item.get("code", "")), _SEVERITIES[item.get("severity", 1)], item["message"])


def _from_command(folder: Path, item: dict[str, Any]) -> Finding:
    begin, end = (item["location"]["positions"][side] for side in ("begin", "end"))
    place = begin["line"] - 1, begin["column"] - 1, end["line"] - 1, end["column"] - 1
    path = Path(unquote(urlparse(item["location"]["path"]).path))
    severity = {"info": "info", "minor": "warning"}.get(item["severity"], "error")
    rule = item["check_name"]
    return Finding(folder / path, *place, rule, severity, item["description"].removeprefix(f"{rule}: "))
