"""Blocking calls that another thread can end.

gRPC's blocking call is the fast one, and the only one that nobody can cancel: the thread that could is inside it. The
call itself is made by the channel object below the stub, so that is where it is picked up. Where a version of gRPC has
none there, calls are as they were: they end when their callee answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ftl_nb.rpc.tls import grpc

Stub = TypeVar("Stub")


class InFlight:
    """The outgoing calls of one piece of work, and so of the one that it is part of. Thread-safe."""

    __slots__ = ("_calls", "_whole")

    def __init__(self, whole: InFlight | None = None) -> None:
        self._calls: set[Any] = set()
        self._whole = whole

    def add(self, call: Any) -> None:
        self._calls.add(call)
        if self._whole is not None:
            self._whole.add(call)

    def discard(self, call: Any) -> None:
        self._calls.discard(call)
        if self._whole is not None:
            self._whole.discard(call)

    def cut(self) -> None:
        """Ends what is in flight: each call fails as cancelled, and its callee is told."""
        for call in tuple(self._calls):
            call.cancel(grpc.StatusCode.CANCELLED.value[0], "what it was for was cancelled")


class _Call:
    """One blocking call, known to its InFlight while a thread waits for it."""

    __slots__ = ("_call", "_flight")

    def __init__(self, call: Any, flight: InFlight) -> None:
        self._call = call
        self._flight = flight

    def next_event(self) -> Any:
        self._flight.add(self._call)
        try:
            return self._call.next_event()
        finally:
            self._flight.discard(self._call)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


class _Tap:
    """Stands for a stub's channel where it makes calls."""

    __slots__ = ("_channel", "_flight")

    def __init__(self, channel: Any, flight: Callable[[], InFlight | None]) -> None:
        self._channel = channel
        self._flight = flight

    def segregated_call(self, *arguments: Any) -> Any:
        call, flight = self._channel.segregated_call(*arguments), self._flight()
        return call if flight is None else _Call(call, flight)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


def cuttable(stub: Stub, flight: Callable[[], InFlight | None]) -> Stub:
    """The stub; its blocking calls belong to what `flight()` gives when they are made."""
    made: Any = stub
    if hasattr(getattr(made, "_channel", None), "segregated_call"):
        made._channel = _Tap(made._channel, flight)
    return stub
