"""Running statements on a generation: SQL verbs, raw statements, and results as Arrow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import duckdb

from ftl_nb.binding.rows import decode_parameters, encode_rows
from ftl_nb.databases.call import Call
from ftl_nb.databases.duckdb.compiled import NOTHING, CompiledQuery
from ftl_nb.databases.duckdb.faults import run_error
from ftl_nb.databases.duckdb.generation import Generation
from ftl_nb.databases.duckdb.types import read_type, scalar_text
from ftl_nb.databases.duckdb.values import to_json
from ftl_nb.databases.model import PreparedQuery
from ftl_nb.databases.scanner import respell
from ftl_nb.errors import FtlError, fail

T = TypeVar("T")

_READS = ("SELECT", "EXPLAIN")
BATCH_ROWS = 65536


def answer(generation: Generation, query: PreparedQuery, body: bytes, call: Call | None) -> bytes:
    """The JSON answer of a SQL verb, by its command."""
    compiled = generation.compiled(query)
    parameters = compiled.parameters(body)
    first = query.command == "one" and not query.writes

    def run(cursor: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
        cursor.execute(compiled.statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchmany(2) if first else cursor.fetchall()
        return rows

    rows = _guarded(generation, run, compiled.verb, call)
    if first and len(rows) > 1:
        generation.drop_cursor()  # the rows that nobody wants would keep their snapshot
    return _answered(compiled, rows)


def _answered(compiled: CompiledQuery, rows: list[tuple[Any, ...]]) -> bytes:
    match compiled.query.command:
        case "one":
            return compiled.one(rows[0] if rows else None)
        case "many":
            return compiled.many(rows)
        case "execrows":
            return b"%d" % (len(rows) if compiled.query.columns else rows[0][0])
    return NOTHING


def arrow(generation: Generation, query: PreparedQuery, body: bytes, call: Call | None) -> bytes:
    """The result as one Arrow IPC stream; columns have the names of the query's text and DuckDB's own Arrow types."""
    import pyarrow as pa

    compiled = generation.compiled(query)
    parameters = compiled.parameters(body)

    def run(cursor: duckdb.DuckDBPyConnection) -> bytes:
        reader = cursor.sql(query.sql, params=parameters or None).to_arrow_reader(BATCH_ROWS)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        return bytes(sink.getvalue())

    return _guarded(generation, run, compiled.verb, call)


class RawStatement:
    """One statement of a raw handle with its parameters. All errors are `sql-failed`."""

    def __init__(self, generation: Generation, sql: str, body: bytes) -> None:
        self.handle = generation.database
        self._parameters = self._read_parameters(body)
        statements = self._extract(generation.cursor(), respell(sql, lambda name: f"${name}"))
        if len(statements) != 1:
            raise self._failed(f"one statement is expected, not {len(statements)}")
        self._statement = statements[0]
        self.kind = str(self._statement.type.name)

    @property
    def writes(self) -> bool:
        return self.kind not in _READS

    def rows(self, generation: Generation, call: Call | None) -> bytes:
        """Names, schema types and values of the result, as `rows.encode_rows`."""
        rows, described = self._run(generation, call)
        natives = [read_type(column[1]) for column in described]
        converters = [to_json(native, rename=False) for native in natives]
        try:
            values = [
                [v if v is None or c is None else c(v) for v, c in zip(row, converters, strict=True)] for row in rows
            ]
        except ValueError as error:
            raise self._failed(str(error)) from None
        return encode_rows([str(c[0]) for c in described], [scalar_text(native) for native in natives], values)

    def affected(self, generation: Generation, call: Call | None) -> int:
        """The number of changed rows; 0 for a statement that changes none."""
        rows, described = self._run(generation, call)
        if not self.writes:
            return 0
        return int(rows[0][0]) if rows and [column[0] for column in described] == ["Count"] else len(rows)

    def _run(self, generation: Generation, call: Call | None) -> tuple[list[tuple[Any, ...]], list[Any]]:
        def run(cursor: duckdb.DuckDBPyConnection) -> tuple[list[tuple[Any, ...]], list[Any]]:
            cursor.execute(self._statement, self._parameters)
            described = cursor.description or []
            return cursor.fetchall() if described else [], described

        return _guarded(generation, run, self.handle, call)

    def _read_parameters(self, body: bytes) -> dict[str, Any] | list[Any] | None:
        try:
            return decode_parameters(body) or None
        except ValueError as error:
            raise self._failed(f"the parameters are not readable: {error}") from None

    def _extract(self, cursor: duckdb.DuckDBPyConnection, sql: str) -> list[Any]:
        try:
            return list(cursor.extract_statements(sql))
        except duckdb.Error as error:
            raise run_error(error, self.handle) from None

    def _failed(self, detail: str) -> FtlError:
        return fail("sql-failed", verb=self.handle, detail=detail)


Run = Callable[[duckdb.DuckDBPyConnection], T]


def _guarded(generation: Generation, run: Run[T], verb: str, call: Call | None) -> T:
    """Runs a statement so that the end of its call interrupts it and the engine's errors are ours."""
    try:
        return _interruptible(generation.cursor(), run, verb, call)
    except duckdb.FatalException as error:
        generation.revive()
        if "invalidated" not in str(error):
            raise run_error(error, verb) from None
    except duckdb.InterruptException:
        raise _stopped(call, verb) from None
    except duckdb.Error as error:
        raise run_error(error, verb) from None
    # an earlier statement had taken the file down; this one has not run yet
    return _guarded(generation, run, verb, call)


def _interruptible(cursor: duckdb.DuckDBPyConnection, run: Run[T], verb: str, call: Call | None) -> T:
    if call is None:
        return run(cursor)
    if call.cancelled or call.expired:
        raise _stopped(call, verb)
    call.begin(cursor.interrupt)
    try:
        return run(cursor)
    finally:
        call.end()


def _stopped(call: Call | None, verb: str) -> FtlError:
    if call is not None and call.expired and not call.cancelled:
        return fail("deadline", verb=verb, seconds=f"{call.timeout:g}", name=verb.rpartition(".")[2])
    return fail("cancelled", verb=verb)
