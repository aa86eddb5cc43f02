"""Blocking calls that another thread can end.

gRPC's blocking call is the fast one, and the only one that nobody can cancel: the thread that could is inside it. The
call itself is made by the channel object below the stub, so that is where it is picked up. Where a version of gRPC has
none there, calls are as they were: they end when their callee answers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, TypeVar, cast

from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.types import Metadata

Stub = TypeVar("Stub")


class InFlight:
    """The outgoing calls of one piece of work, and so of the one that it is part of. Thread-safe."""

    __slots__ = ("_calls", "_ended", "_whole")

    def __init__(self, whole: InFlight | None = None) -> None:
        self._calls: set[Any] = set()
        self._whole = whole
        self._ended = False

    def add(self, call: Any) -> None:
        self._calls.add(call)
        if self._whole is not None:
            self._whole.add(call)
        if self._ended:
            _cancel(call)

    def discard(self, call: Any) -> None:
        self._calls.discard(call)
        if self._whole is not None:
            self._whole.discard(call)

    def cut(self) -> None:
        """Ends what is in flight: each call fails as cancelled, and its callee is told."""
        for call in tuple(self._calls):
            _cancel(call)

    def end(self) -> None:
        """The same, and for every call that is begun later."""
        self._ended = True
        self.cut()


def _cancel(call: Any) -> None:
    call.cancel(grpc.StatusCode.CANCELLED.value[0], "what it was for was cancelled")


#: What calls that are made here belong to; None outside any.
flight: ContextVar[InFlight | None] = ContextVar("ftl_flight", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Calls that are begun within, in contexts copied there too, end when the block is left by an exception."""
    made = InFlight(flight.get())
    token = flight.set(made)
    try:
        yield
    except BaseException:
        made.end()
        raise
    finally:
        flight.reset(token)


class _Blocking:
    """A unary stub whose calls are made here, on the channel object below it.

    A call that succeeds takes the short way, without the state that gRPC keeps for those who ask for more than the
    answer; one that fails raises gRPC's own error.
    """

    __slots__ = ("_inner", "_stub")

    def __init__(self, stub: Any, inner: Any) -> None:
        self._stub = stub
        self._inner = inner

    def __call__(self, request: Any, timeout: float | None = None, metadata: Metadata | None = None) -> Any:
        stub, cy = self._stub, self._inner.cygrpc
        operations = (
            cy.SendInitialMetadataOperation(metadata, 0),
            cy.SendMessageOperation(stub._request_serializer(request), 0),
            cy.SendCloseFromClientOperation(0),
            cy.ReceiveInitialMetadataOperation(0),
            cy.ReceiveMessageOperation(0),
            cy.ReceiveStatusOnClientOperation(0),
        )
        call = stub._channel.segregated_call(
            cy.PropagationConstants.GRPC_PROPAGATE_DEFAULTS,
            stub._method,
            None,
            self._inner._determine_deadline(None if timeout is None else time.time() + timeout),
            metadata,
            None,
            ((operations, None),),
            stub._context,
            stub._registered_call_handle,
        )
        here = flight.get()
        if here is None:
            return self._answer(call.next_event())
        here.add(call)
        try:
            return self._answer(call.next_event())
        finally:
            here.discard(call)

    def _answer(self, event: Any) -> Any:
        *_, message, status = event.batch_operations
        if status.code() == 0:
            return self._stub._response_deserializer(message.message())
        code = next((c for c in grpc.StatusCode if c.value[0] == status.code()), grpc.StatusCode.UNKNOWN)
        state = self._inner._RPCState((), (), status.trailing_metadata(), code, status.details())
        state.debug_error_string = status.error_string()
        raise self._inner._InactiveRpcError(state)


#: What is used of gRPC's own module; a version that lacks any of it gets plain stubs.
_USED = ("cygrpc", "_RPCState", "_InactiveRpcError", "_determine_deadline")


def cuttable(stub: Stub) -> Stub:
    """The stub; its blocking calls belong to the `flight` that they are made in."""
    made: Any = stub
    inner: Any = import_module("grpc._channel")
    if not hasattr(getattr(made, "_channel", None), "segregated_call") or not all(hasattr(inner, n) for n in _USED):
        return stub
    return cast("Stub", _Blocking(made, inner))
