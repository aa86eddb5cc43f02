"""One verb, run: decode, inject, call, encode; what it writes and records belongs to the call that runs it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import CoroutineType
from typing import Any, NamedTuple, Protocol

from ftl_nb.binding.interrupts import raise_in
from ftl_nb.binding.signature import NOTHING
from ftl_nb.binding.verbs import Verb, injections
from ftl_nb.compiler.annotations import function_place
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import CallContext, verb_pb2
from ftl_nb.rpc.cutting import InFlight, flight
from ftl_nb.runner.redaction import covered
from ftl_nb.runner.traces import gone_through, message_of, user_traceback
from ftl_nb.schema.json import JsonError
from ftl_nb.schema.names import snake

OUTPUT_LIMIT = 64 * 1024
CUT = "\n… (the rest is in %ftl logs)\n"
#: Writes are gathered into pieces of about this many characters.
_PIECE = 4096


#: The exit code of a process that a verb forked and that came out of the verb like its parent: one of them may answer.
_STRAY = 77


class CallCancelled(BaseException):
    """Raised inside a verb whose caller has gone or whose deadline has passed; no `except Exception` stops it."""


@dataclass(slots=True)
class Running:
    """The call that a thread is serving. `peer` tells its caller's module, on demand."""

    verb: str
    context: CallContext
    peer: Callable[[], str]
    output: list[verb_pb2.CallResponse.Output] = field(default_factory=list)
    written: int = 0
    recorded: int = 0
    flight: InFlight = field(default_factory=InFlight)
    #: The beginnings of lines that have no end yet, by stream.
    lines: dict[str, str] = field(default_factory=dict)

    def write(self, stream: str, text: str, module: str) -> None:
        """Keeps what was written, up to OUTPUT_LIMIT characters a call, those of the calls that it made included."""
        left = OUTPUT_LIMIT - self.written
        if left < 0 or not text:
            return
        self.written += len(text)
        kept = text if len(text) <= left else text[:left] + CUT
        last = self.output[-1] if self.output else None
        if last is not None and (last.stream, last.module) == (stream, module) and len(last.text) < _PIECE:
            last.text += kept
        else:
            self.output.append(verb_pb2.CallResponse.Output(stream=stream, text=kept, module=module))

    def keep(self, pieces: Iterable[verb_pb2.CallResponse.Output]) -> None:
        """Keeps what a called verb had written."""
        for piece in pieces:
            self.write(piece.stream, piece.text, piece.module)


running: ContextVar[Running | None] = ContextVar("ftl_running", default=None)


class Watch(Protocol):
    """Told of each call's begin (`outer` is the one that it is made in) and end, on the call's thread."""

    def begin(self, call: Running, outer: Running | None) -> None: ...

    def end(self, call: Running) -> None: ...


