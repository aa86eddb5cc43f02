"""What a long call writes, shown while it runs.

Its lines are on the timeline long before its answer, which brings them all once more: what was shown by then is left
out of it. A call that ends soon costs no more than being noted.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Protocol

from ftl_nb.rpc import admin_pb2, event_pb2, verb_pb2
from ftl_nb.rpc.tls import grpc

Piece = verb_pb2.CallResponse.Output
#: Seconds that a call has to be under way.
AFTER = 0.3
#: Each call that is followed takes a thread here and one of the control plane.
FOLLOWED = 8


class Lines(Protocol):
    """A stream of log lines that can be ended from another thread. Raises `grpc.RpcError`."""

    def __iter__(self) -> Iterator[admin_pb2.StreamLogsResponse]: ...

    def cancel(self) -> object: ...


@dataclass(slots=True)
class LiveCall:
    """One call under way. What it writes is shown in the context that it was begun in."""

    request_key: str
    began: float
    context: Context
    followed: bool = False
    over: bool = False
    full: bool = False
    shown: list[Piece] = field(default_factory=list)
    lines: Lines | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Live:
    """The calls of one session. `follow(request_key)` opens the lines of a request, `show` shows pieces of output."""

    def __init__(self, follow: Callable[[str], Lines], show: Callable[[Iterable[Piece]], None]) -> None:
        self._follow = follow
        self._show = show
        self._calls: dict[str, LiveCall] = {}
        self._begun = threading.Event()
        self._closed = threading.Event()
        self._watcher: threading.Thread | None = None

    def begin(self, request_key: str) -> LiveCall:
        call = self._calls[request_key] = LiveCall(request_key, time.monotonic(), copy_context())
        if not self._begun.is_set():
            self._begun.set()
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="ftl-live", daemon=True)
                self._watcher.start()
        return call

    def end(self, call: LiveCall, output: Iterable[Piece]) -> Iterable[Piece]:
        """The call has ended with `output`: what of it was not shown yet."""
        self._calls.pop(call.request_key, None)
        if not call.followed:
            return output
        with call.lock:
            call.over = True
            if call.lines is not None:
                call.lines.cancel()
        return () if call.full else remaining(call.shown, output)

    def close(self) -> None:
        self._closed.set()
        self._begun.set()

    def _watch(self) -> None:
        while not self._closed.is_set():
            self._begun.wait()
            self._begun.clear()
            self._closed.wait(AFTER)
            calls = tuple(self._calls.values())
            room = FOLLOWED - sum(c.followed for c in calls)
            due = [c for c in calls if not c.followed and time.monotonic() - c.began >= AFTER]
            for call in due[: max(room, 0)]:
                call.followed = True
                threading.Thread(target=self._relay, args=(call,), name="ftl-live-call", daemon=True).start()
            if calls:
                self._begun.set()

    def _relay(self, call: LiveCall) -> None:
        # Ended with the call; and where the control plane is away, the answer has it all.
        with suppress(grpc.RpcError):
            lines = self._follow(call.request_key)
            with call.lock:
                call.lines = lines
                if call.over:
                    lines.cancel()
            for batch in lines:
                self._display(call, batch.logs)

    def _display(self, call: LiveCall, logs: Iterable[event_pb2.LogEvent]) -> None:
        with call.lock:
            if call.over or call.full:
                return
            pieces = kept(call, [piece_of(log) for log in logs])
            call.shown.extend(pieces)
            call.context.run(self._show, pieces)
            for stream in (sys.stdout, sys.stderr):
                call.context.run(stream.flush)


def piece_of(log: event_pb2.LogEvent) -> Piece:
    """A line of the timeline as it was written."""
    attributes = log.attributes
    text = log.message if "open" in attributes else log.message + "\n"
    return Piece(stream=attributes.get("stream", ""), text=text, module=attributes.get("module", ""))


def kept(call: LiveCall, pieces: list[Piece]) -> list[Piece]:
    """The pieces up to what a call may show, and then the word that there is more."""
    from ftl_nb.runner.execution import CUT, OUTPUT_LIMIT

    left = OUTPUT_LIMIT - sum(len(p.text) for p in call.shown)
    for number, piece in enumerate(pieces):
        left -= len(piece.text)
        if left < 0:
            call.full = True
            return [*pieces[:number], Piece(stream=piece.stream, text=CUT.lstrip("\n"), module=piece.module)]
    return pieces


def remaining(shown: Iterable[Piece], output: Iterable[Piece]) -> list[Piece]:
    """What of `output` is not among the lines that were shown. Empty lines between those are not on the timeline."""
    whole: dict[str, str] = {}
    for piece in output:
        whole[piece.stream] = whole.get(piece.stream, "") + piece.text
    places = dict.fromkeys(whole, 0)
    for piece in shown:
        text = whole.get(piece.stream, "")
        found = text.find(piece.text, places.get(piece.stream, 0))
        found = text.find(piece.text) if found < 0 else found
        if found >= 0:
            whole[piece.stream] = text[:found] + text[found + len(piece.text) :]
            places[piece.stream] = found
    return [Piece(stream=stream, text=left) for stream, text in whole.items() if (left := text.lstrip("\n"))]
