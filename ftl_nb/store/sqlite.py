"""The embedded store: one SQLite file, one process.

Table `log` has a row for every write, by key and revision: the present is each key's newest row, history is the rest.
One connection writes and another reads, so that a reader never waits for the disk that a commit is waiting for.
Which leases there are and what is under them is in the file, when they end is known to this process alone: a store that
is opened again gives each its whole time.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from ftl_nb.errors import fail
from ftl_nb.store.contract import (
    Change,
    Commit,
    CompactedError,
    Condition,
    Conflict,
    Delete,
    FutureRevisionError,
    Item,
    Lease,
    LeaseGoneError,
    Put,
    StoreClosedError,
    Write,
)
from ftl_nb.store.expiry import Expiry
from ftl_nb.store.keys import checked, end
from ftl_nb.store.watches import LogWatch, News

#: Of the file; one of another number is not read.
FORMAT = 1
FILE = "store.db"
_LOCK = "store.lock"
#: A watch reads the log in steps of this many.
_WATCH_REVISIONS = 500
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})

_TABLES = f"""
    CREATE TABLE log (
        key BLOB NOT NULL, revision INTEGER NOT NULL, created INTEGER NOT NULL, value BLOB,
        PRIMARY KEY (key, revision)
    ) WITHOUT ROWID;
    CREATE INDEX log_by_revision ON log (revision);
    CREATE TABLE counters (latest INTEGER NOT NULL, compacted INTEGER NOT NULL);
    INSERT INTO counters VALUES (0, 0);
    PRAGMA user_version = {FORMAT};