class Interruptible:
    """Lets another thread raise CallCancelled in the thread that runs a verb, and never after it has ended.

    A verb that does not end within `patience` seconds of that (one call into C code that lasts) is told to `on_stuck`.
    """

    def __init__(self, on_stuck: Callable[[], None] | None = None, patience: float = 5.0) -> None:
        self._on_stuck = on_stuck
        self._patience = patience
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._future: Any = None
        self._cancelled = False
        self.flight: InFlight | None = None

    def __enter__(self) -> Interruptible:
        self._thread = threading.get_ident()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            if self._cancelled and self._thread is not None:
                raise_in(self._thread, None)
            self._thread = None

    @property
    def cancelled(self) -> bool:
        """Whether it was this call that was cancelled, and not the one that it is made in."""
        return self._cancelled

    def cancel(self, *why: object) -> None:
        """What an outgoing call has as `cancel` too; the reason is told by whoever cancels."""
        with self._lock:
            if self._thread is None or self._cancelled:
                return
            self._cancelled = True
            if self._future is not None:
                self._future.cancel()
            else:
                raise_in(self._thread, CallCancelled)
        # After the exception: a call that is begun now runs into it.
        if self.flight is not None:
            self.flight.cut()
        if self._on_stuck is not None:
            check = threading.Timer(self._patience, self._check, (self._on_stuck,))
            check.daemon = True
            check.start()

    def _check(self, on_stuck: Callable[[], None]) -> None:
        if self._thread is not None:
            on_stuck()

    def run_async(self, coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Any:
        """Awaits a coroutine on `loop` from this thread."""
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        with self._lock:
            self._future = future
        try:
            return future.result()
        finally:
            with self._lock:
                self._future = None


class Outcome(NamedTuple):
    """How a verb ended: a body or an error, when it began (seconds since the epoch) and how long it took (seconds)."""

    body: bytes
    error: FtlError | None
    started: float
    took: float


class Executor:
    """Runs the verbs of the own module. Handles of injected parameters are made once a verb."""

    def __init__(self, watch: Watch | None = None) -> None:
        self._watch = watch
        self._handles: dict[str, dict[str, Any]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._forked = False
        os.register_at_fork(after_in_child=self._mark_forked)

    def _mark_forked(self) -> None:
        self._forked = True

    def execute_within(
        self, seconds: float | None, verb: Verb, body: bytes, call: Running, within: InFlight | None = None
    ) -> Outcome:
        """The same for a call made in another, cancelled when it takes longer than `seconds`, or with `within`."""
        guard = Interruptible()
        if within is None:
            return self._execute_until(seconds, verb, body, call, guard)
        within.add(guard)
        try:
            return self._execute_until(seconds, verb, body, call, guard)
        finally:
            within.discard(guard)

    def _execute_until(
        self, seconds: float | None, verb: Verb, body: bytes, call: Running, guard: Interruptible
    ) -> Outcome:
        if seconds is None:
            return self.execute(verb, body, call, guard)
        timer = threading.Timer(seconds, guard.cancel)
        timer.start()
        try:
            outcome = self.execute(verb, body, call, guard)
        finally:
            timer.cancel()
        if not guard.cancelled:
            return outcome
        name = snake(verb.name)
        return outcome._replace(error=fail("deadline", verb=verb.ref, seconds=f"{seconds:g}", name=name))

    def execute(self, verb: Verb, body: bytes, call: Running, guard: Interruptible) -> Outcome:
        """Runs one call to its end; whatever goes wrong is in the outcome."""
        started, clock = time.time(), time.perf_counter()
        guard.flight = call.flight
        error: FtlError | None = None
        answer = b"{}"
        try:
            with self.within(call), guard:
                answer = self._run(verb, body, guard)
        except FtlError as e:
            error = covered(e)
        except CallCancelled:
            if not guard.cancelled:
                raise
            error = fail("cancelled", verb=verb.ref)
        except asyncio.CancelledError:
            error = fail("cancelled", verb=verb.ref)
        return Outcome(answer, error, started, time.perf_counter() - clock)

    def _run(self, verb: Verb, body: bytes, guard: Interruptible) -> bytes:
        request = decoded(verb, body)
        arguments = () if request is NOTHING else (request,)
        value = self._call(verb, arguments, guard)
        try:
            return verb.response_codec.encode(value)
        except JsonError as e:
            place = function_place(verb.function) if verb.function is not None else None
            declared = _shown(verb.signature.response)
            raise fail("result-invalid", place, verb=verb.ref, detail=str(e), type=declared) from None

    def _call(self, verb: Verb, arguments: tuple[Any, ...], guard: Interruptible) -> Any:
        function = verb.function
        if function is None:
            raise fail("unknown-verb", verb=verb.ref, near="its text is not in this runner")
        try:
            value = function(*arguments, **self.handles(verb, function))
            return guard.run_async(value, self.loop()) if isinstance(value, CoroutineType) else value
        except FtlError as e:
            raise gone_through(e) from None
        except (CallCancelled, asyncio.CancelledError):
            raise
        except BaseException as e:
            raise error_of(verb, e) from None

    def handles(self, verb: Verb, function: Callable[..., Any]) -> dict[str, Any]:
        """What is injected into a verb's function."""
        found = self._handles.get(verb.name)
        if found is None:
            found = self._handles[verb.name] = injections(function, verb.signature.injected, {})
        return found

    @contextmanager
    def within(self, call: Running) -> Iterator[None]:
        """What is done in the block, on this thread, belongs to a call. A process that the call forked ends there."""
        if self._watch is not None:
            self._watch.begin(call, running.get())
        token, outer = running.set(call), flight.set(call.flight)
        try:
            yield
        finally:
            if self._forked:
                os._exit(_STRAY)
            running.reset(token)
            flight.reset(outer)
            if self._watch is not None:
                self._watch.end(call)

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that async verbs run on, in a thread of its own, started on first use."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="ftl-async", daemon=True).start()
            return self._loop


def decoded(verb: Verb, body: bytes) -> Any:
    """The request in a body, NOTHING where the verb takes none. Raises FtlError `json-invalid`."""
    if verb.signature.request is NOTHING:
        return NOTHING
    try:
        return verb.request_codec.decode(body)
    except JsonError as e:
        raise fail("json-invalid", detail=str(e), verb=verb.ref, type=_shown(verb.signature.request)) from None


def _shown(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def error_of(verb: Verb, error: BaseException) -> FtlError:
    """What the caller of a verb is told of what it raised."""
    text, place = user_traceback(error)
    made = fail("verb-raised", place, verb=verb.ref, error=_sentence(error))
    made.remote = text
    return made


def _sentence(error: BaseException) -> str:
    words = message_of(error).strip()
    return f"{type(error).__name__}: {words}".rstrip(".") if words else type(error).__name__
