"""One file of a database, open: a generation. The next migration makes the next one, beside it.

A generation that was replaced lives until the last call that began on it has ended; then its file goes.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import duckdb

from ftl_nb.databases.duckdb.compiled import CompiledQuery
from ftl_nb.databases.duckdb.faults import no_space, out_of_space, read_fault
from ftl_nb.databases.model import PreparedQuery
from ftl_nb.errors import FtlError, fail

_CONFIG = {"autoinstall_known_extensions": "false", "errors_as_json": "true", "TimeZone": "UTC"}


class Generation:
    """An open file. Raises `database-corrupt` when DuckDB does not read it, or `disk-full`."""

    def __init__(self, path: Path, database: str) -> None:
        self.path = path
        self.database = database
        self._connection = self._connect()
        # DuckDB's lock on the file ends with the first descriptor of the process that is closed: this one stays open
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._threads = threading.local()
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._compiled: dict[str, CompiledQuery] = {}
        self._lock = threading.Lock()
        self._calls = 0
        self._replaced = False

    def _connect(self) -> duckdb.DuckDBPyConnection:
        try:
            return duckdb.connect(str(self.path), config=_CONFIG)
        except duckdb.Error as error:
            raise _unreadable(error, self.path, self.database) from None

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own; the caller closes it."""
        return self._connection.cursor()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """This thread's connection."""
        of, cursor = getattr(self._threads, "cursor", (None, None))
        if of is not self._connection:
            cursor = self._connection.cursor()
            self._threads.cursor = (self._connection, cursor)
            with self._lock:
                self._cursors.append(cursor)
        return cursor

    def drop_cursor(self) -> None:
        """Ends this thread's connection, with the result that it may still hold."""
        cursor = self.cursor()
        del self._threads.cursor
        with self._lock:
            self._cursors.remove(cursor)
        cursor.close()

    def revive(self) -> None:
        """Opens the file anew: after an error while it wrote its file, DuckDB answers nothing until then."""
        with self._lock:
            for cursor in self._cursors:
                cursor.close()
            self._cursors = []
            self._connection.close()
            self._connection = self._connect()

    def compiled(self, query: PreparedQuery) -> CompiledQuery:
        known = self._compiled.get(query.verb)
        if known is None or known.query is not query:
            module = self.database.partition(".")[0]
            known = self._compiled[query.verb] = CompiledQuery(query, f"{module}.{query.verb}", self.cursor())
        return known

    def enter(self) -> bool:
        """Begins a call; false when the file was replaced meanwhile."""
        with self._lock:
            self._calls += not self._replaced
            return not self._replaced

    def leave(self) -> None:
        with self._lock:
            self._calls -= 1
            last = self._replaced and self._calls == 0
        if last:
            self.remove()

    def replace(self) -> None:
        """No new call begins; the file goes when those that run have ended."""
        with self._lock:
            self._replaced = True
            idle = self._calls == 0
        if idle:
            self.remove()

    def copy_to(self, target: Path) -> None:
        """A copy of the file and its log (a checkpoint could fail and take the file down). Nobody may write now."""
        _copy(self._descriptor, target)
        log = log_of(self.path)
        if log.exists():
            descriptor = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
            try:
                _copy(descriptor, log_of(target))
            finally:
                os.close(descriptor)

    def close(self) -> None:
        with self._lock:
            cursors, self._cursors = self._cursors, []
        for cursor in cursors:
            cursor.close()
        self._connection.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Closes and deletes the file."""
        self.close()
        remove_file(self.path)


def log_of(path: Path) -> Path:
    """The write-ahead log that DuckDB keeps beside a file."""
    return path.with_name(f"{path.name}.wal")


def remove_file(path: Path) -> None:
    log_of(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _copy(descriptor: int, target: Path) -> None:
    size, offset = os.fstat(descriptor).st_size, 0
    with target.open("wb") as out:
        while offset < size and (chunk := os.pread(descriptor, 1 << 22, offset)):
            out.write(chunk)
            offset += len(chunk)


def _unreadable(error: duckdb.Error, path: Path, database: str) -> FtlError:
    detail = read_fault(error).message.replace(str(path), path.name).splitlines()[0].rstrip(".!")
    if out_of_space(detail):
        return no_space()
    hint = ""
    if "lock" in detail.lower():
        hint = "another process has the file open: close it there"
    elif "version" in detail.lower():
        hint = "it was made by another version of DuckDB: install that one, or make a fresh file with %ftl reset"
    return fail("database-corrupt", hint=hint, database=database, detail=detail)
