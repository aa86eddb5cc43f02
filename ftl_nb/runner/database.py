"""The process of one database, as the zygote forks it: it alone opens the files, and answers the queries as verbs."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftl_nb import schema
from ftl_nb.databases import DatabaseSource, PreparedQuery, engine, split
from ftl_nb.databases.call import Call
from ftl_nb.databases.duckdb.database import Candidate, DuckDBDatabase
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import CallContext, Context, ftl_pb2, handlers, peer, serve, verb_pb2, workspace_pb2
from ftl_nb.rpc.hints import near
from ftl_nb.rpc.services import DatabaseService, Served, VerbService
from ftl_nb.runner.process import Process, settle, wait_forever
from ftl_nb.runner.reporter import CallRecord, Reporter
from ftl_nb.runner.service import call_context, error_answer, time_left

THREADS = 32
CANDIDATE = "ftl-candidate"


def run(spec: dict[str, Any]) -> None:
    """Opens the database, serves it, registers it, and waits; what goes wrong on the way is registered instead."""
    process = Process(spec)
    try:
        service = DatabaseServer(process, spec)
    except FtlError as e:
        process.give_up(e)
        return
    settle()
    server = serve(handlers(*service.served()), process.credentials, THREADS)
    process.register(server.endpoint, schema.Module(spec["module"]))
    process.follow()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        wait_forever()
    finally:
        service.close()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a set of cells says of the database: its declarations, its queries by verb, its migrations."""

    source: DatabaseSource
    decls: tuple[schema.Decl, ...]
    queries: dict[str, PreparedQuery]


