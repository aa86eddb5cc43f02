"""The threads that serve calls.

gRPC gives a call to its pool before the request has come: a thread is woken to ask for the request, waits for the one
that polls, and is woken again. Here the polling thread asks, and a worker is woken once, with the request in hand.
That is done through names that gRPC keeps for itself; where a version has none of them, calls take gRPC's own way.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from queue import SimpleQueue
from typing import Any

Job = tuple[Callable[..., object], tuple[Any, ...]]

#: How many things gRPC hands to a thread for a call with one request and one answer, the function that serves included.
_ARGUMENTS = 7
#: What is used of gRPC's own module.
_USED = ("_unary_response_in_pool", "_receive_message", "_abort", "_CLOSED", "_RECEIVE_MESSAGE_TOKEN", "cygrpc")


class Workers:
    """At most `threads` threads, started as they are needed. gRPC's thread pool, as far as gRPC asks of one."""

    def __init__(self, threads: int) -> None:
        self._limit = threads
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = 0
        self._busy: set[int] = set()
        inner: Any = import_module("grpc._server")
        self._inner = inner if all(hasattr(inner, name) for name in _USED) else None

    def submit(self, run: Callable[..., object], *arguments: Any) -> None:
        """Called by the thread that polls, and by no other; it holds the call's condition."""
        if self._inner is not None and _awaits_request(self._inner, arguments):
            self._receive(self._inner, run, *arguments)
        else:
            self._put(run, arguments)

    def shutdown(self) -> None:
        """Every thread ends with what it serves now."""
        for _ in range(self._limit):
            self._jobs.put(None)

    def _receive(
        self,
        inner: Any,
        run: Callable[..., object],
        serve: Any,
        event: Any,
        state: Any,
        behavior: Any,
        _: Any,
        *ways: Any,
    ) -> None:
        """Asks for the one request of a call; the call is served when it is there. `ways`: decode, encode."""
        receive = inner._receive_message(state, event.call, ways[0])

        def received(message: Any) -> Any:
            done = receive(message)
            self._put(run, (serve, event, state, behavior, lambda: _request_of(inner, state, event), *ways))
            return done

        state.due.add(inner._RECEIVE_MESSAGE_TOKEN)
        event.call.start_server_batch((inner.cygrpc.ReceiveMessageOperation(0),), received)

    def _put(self, run: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        if len(self._busy) + self._jobs.qsize() >= self._threads < self._limit:
            self._threads += 1
            threading.Thread(target=self._work, name=f"rpc_{self._threads}", daemon=True).start()
        self._jobs.put((run, arguments))

    def _work(self) -> None:
        me = threading.get_ident()
        while (job := self._jobs.get()) is not None:
            self._busy.add(me)
            run, arguments = job
            try:
                run(*arguments)
            except BaseException:
                # gRPC answers for what a method raises, so this is something that no thread may end of.
                traceback.print_exc()
            # What a call held goes now, not with the next one.
            del job, run, arguments
            self._busy.discard(me)


def _awaits_request(inner: Any, arguments: tuple[Any, ...]) -> bool:
    """Whether this is a call with one request, which is waited for by the function among its arguments."""
    if len(arguments) != _ARGUMENTS or arguments[0] is not inner._unary_response_in_pool:
        return False
    return bool(getattr(arguments[4], "__name__", "") == "unary_request")


def _request_of(inner: Any, state: Any, event: Any) -> Any:
    """The request that came; None where the caller had gone, or had sent none and is told so."""
    with state.condition:
        request, state.request = state.request, None
        if request is None and state.client is inner._CLOSED:
            wrong = f'"{event.call_details.method}" requires exactly one request message.'
            inner._abort(state, event.call, inner.cygrpc.StatusCode.unimplemented, wrong.encode())
    return request
