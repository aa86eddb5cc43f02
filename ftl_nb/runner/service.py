"""What a module's runner serves: VerbService to everybody, RunnerService to the control plane."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ftl_nb.binding.verbs import Verb
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import CallContext, Context, frames, ftl_pb2, peer, verb_pb2, workspace_pb2
from ftl_nb.rpc.headers import CANDIDATE
from ftl_nb.rpc.hints import near
from ftl_nb.rpc.services import RunnerService, Served, StreamService, VerbService
from ftl_nb.rpc.wire import BODY_LIMIT
from ftl_nb.runner.execution import Executor, Interruptible, Outcome, Running
from ftl_nb.runner.output import end_lines
from ftl_nb.runner.reporter import CallRecord, Reporter

if TYPE_CHECKING:
    from ftl_nb.runner.streaming import Streams

#: What goes wrong on the author's side is an answer; the rest is a failure of the call.
_ANSWERED = frozenset(
    {
        *("verb-raised", "no-rows", "sql-failed", "hidden-use"),
        *("config-missing", "config-invalid", "secret-missing", "secret-invalid", "settings-unreadable"),
    }
)


#: Arrow is loaded when the first stream is opened.
OpenStreams = Callable[[], "Streams"]
_CENTURY = 3e9
_LAST_CALLS_SECONDS = 5.0
_NEWS_SECONDS = 10.0
_QUIET_SECONDS = 0.5
#: The exit code of a runner that gives way because one of its calls cannot be ended.
REPLACED = 76


class Gate:
    """Counts the calls in flight; closed, it lets none in and tells when the last has ended."""

    def __init__(self) -> None:
        # Every call passes here: the lock itself is taken, not the condition around it.
        self._lock = threading.Lock()
        self._left = threading.Condition(self._lock)
        self._inside = 0
        self._late = 0
        self._closed = False

    def enter(self) -> bool:
        with self._lock:
            if self._closed:
                self._late += 1
                self._left.notify_all()
                return False
            self._inside += 1
            return True

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._closed:
                self._left.notify_all()

    def close(self, timeout: float, but: int = 0) -> int:
        """Lets nobody in any more; the number still inside once it is `but`, or after `timeout` seconds."""
        with self._lock:
            self._closed = True
            self._left.wait_for(lambda: self._inside <= but, timeout)
            return self._inside

    def be_quiet(self, seconds: float, timeout: float) -> None:
        """Closed: until nobody has come for `seconds`, at most `timeout`. Answers leave, who comes late is told."""
        until = time.monotonic() + timeout
        with self._lock:
            while (left := until - time.monotonic()) > 0 and self._left.wait(min(seconds, left)):
                continue


class ModuleService:
    """Serves the verbs of one module."""

    def __init__(
        self, module: str, verbs: dict[str, Verb], executor: Executor, reporter: Reporter, streams: OpenStreams
    ) -> None:
        #: Set once this version is known to be canonical here.
        self.canonical = threading.Event()
        self._module = module
        self._verbs = verbs
        self._executor = executor
        self._reporter = reporter
        self._streams = streams
        self._gate = Gate()
        self._stuck_calls = 0

    def served(self) -> tuple[Served, ...]:
        return (
            VerbService.ping.served_by(self.ping),
            VerbService.call.served_by(self.call),
            StreamService.call.served_by(self.stream),
            RunnerService.ping.served_by(self.ping),
            RunnerService.drain.served_by(self.drain),
        )

    def ping(self, request: ftl_pb2.PingRequest, context: Context) -> ftl_pb2.PingResponse:
        return ftl_pb2.PingResponse()

    def drain(self, request: workspace_pb2.DrainRequest, context: Context) -> workspace_pb2.DrainResponse:
        unfinished = self._gate.close(request.bound_ms / 1000)
        if not unfinished:
            self._gate.be_quiet(_QUIET_SECONDS, _NEWS_SECONDS)
        return workspace_pb2.DrainResponse(unfinished=unfinished)

    def call(self, request: verb_pb2.CallRequest, context: Context) -> verb_pb2.CallResponse:
        if not self._gate.enter():
            raise fail("runner-moved", module=self._module)
        try:
            if not self.canonical.is_set():
                self._await_turn(request, context)
            return self._serve(request, context)
        finally:
            self._gate.leave()

    def stream(self, received: Iterator[bytes], context: Context) -> Iterator[bytes]:
        """A verb whose request or response is a stream, in frames."""
        request = frames.read(next(received)).opening
        if not self._gate.enter():
            raise fail("runner-moved", module=self._module)
        try:
            if not self.canonical.is_set():
                self._await_turn(request, context)
            verb = self._found(request)
            yield frames.TAKEN
            call = Running(verb.ref, call_context(context), lambda: module_of_peer(context))
            guard = self._guard(verb, context)
            yield from self._streams().frames(verb, request.body, received, call, guard, context.is_active)
        finally:
            self._gate.leave()

    def _await_turn(self, request: verb_pb2.CallRequest, context: Context) -> None:
        """The caller has heard of the commit before this process: what it calls moves with the news of it.

        What the deployment itself calls, its fixtures and what these call, comes before.
        """
        verb = self._verbs.get(request.verb.name)
        before = any(name == CANDIDATE for name, _ in context.invocation_metadata())
        if not before and (verb is None or not verb.options.fixture):
            self.canonical.wait(_NEWS_SECONDS)

    def _serve(self, request: verb_pb2.CallRequest, context: Context) -> verb_pb2.CallResponse:
        verb = self._found(request)
        call = Running(verb.ref, call_context(context), lambda: module_of_peer(context))
        outcome = self._executor.execute(verb, request.body, call, self._guard(verb, context))
        self._record(verb, request.body, call, outcome)
        return answer(call, outcome)

    def _found(self, request: verb_pb2.CallRequest) -> Verb:
        verb = self._verbs.get(request.verb.name)
        if verb is None:
            hint = near(request.verb.name, list(self._verbs))
            raise fail("unknown-verb", verb=f"{self._module}.{request.verb.name}", near=hint)
        return verb

    def _guard(self, verb: Verb, context: Context) -> Interruptible:
        """Ends the verb when its caller goes."""
        guard = Interruptible(lambda: self._stuck(verb.ref))
        context.add_callback(guard.cancel)
        return guard

    def _stuck(self, verb: str) -> None:
        """A call that was cancelled and goes on would hold its thread for good: the process gives way to a fresh one.

        The other calls in flight may end first; new ones wait for the fresh process.
        """
        print(f"{verb} goes on although it was cancelled: its runner is replaced", flush=True)
        self._stuck_calls += 1
        if self._stuck_calls == 1:
            self._gate.close(_LAST_CALLS_SECONDS, but=1)
            os._exit(REPLACED)

    def _record(self, verb: Verb, body: bytes, call: Running, outcome: Outcome) -> None:
        end_lines(call, self._reporter)
        kind = "fixture" if verb.options.fixture else "verb"
        self._reporter.add(
            CallRecord(verb.ref, kind, call.context, outcome.started, outcome.took, body, outcome.body, outcome.error)
        )


def call_context(context: Context) -> CallContext:
    """The callee's context of a served call, its deadline included."""
    left = time_left(context)
    deadline = None if left is None else time.monotonic() + left
    return CallContext.from_metadata(context.invocation_metadata(), deadline=deadline)