class DatabaseServer:
    """Queries of the live version, and of a candidate while a deployment is tried."""

    def __init__(self, process: Process, spec: dict[str, Any]) -> None:
        self._module: str = spec["module"]
        self._name: str = spec["database"]
        self._reporter: Reporter = process.reporter(self._module)
        handle = f"{self._module}.{self._name}"
        self._database = DuckDBDatabase(Path(spec["files"]), handle, spec["generation"], spec["prepared"])
        self._prepared: int = spec["prepared"]
        cells = [workspace_pb2.SqlCell.FromString(raw) for raw in spec["cells"]]
        self._live = self._load(cells) if cells else None
        self._next: Loaded | None = None
        self._candidate: Candidate | None = None
        self._changing = threading.Lock()

    def _load(self, cells: Iterable[workspace_pb2.SqlCell]) -> Loaded:
        parts = [split(c.text, c.filename, c.version) for c in cells]
        migrations = sorted((p.migration for p in parts if p.migration is not None), key=lambda m: m.version)
        queries = tuple(q for p in parts for q in p.queries)
        name = next((c.engine for c in cells if c.engine), "duckdb")
        source = DatabaseSource(self._module, self._name, name, tuple(migrations), queries)
        analysis = engine(name).analyse(source)
        return Loaded(source, tuple(analysis.decls), {q.verb: q for q in analysis.queries})

    # --- what the control plane asks -----------------------------------------------------------------------------

    def describe(self, request: workspace_pb2.DescribeRequest, context: Context) -> workspace_pb2.DescribeResponse:
        loaded = self._load(request.cells)
        return workspace_pb2.DescribeResponse(module=schema.to_proto(schema.Module(self._module, loaded.decls)))

    def prepare(self, request: workspace_pb2.PrepareRequest, context: Context) -> workspace_pb2.PrepareResponse:
        with self._changing:
            loaded = self._load(request.cells)
            candidate = self._database.prepare(loaded.source.migrations, isolated=request.isolated)
            if candidate.kind == "changed" and request.keep:
                candidate.rollback()
                raise fail("migration-changed", database=f"{self._module}.{self._name}")
            self._candidate, self._next = candidate, loaded
        lost = [workspace_pb2.LostRows(table=t, rows=n) for t, n in sorted(candidate.rows_gone.items())]
        return workspace_pb2.PrepareResponse(
            plan=candidate.kind, lost=lost, applied=candidate.pending, generation=candidate.number
        )

    def commit(self, request: workspace_pb2.CommitRequest, context: Context) -> workspace_pb2.CommitResponse:
        """What was prepared serves, also where that was done by a process that died since."""
        with self._changing:
            if self._candidate is not None:
                self._candidate.commit()
                self._live, self._candidate, self._next = self._next, None, None
            elif request.generation:
                self._database.take(request.generation)
                self._live, self._prepared = self._load(request.cells), 0
        return workspace_pb2.CommitResponse()

    def roll_back(self, request: workspace_pb2.RollbackRequest, context: Context) -> workspace_pb2.RollbackResponse:
        with self._changing:
            if self._candidate is not None:
                self._candidate.rollback()
            elif self._prepared:
                self._database.drop(self._prepared)
            self._candidate, self._next, self._prepared = None, None, 0
        return workspace_pb2.RollbackResponse()

    # --- what verbs ask ------------------------------------------------------------------------------------------

    def call(self, request: verb_pb2.CallRequest, context: Context) -> verb_pb2.CallResponse:
        """One query as a verb."""
        headers = dict(context.invocation_metadata())
        database, loaded = self._chosen(headers)
        query = loaded.queries.get(request.verb.name) if loaded is not None else None
        verb = f"{self._module}.{request.verb.name}"
        if query is None:
            raise fail("unknown-verb", verb=verb, near=near(request.verb.name, list(loaded.queries if loaded else ())))
        run = database.arrow if headers.get("ftl-accept") == "arrow" else database.execute
        body = request.body
        return self._record(verb, body, context, lambda call: run(query, body, call))

    def statement(self, request: workspace_pb2.StatementRequest, context: Context) -> workspace_pb2.StatementResponse:
        """One raw statement of the own module's code, or of a client."""
        self._check_own(context)
        database, _ = self._chosen(dict(context.invocation_metadata()))
        call = _call_of(context)
        response = workspace_pb2.StatementResponse()
        name, started, clock = f"{self._module}.{self._name}", time.time(), time.perf_counter()
        error: FtlError | None = None
        try:
            if request.rows:
                response.rows = database.query_sql(request.sql, request.parameters, call)
            else:
                response.changed = database.execute_sql(request.sql, request.parameters, call)
        except FtlError as e:
            error = e
            e.recorded = 1
            raise
        finally:
            answer = response.rows or str(response.changed).encode()
            took = time.perf_counter() - clock
            body = request.sql.encode()
            self._reporter.add(CallRecord(name, "sql", call_context(context), started, took, body, answer, error))
        return response

    def _check_own(self, context: Context) -> None:
        identity = peer(context)
        if identity.kind == "module" and identity.names[0] != self._module:
            raise fail("peer-refused", detail=f"{identity.path} is not the module of the database {self._name}")

    def _chosen(self, headers: dict[str, Any]) -> tuple[DuckDBDatabase | Candidate, Loaded | None]:
        """A candidate's runner sees the candidate, everybody else what is live."""
        if CANDIDATE in headers and self._candidate is not None:
            return self._candidate, self._next
        if CANDIDATE in headers and self._prepared:
            # The process that had the candidate open has died: what it is asked for now cannot be answered by it.
            raise fail("runner-lost", module=f"{self._module}.{self._name}", verb="a candidate's query")
        return self._database, self._live

    def _record(self, verb: str, body: bytes, context: Context, run: Callable[[Call], bytes]) -> verb_pb2.CallResponse:
        started, clock = time.time(), time.perf_counter()
        answer, error = b"", None
        made: CallContext = call_context(context)
        try:
            answer = run(_call_of(context))
        except FtlError as e:
            error = e
        took = time.perf_counter() - clock
        shown = answer if answer[:1] in (b"{", b"[", b'"') or len(answer) < 64 else b'"(Arrow)"'
        self._reporter.add(CallRecord(verb, "sql", made, started, took, body, shown, error))
        if error is not None:
            return error_answer(error, (), 1)
        return verb_pb2.CallResponse(body=answer, recorded=1)

    def close(self) -> None:
        """Closes the files."""
        self._database.close()

    def ping(self, request: ftl_pb2.PingRequest, context: Context) -> ftl_pb2.PingResponse:
        return ftl_pb2.PingResponse()

    def served(self) -> tuple[Served, ...]:
        return (
            VerbService.ping.served_by(self.ping),
            VerbService.call.served_by(self.call),
            DatabaseService.ping.served_by(self.ping),
            DatabaseService.describe.served_by(self.describe),
            DatabaseService.prepare.served_by(self.prepare),
            DatabaseService.commit.served_by(self.commit),
            DatabaseService.rollback.served_by(self.roll_back),
            DatabaseService.statement.served_by(self.statement),
        )


def _call_of(context: Context) -> Call:
    """The call's deadline, and its end when the caller goes."""
    call = Call(time_left(context))
    context.add_callback(lambda: None if context.is_active() else call.cancel())
    return call
