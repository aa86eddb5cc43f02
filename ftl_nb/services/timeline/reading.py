"""Statements of persons over the archive: one that reads, in a transaction that cannot write, with bounds."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ftl_nb.errors import FtlError, fail
from ftl_nb.services.timeline.archive import Archive, ArchiveFailed
from ftl_nb.services.timeline.tables import VIEWS

SECONDS = 30.0
BYTES = 256 * 2**20
_ROWS = 8192


def read(archive: Archive, sql: str, on_cancel: Callable[[Callable[[], None]], object]) -> Iterator[bytes]:
    """The rows as pieces of one Arrow IPC stream. `on_cancel` takes what ends the statement.

    Raises FtlError `timeline-query`.
    """
    with _failing(), _cursor(archive) as cursor:
        _check(cursor, sql)
        watch = threading.Timer(SECONDS, cursor.interrupt)
        watch.daemon = True
        on_cancel(lambda: _interrupt(cursor))
        watch.start()
        try:
            # A statement can hide an INSERT in a WITH: the transaction refuses it.
            cursor.execute("begin transaction read only")
            yield from _pieces(cursor.sql(sql).to_arrow_reader(_ROWS))
        finally:
            watch.cancel()


@contextmanager
def _cursor(archive: Archive) -> Iterator[Any]:
    cursor = archive.cursor()
    try:
        yield cursor
    finally:
        cursor.close()


def _interrupt(cursor: Any) -> None:
    import duckdb

    # A call ends for whoever asked after its statement has, too.
    with suppress(duckdb.Error):
        cursor.interrupt()


def _check(cursor: Any, sql: str) -> None:
    from duckdb import StatementType

    statements = cursor.extract_statements(sql)
    if len(statements) != 1:
        raise _refused(f"It takes one statement, this is {len(statements) or 'none'}")
    if statements[0].type != StatementType.SELECT:
        raise _refused(f"It is only read: {statements[0].type.name} is no SELECT")


def _pieces(reader: Any) -> Iterator[bytes]:
    import pyarrow

    buffer, sent = io.BytesIO(), 0
    with pyarrow.ipc.new_stream(buffer, reader.schema) as writer:
        yield _taken(buffer)
        for batch in reader:
            writer.write_batch(batch)
            piece = _taken(buffer)
            sent += len(piece)
            if sent > BYTES:
                raise _refused(f"The answer has more than {BYTES // 2**20} MiB")
            yield piece
    yield _taken(buffer)


def _taken(buffer: io.BytesIO) -> bytes:
    piece = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return piece


@contextmanager
def _failing() -> Iterator[None]:
    import duckdb
    import pyarrow

    try:
        yield
    except (duckdb.Error, pyarrow.ArrowException, ArchiveFailed, OSError) as e:
        # Arrow tells what DuckDB says on the way as errors of its own.
        raise _refused(_sentence(str(e))) from e


def _sentence(text: str) -> str:
    """DuckDB's first line, with the names that it thinks were meant."""
    if text.startswith("INTERRUPT"):
        return f"The statement took longer than {SECONDS:g} s"
    if text.startswith("Out of Memory"):
        return "The statement needs more memory than the timeline gives"
    told = [line.strip() for line in text.strip().split("\n") if line.strip() and not line.startswith("LINE")]
    meant = [line for line in told[1:] if line.startswith(("Did you mean", "Candidate bindings"))]
    return " ".join([told[0] if told else "it failed", *meant[:1]]).rstrip(".")


def _refused(detail: str) -> FtlError:
    return fail("timeline-query", detail=detail, tables=", ".join(VIEWS))
