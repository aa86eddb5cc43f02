"""A client's session with its cluster: joined on first use, calls straight to runners, control through Admin alone."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import Message

from ftl_nb import schema
from ftl_nb.binding import dispatch
from ftl_nb.binding.dispatch import CallOptions, Dispatcher, Held
from ftl_nb.binding.finder import install_finder
from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.binding.verbs import Verb
from ftl_nb.client.live import Lines, Live
from ftl_nb.client.mirror import Mirror
from ftl_nb.cluster import Lifeline, Project
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import (
    CallContext,
    Channels,
    Credentials,
    Identity,
    RequestKey,
    admin_pb2,
    from_control_error,
    schemaservice_pb2,
    timeline_pb2,
    verb_pb2,
    workspace_pb2,
)
from ftl_nb.rpc.calls import Caller
from ftl_nb.rpc.cutting import together
from ftl_nb.rpc.failures import unconnected
from ftl_nb.rpc.services import AdminService, TimelineService, Unary, WorkspaceService
from ftl_nb.rpc.streaming import Incoming, open_stream
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.view import SchemaView

Res = TypeVar("Res", bound=Message)
Output = Iterable[verb_pb2.CallResponse.Output]
_SYNC_SECONDS = 10.0
_CONNECT_SECONDS, _AGAIN_SECONDS = 10.0, 0.05
#: Of a call, that are there when it begins to be followed.
_LINES = 10_000
#: The caller is told before the callee has recorded the call.
_STILL_RECORDED = ("deadline", "cancelled")


@dataclass(frozen=True, slots=True)
class Defined:
    """What became of a cell: its status, label, what changed, and the names that its module now has of it."""

    status: str
    label: str
    changes: tuple[workspace_pb2.Change, ...]
    notes: tuple[str, ...]
    deployed: tuple[str, ...]
    source: ModuleSource | None


@dataclass(slots=True)
class LastCall:
    """The request that the newest call began, how many events it put on the timeline, and what kept it from any."""

    request_key: str = ""
    recorded: int = 0
    refusal: str = ""


class Session:
    """Connected to one cluster. `owner` is what this client calls itself: a notebook's path, a script's name.

    `mirror` outlives a session: what this process has executed of the modules stays when their cluster ends.
    """

    def __init__(
        self, project: Project, lifeline: Lifeline, client_id: str, owner: str, mirror: Mirror | None = None
    ) -> None:
        self.project = project
        self.owner = owner
        self.last = LastCall()
        self.mirror = mirror or Mirror()
        self.show: Callable[[Output], None] = lambda output: None
        self._lifeline = lifeline
        welcome = self._lifeline.welcome
        self.realm = welcome.realm
        self._credentials = Credentials(welcome.leaf)
        self._renew_at = welcome.leaf.renew_at.timestamp()
        self._channels = Channels(self._credentials)
        self._admin = welcome.admin
        self.view = SchemaView(self.realm)
        self._lifeline.on_end(self.view.stop)
        self._live = Live(self._follow_lines, lambda output: self.show(output))
        self._caller = Caller(self.view, self._channels, wake=self._wake)
        self.view.on_change(self._on_change)
        pull = schemaservice_pb2.PullSchemaRequest(subscription_id=client_id)
        self.view.follow(lambda: iter(AdminService.pull_schema.on(self._control())(pull)))
        self.view.wait_for_sync(_SYNC_SECONDS)
        install_finder(self)

    # --- life ----------------------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether the cluster still holds the other end of this session."""
        return self._lifeline.alive()

    @property
    def supervisor(self) -> int:
        """The process id of the cluster's supervisor."""
        return self._lifeline.welcome.supervisor

    def close(self) -> None:
        """Leaves the cluster, which ends when this was its last client."""
        self.view.stop()
        self._live.close()
        self._channels.close()
        self._lifeline.close()

    def shut_down(self) -> None:
        """Ends the whole cluster; what is deployed stays in its store."""
        self.view.stop()
        self._live.close()
        self._channels.close()
        self._lifeline.shut_down()

    def _successor(self) -> Dispatcher | None:
        """The session that stands in for this one where its cluster has gone: the next use starts it again."""
        if self.alive:
            if self._renew_at < time.time():
                self._renew()
            return None
        dispatch.install(None)
        return dispatch.connected()

    def _renew(self) -> None:
        self._credentials.replace(self._lifeline.renew())
        self._renew_at = self._credentials.leaf.renew_at.timestamp()

    def _known(self, error: FtlError) -> FtlError:
        """The error of a call, or that the whole cluster went while it ran."""
        return error if self.alive else fail("cluster-gone", detail="it ended during the call")

    def _control(self) -> Any:
        if self._renew_at < time.time():
            self._renew()
        return self._channels.to(self._admin, Identity.service("control", self.realm))

    def ask(self, method: Unary[Any, Res], request: Message, timeout: float | None = None) -> Res:
        """One control call. Raises FtlError.

        While the cluster lives a connection that fails is one of a busy machine: the call was not taken, and is made
        again.
        """
        until, pause = time.monotonic() + _CONNECT_SECONDS, threading.Event()
        while True:
            try:
                return method.on(self._control())(request, timeout=timeout)
            except grpc.RpcError as e:
                if not (unconnected(e) and self.alive and time.monotonic() < until):
                    raise from_control_error(e) from None
            pause.wait(_AGAIN_SECONDS)

    def _move(self, method: Unary[Any, Res], request: Message) -> Res:
        """The call of a change. Who interrupts it does not end it, and is told where to look. Raises FtlError."""
        try:
            return self.ask(method, request)
        except KeyboardInterrupt:
            # The lines below this one are gRPC's own, dozens of them.
            raise KeyboardInterrupt("the change goes on; %ftl changesets says what becomes of it") from None

    def query_timeline(self, sql: str) -> bytes:
        """The rows of a SELECT over the timeline, as an Arrow IPC stream. Raises FtlError `timeline-query`."""
        request = timeline_pb2.QueryEventsRequest(sql=sql)
        try:
            return b"".join(piece.arrow for piece in TimelineService.query_events.on(self._control())(request))
        except grpc.RpcError as e:
            raise from_control_error(e) from None

    # --- modules -------------------------------------------------------------------------------------------------

    def define(
        self, module: str, cell: Cell, *, keep: bool = False, dry_run: bool = False, stage: bool = False
    ) -> Defined:
        """Puts a cell into its module and moves the system. Raises FtlError; then nothing has moved."""
        request = workspace_pb2.DefineRequest(
            module=module, cell=cell_message(cell), owner=self.owner, keep=keep, dry_run=dry_run, stage=stage
        )
        response = self._move(WorkspaceService.define, request)
        source = self._take(response.deployed, module)
        names = tuple(d.schema.name for d in response.deployed)
        return Defined(response.status, response.label, tuple(response.changes), tuple(response.notes), names, source)

    def apply(self, *, force: bool = False) -> workspace_pb2.ApplyResponse:
        """Moves all that this client has staged, or that is pending of it. Raises FtlError; then nothing has moved."""
        response = self._move(WorkspaceService.apply, workspace_pb2.ApplyRequest(owner=self.owner, force=force))
        for deployed in response.deployed:
            self._take([deployed], deployed.schema.name)
        return response

    def revert(self, changeset: str = "", *, force: bool = False) -> workspace_pb2.RevertResponse:
        """Takes a changeset back, the newest without a key. Raises FtlError; then nothing has moved."""
        request = workspace_pb2.RevertRequest(changeset=changeset, owner=self.owner, force=force)
        response = self._move(WorkspaceService.revert, request)
        self._take(response.deployed, "")
        self.view.update((), response.removed)
        return response

    def _take(self, deployed: Iterable[workspace_pb2.Deployed], own: str) -> ModuleSource | None:
        """What was deployed is seen here before the schema stream tells it; the own module's text is executed."""
        found = None
        modules = []
        for one in deployed:
            decls, source = schema.from_proto(one.schema), source_of(one.source)
            modules.append(decls)
            if source.name == own or self.mirror.has_text(source.name):
                self.mirror.take_text(decls, source)
            if source.name == own:
                found = source
        self.view.update(modules)
        return found

    def _on_change(self, names: frozenset[str]) -> None:
        for name in names:
            decls = self.view.module(name)
            if decls is None:
                self.mirror.drop(name)
            else:
                self.mirror.take_schema(decls)

    def module(self, name: str) -> schema.Module | None:
        """A module of the system, asked for where the schema stream has not told of it yet."""
        if self.view.module(name) is None:
            self._wake(name)
        return self.view.module(name)

    @property
    def modules(self) -> tuple[schema.Module, ...]:
        """The modules of the system, as far as they are known here."""
        return self.view.modules

    def _wake(self, module: str) -> None:
        response = self.ask(WorkspaceService.module, workspace_pb2.ModuleRequest(module=module))
        if response.HasField("deployed"):
            self.view.update([schema.from_proto(response.deployed.schema)])

    # --- calls ---------------------------------------------------------------------------------------------------

    def call(self, module: str, verb: str, body: bytes, options: CallOptions) -> bytes:
        """One call from here: a new request, whose output is shown as it comes back."""
        successor = self._successor()
        if successor is not None:
            return successor.call(module, verb, body, options)
        context = CallContext.start(RequestKey.text_of_new("ingress", "notebook"))
        last = self.last = LastCall(context.request_key)
        output: Output = ()
        live = self._live.begin(context.request_key)
        try:
            answer = self._caller.call(f"{module}.{verb}", body, context, timeout=options.timeout, arrow=options.arrow)
            last.recorded, output = answer.recorded, answer.output
        except FtlError as e:
            last.recorded, output = e.recorded or int(e.slug in _STILL_RECORDED), e.output
            last.refusal = "" if last.recorded else f"{e.code}: {e.message}"
            raise self._known(e) from None
        finally:
            output = self._live.end(live, output)
            if output:
                self.show(output)
        return answer.body

    def stream(self, verb: Verb, request: Any, options: CallOptions) -> Any:
        """The same for a verb that has a stream: its output is shown when the stream has ended."""
        successor = self._successor()
        if successor is not None:
            return successor.stream(verb, request, options)
        from ftl_nb.streams.calling import call_verb

        context = CallContext.start(RequestKey.text_of_new("ingress", "notebook"))
        last = self.last = LastCall(context.request_key)

        def open_(body: bytes, source: Iterator[bytes] | None) -> Incoming:
            incoming = open_stream(self._caller, verb.ref, body, source, context, options.timeout)
            last.recorded = 1
            return incoming

        def on_end(incoming: Incoming, error: FtlError | None) -> None:
            answer = incoming.response if error is None else error
            last.recorded = answer.recorded or 1
            self.show(answer.output)

        try:
            return call_verb(verb, self.view.system, request, open_, on_end)
        except FtlError as e:
            last.refusal = "" if last.recorded else f"{e.code}: {e.message}"
            raise self._known(e) from None

    async def stream_async(self, verb: Verb, request: Any, options: CallOptions) -> Any:
        with together():
            context = contextvars.copy_context()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, lambda: context.run(self.stream, verb, request, options))

    def _follow_lines(self, request_key: str) -> Lines:
        """The log lines of a request, those there are and those to come."""
        query = timeline_pb2.TimelineQuery(limit=_LINES)
        query.filters.add().requests.requests.append(request_key)
        lines: Lines = AdminService.stream_logs.on(self._control())(admin_pb2.StreamLogsRequest(query=query))
        return lines

    async def call_async(self, module: str, verb: str, body: bytes, options: CallOptions) -> bytes:
        with together():
            context = contextvars.copy_context()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, lambda: context.run(self.call, module, verb, body, options))

    def statement(self, module: str, database: str, sql: str, parameters: bytes, *, rows: bool) -> tuple[bytes, int]:
        successor = self._successor()
        if successor is not None:
            return successor.statement(module, database, sql, parameters, rows=rows)
        request = workspace_pb2.StatementRequest(sql=sql, parameters=parameters, rows=rows)
        context = CallContext.start(RequestKey.text_of_new("ingress", "notebook"))
        self.last = LastCall(context.request_key, 1)
        response = self._caller.statement(module, database, request, context)
        return response.rows, response.changed

    def config(self, module: str, name: str) -> bytes | None:
        ref = admin_pb2.ConfigRef(module=module, name=name)
        try:
            return self.ask(AdminService.config_get, admin_pb2.ConfigGetRequest(ref=ref)).value
        except FtlError as e:
            if e.slug == "config-missing":
                return None
            raise

    def secret(self, module: str, name: str) -> bytes | None:
        ref = admin_pb2.ConfigRef(module=module, name=name)
        try:
            return self.ask(AdminService.secret_get, admin_pb2.SecretGetRequest(ref=ref)).value
        except FtlError as e:
            if e.slug == "secret-missing":
                return None
            raise

    def lease(self, parts: tuple[str, ...], ttl: float, wait: float, on_lost: Callable[[], None]) -> Held:
        raise fail("lease-invalid", detail="a lease belongs to a module, and this is none: take it in a verb")

    def caller(self) -> str:
        return ""