def time_left(context: Context) -> float | None:
    """Seconds until the deadline of a served call; None where it has none (gRPC then says centuries)."""
    left = context.time_remaining()
    return None if left is None or left > _CENTURY else left


def module_of_peer(context: Context) -> str:
    """The calling module by its certificate; empty for a client."""
    identity = peer(context)
    return identity.names[0] if identity.kind == "module" else ""


def answer(call: Running, outcome: Outcome) -> verb_pb2.CallResponse:
    """The response of one call. Raises the FtlError of a call that is no answer of the author's."""
    if outcome.error is not None:
        return error_answer(outcome.error, call.output, call.recorded + 1)
    if len(outcome.body) > BODY_LIMIT:
        error = fail("body-too-large", verb=call.verb, size=len(outcome.body), limit=BODY_LIMIT)
        return error_answer(error, call.output, call.recorded + 1)
    response = verb_pb2.CallResponse(body=outcome.body, recorded=call.recorded + 1)
    if call.output:
        response.output.extend(call.output)
    return response


def error_answer(
    error: FtlError, output: Iterable[verb_pb2.CallResponse.Output], recorded: int
) -> verb_pb2.CallResponse:
    """An error that is an answer of the author's code; any other is raised."""
    error.recorded = recorded
    if error.slug not in _ANSWERED:
        raise error
    detail = json.dumps(error.to_dict())
    made = verb_pb2.CallResponse.Error(message=error.message, stack=error.remote or None, detail=detail)
    return verb_pb2.CallResponse(error=made, output=output, recorded=recorded)
