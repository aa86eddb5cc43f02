"""The caller's end of a stream: opened at the callee's runner, written by gRPC's thread, read by the caller's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import TYPE_CHECKING

from ftl_nb.errors import fail
from ftl_nb.rpc import frames, verb_pb2
from ftl_nb.rpc.calls import Caller, raised
from ftl_nb.rpc.cutting import flight
from ftl_nb.rpc.failures import from_rpc_error
from ftl_nb.rpc.headers import CallContext
from ftl_nb.rpc.services import StreamService
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.view import Route
from ftl_nb.schema import schema_pb2

if TYPE_CHECKING:
    from ftl_nb.rpc.types import Frames


class Outgoing:
    """What a caller sends: the opening, and, once the callee has taken it, the frames of `source`.

    gRPC iterates in a thread of its own, in the context of whoever made this. What `source` raises ends the call, and
    is kept as `error` for the one who reads the answer.
    """

    def __init__(self, opening: bytes, source: Iterator[bytes] | None) -> None:
        self.error: BaseException | None = None
        self._opening = opening
        self._source = source
        self._context = copy_context()
        self._decided = threading.Event()
        self._taken = False
        #: Nobody reads it any more.
        self.over = False
        self._on_error: Callable[[], object] = lambda: None

    def begin(self, on_error: Callable[[], object]) -> None:
        """The callee has taken the opening; `on_error` ends the call."""
        self._on_error, self._taken = on_error, True
        self._decided.set()

    def end(self) -> None:
        """The call has ended."""
        self.over = True

    def give_up(self) -> None:
        """It was not taken: nothing of `source` is asked for."""
        self._decided.set()

    def __iter__(self) -> Iterator[bytes]:
        yield self._opening
        if self._source is None:
            return
        self._decided.wait()
        if not self._taken:
            return
        try:
            while (frame := self._context.run(next, self._source, None)) is not None:
                yield frame
        except Exception as e:
            self.error = e
            self._on_error()
            return
        yield frames.DONE


class Incoming:
    """What a callee sends. `frames` are those of its response, `response` is there when it has ended."""

    def __init__(self, verb: str, received: Frames, outgoing: Outgoing) -> None:
        self.response = verb_pb2.CallResponse()
        self._verb = verb
        self._received = received
        self._outgoing = outgoing
        self._flight = flight.get()
        self._over = False

    def frames(self) -> Iterator[bytes]:
        """All but the last. Raises FtlError, or what the caller's own frames raised.

        Who stops before the end cancels the call.
        """
        if self._flight is not None:
            self._flight.add(self)
        try:
            yield from self._frames()
        except grpc.RpcError as e:
            if self._outgoing.error is not None:
                raise self._outgoing.error from None
            raise from_rpc_error(e, self._verb) from None
        finally:
            self.cancel()
            if self._flight is not None:
                self._flight.discard(self)

    def _frames(self) -> Iterator[bytes]:
        for frame in self._received:
            if frames.is_ending(frame):
                self._end(frames.read(frame).ending)
                return
            yield frame
        raise fail("runner-lost", module=self._verb.partition(".")[0], verb=self._verb)

    def _end(self, response: verb_pb2.CallResponse) -> None:
        self.response, self._over = response, True
        if self.response.HasField("error"):
            raise raised(self._verb, self.response.error, tuple(self.response.output))

    def cancel(self, *why: object) -> None:
        """Ends the call: the callee is told, and reading fails as cancelled. Nothing once the stream has ended."""
        if not self._over:
            self._over = True
            self._received.cancel()


def open_stream(
    caller: Caller,
    verb: str,
    body: bytes,
    source: Iterator[bytes] | None,
    context: CallContext,
    timeout: float | None = None,
) -> Incoming:
    """Calls `module.verb`, a side of which is a stream. `source` are the frames of its request, None for a `body`.

    Returns once the callee has begun. Raises FtlError. `timeout` is for the whole stream, in seconds.
    """
    module, _, name = verb.partition(".")
    request = verb_pb2.CallRequest(verb=schema_pb2.Ref(module=module, name=name), body=body)
    opening, metadata = frames.opening(request), context.to_metadata() + caller.extra

    def begun(route: Route) -> Incoming:
        call = StreamService.call.on(caller.channel(route))
        return _opened(verb, lambda sent: call(sent, timeout, metadata), Outgoing(opening, source))

    return caller.routed(verb, begun, timeout=timeout, size=len(body))


def _opened(verb: str, begin: Callable[[Iterator[bytes]], Frames], outgoing: Outgoing) -> Incoming:
    received = begin(iter(outgoing))
    try:
        next(received)
    except BaseException:
        outgoing.give_up()
        received.cancel()
        raise
    received.add_callback(outgoing.end)
    outgoing.begin(received.cancel)
    return Incoming(verb, received, outgoing)