"""
# Later than the first of this format, which reads past them. A lease's number is never used again.
_LEASE_TABLES = """
    CREATE TABLE IF NOT EXISTS leases (id INTEGER PRIMARY KEY AUTOINCREMENT, ttl REAL NOT NULL);
    CREATE TABLE IF NOT EXISTS attached (key BLOB PRIMARY KEY, lease INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS attached_by_lease ON attached (lease);
"""
_GET = "SELECT key, value, created, revision FROM log WHERE key = ? AND revision <= ? ORDER BY revision DESC LIMIT 1"
# SQLite takes the other columns from the row that has the maximum.
_RANGE = """
    SELECT key, value, created, max(revision) FROM log
    WHERE key >= ? AND key < ? AND revision <= ? GROUP BY key HAVING value IS NOT NULL ORDER BY key
"""
_SINCE = """
    SELECT key, value, created, revision FROM log
    WHERE revision BETWEEN ? AND ? AND key >= ? AND key < ? ORDER BY revision, key
"""
_COMPACT = """
    DELETE FROM log WHERE revision <= :at AND (
        value IS NULL OR EXISTS (
            SELECT 1 FROM log AS newer
            WHERE newer.key = log.key AND newer.revision > log.revision AND newer.revision <= :at
        )
    )
"""
_COUNTERS = "SELECT latest, compacted FROM counters"

_Row = tuple[bytes, bytes | None, int, int]


class SqliteStore:
    """A `Store` in `folder`, which is made (0700) when it is not there.

    Raises FtlError `cluster-folder` for a file of another format, and `internal` when another process has it open.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_file = _lock(folder)
        try:
            self._writer, self._reader = _open(folder)
        except BaseException:
            os.close(self._lock_file)
            raise
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._closed = False
        self._latest: int = self._writer.execute(_COUNTERS).fetchone()[0]
        self._news = News()
        self._news.publish(self._latest)
        self._expiry = Expiry(self._drop, clock)
        for lease, ttl in self._writer.execute("SELECT id, ttl FROM leases").fetchall():
            self._expiry.add(lease, ttl)

    @property
    def revision(self) -> int:
        return self._latest

    def get(self, key: str, revision: int | None = None) -> Item | None:
        rows, _ = self._rows(_GET, (key.encode(),), revision)
        return _item(rows[0]) if rows else None

    def range(self, prefix: str, revision: int | None = None) -> tuple[tuple[Item, ...], int]:
        first = prefix.encode()
        rows, at = self._rows(_RANGE, (first, end(first)), revision)
        return tuple(item for row in rows if (item := _item(row))), at

    def commit(self, conditions: Iterable[Condition], writes: Iterable[Write]) -> int | Conflict:
        wanted = checked(writes)
        with self._transaction():
            for condition in conditions:
                found = self._present(condition.key)
                if (found.revision if found else 0) != condition.revision:
                    return Conflict(condition, found.revision if found else 0)
            self._attach(wanted)
            return self._write(wanted)

    def watch(self, prefix: str, from_revision: int) -> LogWatch:
        since, first = max(1, from_revision), prefix.encode()
        last = end(first)
        with self._snapshot() as (_, _, compacted):
            if since <= compacted:
                raise CompactedError(since, compacted)
        return LogWatch(lambda since: self._commits(since, first, last), self._news, since)

    def compact(self, revision: int) -> None:
        with self._transaction() as connection:
            latest, compacted = connection.execute(_COUNTERS).fetchone()
            if revision > latest:
                raise FutureRevisionError(revision, latest)
            if revision > compacted:
                connection.execute(_COMPACT, {"at": revision})
                connection.execute("UPDATE counters SET compacted = ?", (revision,))

    def grant(self, ttl: float) -> Lease:
        if not ttl > 0:
            raise ValueError("a lease lasts some time")
        with self._transaction() as connection:
            lease = connection.execute("INSERT INTO leases (ttl) VALUES (?)", (ttl,)).lastrowid
        if lease is None:
            raise fail("internal", detail="a lease got no number")
        self._expiry.add(lease, ttl)
        return Lease(lease, ttl)

    def keep_alive(self, lease: int) -> float:
        self._check_open()
        return self._expiry.renew(lease)

    def revoke(self, lease: int) -> None:
        self._check_open()
        self._expiry.forget(lease)
        self._drop(lease)

    def close(self) -> None:
        self._expiry.close()
        with self._writing, self._reading:
            if self._closed:
                return
            self._closed = True
            self._news.end()
            self._reader.close()
            self._writer.close()
            os.close(self._lock_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, query: str, keys: tuple[bytes, ...], revision: int | None) -> tuple[list[_Row], int]:
        with self._snapshot() as (connection, latest, compacted):
            at = latest if revision is None else revision
            if at > latest:
                raise FutureRevisionError(at, latest)
            if at < compacted:
                raise CompactedError(at, compacted)
            return connection.execute(query, (*keys, at)).fetchall(), at

    def _commits(self, since: int, first: bytes, last: bytes) -> tuple[list[Commit], int]:
        with self._snapshot() as (connection, latest, compacted):
            if since <= compacted:
                raise CompactedError(since, compacted)
            until = min(latest, since + _WATCH_REVISIONS - 1)
            rows = connection.execute(_SINCE, (since, until, first, last)).fetchall()
        return [Commit(at, tuple(map(_change, group))) for at, group in groupby(rows, key=_revision)], until

    def _attach(self, writes: Iterable[Write]) -> None:
        """Note which keys are under which lease from now on."""
        for write in writes:
            lease = write.lease if isinstance(write, Put) else 0
            if lease and not self._expiry.lives(lease):
                raise LeaseGoneError(lease)
            self._writer.execute("DELETE FROM attached WHERE key = ?", (write.key.encode(),))
            if lease:
                self._writer.execute("INSERT INTO attached VALUES (?, ?)", (write.key.encode(), lease))

    def _write(self, writes: Iterable[Write]) -> int:
        revision = self._latest + 1
        rows = [row for write in writes if (row := self._row(write, revision))]
        if not rows:
            return self._latest
        self._writer.executemany("INSERT INTO log (key, value, created, revision) VALUES (?, ?, ?, ?)", rows)
        self._writer.execute("UPDATE counters SET latest = ?", (revision,))
        return revision

    def _drop(self, lease: int) -> None:
        """Delete a lease that has ended, with its keys."""
        with self._transaction() as connection:
            keys = connection.execute("SELECT key FROM attached WHERE lease = ? ORDER BY key", (lease,)).fetchall()
            self._write([Delete(key.decode()) for (key,) in keys])
            connection.execute("DELETE FROM attached WHERE lease = ?", (lease,))
            connection.execute("DELETE FROM leases WHERE id = ?", (lease,))

    def _present(self, key: str) -> Item | None:
        row = self._writer.execute(_GET, (key.encode(), self._latest)).fetchone()
        return _item(row) if row else None

    def _row(self, write: Write, revision: int) -> _Row | None:
        before = self._present(write.key)
        if isinstance(write, Put):
            return write.key.encode(), write.value, before.created if before else revision, revision
        return (write.key.encode(), None, before.created, revision) if before else None

    @contextmanager
    def _snapshot(self) -> Iterator[tuple[sqlite3.Connection, int, int]]:
        """One unchanging view for reading, with its latest revision and how far it is compacted."""
        with self._reading:
            self._check_open()
            self._reader.execute("BEGIN")
            try:
                latest, compacted = self._reader.execute(_COUNTERS).fetchone()
                yield self._reader, latest, compacted
            finally:
                self._reader.execute("ROLLBACK")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Commits at the end, and tells the watches."""
        with self._writing:
            self._check_open()
            try:
                with _full_disk_told(self._folder):
                    self._writer.execute("BEGIN IMMEDIATE")
                    yield self._writer
                    latest = self._writer.execute(_COUNTERS).fetchone()[0]
                    self._writer.execute("COMMIT")
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
            self._latest = latest
            self._news.publish(latest)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError(f"the store in {self._folder} is closed")


def _open(folder: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """A connection that writes and one that reads."""
    file = folder / FILE
    # SQLite would make it readable for all that the folder lets in.
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    writer = _connect(file)
    try:
        with _full_disk_told(folder):
            _check_format(writer, folder)
            writer.execute("PRAGMA journal_mode = WAL")
            writer.execute("PRAGMA synchronous = FULL")
            if not writer.execute("PRAGMA user_version").fetchone()[0]:
                writer.executescript(_TABLES)
            writer.executescript(_LEASE_TABLES)
            return writer, _connect(file)
    except BaseException:
        writer.close()
        raise


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, isolation_level=None, check_same_thread=False)


def _check_format(connection: sqlite3.Connection, folder: Path) -> None:
    """Before anything is written: a file that is not ours stays as it is."""
    found: object
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        empty = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
            raise
        found, empty = "unknown", False
    if found != FORMAT and not (empty and found == 0):
        raise fail("cluster-folder", folder=folder, found=found, known=FORMAT)


def _lock(folder: Path) -> int:
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise fail("internal", detail=f"the store in {folder} is open already") from error
    return lock


@contextmanager
def _full_disk_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in _FULL:
            raise fail("disk-full", folder=folder, detail=error) from error
        raise


def _item(row: _Row) -> Item | None:
    key, value, created, revision = row
    return None if value is None else Item(key.decode(), value, created, revision)


def _change(row: _Row) -> Change:
    return Change(row[0].decode(), _item(row))


def _revision(row: _Row) -> int:
    return row[3]