def cell_message(cell: Cell) -> workspace_pb2.Cell:
    return workspace_pb2.Cell(
        id=cell.id,
        kind=cell.kind,
        label=cell.label,
        text=cell.text,
        options=json.dumps(dict(cell.options)),
        database=cell.database,
        engine=cell.engine,
    )


def source_of(message: workspace_pb2.ModuleSource) -> ModuleSource:
    cells = tuple(
        Cell(c.id, c.kind, c.label, c.text, json.loads(c.options or "{}"), c.database, c.engine)  # type: ignore[arg-type]
        for c in message.cells
    )
    return ModuleSource(message.name, cells)


class Connection:
    """The session of this process: opened on first use, opened anew when its cluster has gone."""

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._session: Session | None = None

    @property
    def open(self) -> Session | None:
        """The session, None while there is none."""
        return self._session

    def session(self) -> Session:
        """The live session. Raises FtlError `cluster-start`."""
        with self._lock:
            if self._session is not None and not self._session.alive:
                self._forget()
            if self._session is None:
                self._session = self._connect()
                dispatch.install(self._session)
            return self._session

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._forget()

    def shut_down(self) -> None:
        """Ends the cluster of the open session, if there is one."""
        with self._lock:
            session, self._session = self._session, None
            dispatch.install(None)
            if session is not None:
                session.shut_down()

    def _forget(self) -> None:
        session, self._session = self._session, None
        dispatch.install(None)
        if session is not None:
            session.close()
