"""A verb call on the wire: route, channel, headers, one answer. Runners and clients both call through this."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ftl_nb import schema
from ftl_nb.errors import FtlError, VerbError, fail
from ftl_nb.rpc import verb_pb2, workspace_pb2
from ftl_nb.rpc.channels import Channels
from ftl_nb.rpc.cutting import cuttable
from ftl_nb.rpc.failures import from_rpc_error
from ftl_nb.rpc.headers import CallContext
from ftl_nb.rpc.hints import near
from ftl_nb.rpc.services import DatabaseService, VerbService
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.types import Metadata, UnaryCall
from ftl_nb.rpc.view import Route, SchemaView
from ftl_nb.rpc.wire import BODY_LIMIT
from ftl_nb.schema import schema_pb2

if TYPE_CHECKING:
    from ftl_nb.rpc.types import Channel

ARROW: Metadata = (("ftl-accept", "arrow"),)
_REROUTE_SECONDS = 10.0
_AGAIN_SECONDS = 0.25
_MOVED = ("runner-moved", "runner-away")

Answer = TypeVar("Answer")
Call = UnaryCall[verb_pb2.CallRequest, verb_pb2.CallResponse]


class Caller:
    """Calls verbs at the address that the schema gives. `extra` headers go with every call.

    `wake(module)` is asked for a module whose processes are not up.
    """

    def __init__(
        self,
        view: SchemaView,
        channels: Channels,
        extra: Metadata = (),
        wake: Callable[[str], None] = lambda module: None,
    ) -> None:
        self.view = view
        self.extra = extra
        self._wake = wake
        self._channels = channels
        self._stubs: dict[Channel, Call] = {}

    def call(
        self, verb: str, body: bytes, context: CallContext, *, timeout: float | None = None, arrow: bool = False
    ) -> verb_pb2.CallResponse:
        """The answer of `module.verb`: its body, what it and those it called wrote, how many events they recorded.

        Raises FtlError: what the verb raised, or what went wrong on the way.
        """
        if len(body) > BODY_LIMIT:
            raise fail("body-too-large", verb=verb, size=len(body), limit=BODY_LIMIT)
        module, _, name = verb.partition(".")
        request = verb_pb2.CallRequest(verb=schema_pb2.Ref(module=module, name=name), body=body)
        metadata = context.to_metadata() + self.extra + (ARROW if arrow else ())
        response = self._send(verb, request, metadata, timeout)
        if response.HasField("error"):
            raise raised(verb, response.error, tuple(response.output))
        return response

    def _send(
        self, verb: str, request: verb_pb2.CallRequest, metadata: Metadata, timeout: float | None
    ) -> verb_pb2.CallResponse:
        return self.routed(
            verb,
            lambda route: self._stub(route)(request, timeout=timeout, metadata=metadata),
            timeout=timeout,
            size=len(request.body),
        )

    def routed(
        self, verb: str, ask: Callable[[Route], Answer], *, timeout: float | None = None, size: int | None = None
    ) -> Answer:
        """What `ask` gets at the route of a verb. Raises FtlError.

        It is asked again where the callee had moved away or was not reached, so that it never took the call. `timeout`,
        in seconds, and `size`, of the request in bytes, are those of the call.
        """
        return self._routed(verb, verb, self.view.route(verb) or self._missing(verb), ask, timeout, size)

    def _routed(
        self,
        key: str,
        verb: str,
        route: Route,
        ask: Callable[[Route], Answer],
        timeout: float | None,
        size: int | None = None,
    ) -> Answer:
        until = 0.0
        while True:
            try:
                return ask(route)
            except grpc.RpcError as e:
                error = from_rpc_error(e, verb, seconds=timeout, size=size)
            except KeyboardInterrupt:
                # The lines below this one are gRPC's own, dozens of them.
                raise KeyboardInterrupt(f"the call of {verb} was interrupted") from None
            if error.slug == "runner-lost":
                # The channel may not have noticed yet: the next call must not be taken for one that was under way.
                self._forget(self._channels.leave(route.endpoint, route.callee))
            if error.slug not in _MOVED:
                raise error
            until = until or _give_up(timeout)
            route = self._elsewhere(key, route, error, until)

    def _elsewhere(self, key: str, route: Route, error: FtlError, until: float) -> Route:
        """Another route; or the same once more, where only the connection failed: on a busy machine a handshake may."""
        left = until - time.monotonic()
        again = error.slug == "runner-away" and left > 0
        found = self.view.other_route(key, route, min(left, _AGAIN_SECONDS) if again else max(left, 0.0))
        if found is not None:
            self._forget(self._channels.outgrow(route.endpoint, route.callee))
            return found
        if again:
            return route
        raise error

    def channel(self, route: Route) -> Channel:
        """The channel to a callee."""
        return self._channels.to(route.endpoint, route.callee)

    def _stub(self, route: Route) -> Call:
        channel = self.channel(route)
        stub = self._stubs.get(channel)
        if stub is None:
            stub = self._stubs[channel] = cuttable(VerbService.call.on(channel))
        return stub

    def _forget(self, closed: list[Channel]) -> None:
        for channel in closed:
            self._stubs.pop(channel, None)

    def _missing(self, verb: str) -> Route:
        """A verb that the schema has but nothing serves yet is waited for; one that it lacks is an error."""
        module, _, name = verb.partition(".")
        found = self.view.module(module)
        if found is None:
            known = ", ".join(sorted(m.name for m in self.view.modules)) or "none"
            raise fail("use-before-deploy", module=module, known=known)
        if not any(d.name == name for d in found.decls):
            raise fail("unknown-verb", verb=verb, near=near(name, _verbs(found)))
        self._wake(module)
        route = self.view.other_route(verb, None, _REROUTE_SECONDS)
        if route is None:
            raise fail("runner-away", module=module, verb=verb)
        return route

    def statement(
        self, module: str, database: str, request: workspace_pb2.StatementRequest, context: CallContext
    ) -> workspace_pb2.StatementResponse:
        """SQL in the database's own runner."""
        key = f"{module}/{database}"
        route = self.view.database(module, database) or self.view.other_route(key, None, _REROUTE_SECONDS)
        if route is None:
            raise fail("runner-away", module=f"the database {module}.{database}", verb=key)
        timeout, metadata = context.timeout(), (*context.to_metadata(), *self.extra)

        def ask(at: Route) -> workspace_pb2.StatementResponse:
            stub = cuttable(DatabaseService.statement.on(self.channel(at)))
            return stub(request, timeout=timeout, metadata=metadata)

        return self._routed(key, f"{module}.{database}", route, ask, timeout)


def _verbs(module: schema.Module) -> list[str]:
    return [d.name for d in module.decls if isinstance(d, schema.Verb)]


def _give_up(timeout: float | None) -> float:
    """When to stop looking for a callee, on the monotonic clock."""
    return time.monotonic() + (_REROUTE_SECONDS if timeout is None else min(timeout, _REROUTE_SECONDS))


def raised(
    verb: str, error: verb_pb2.CallResponse.Error, output: tuple[verb_pb2.CallResponse.Output, ...] = ()
) -> FtlError:
    """The error that a callee answered, with what was written before it."""
    import json

    if error.detail:
        made = FtlError.from_dict(json.loads(error.detail))
    else:
        made = VerbError("verb-raised", f"{verb}: {error.message}")
        made.remote = error.stack
    made.output = output
    return made
