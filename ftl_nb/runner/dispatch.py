"""How verbs call out of a runner: their own module in process, everything else straight to its runner."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ftl_nb.binding.dispatch import CallOptions, Held
from ftl_nb.binding.verbs import Verb
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import CallContext, Channel, RequestKey, verb_pb2, workspace_pb2
from ftl_nb.rpc.calls import Caller
from ftl_nb.rpc.cutting import InFlight, flight, together
from ftl_nb.rpc.leasing import HeldLease
from ftl_nb.rpc.streaming import Incoming, open_stream
from ftl_nb.runner.execution import Executor, Interruptible, Running, running
from ftl_nb.runner.output import end_lines
from ftl_nb.runner.reporter import CallRecord, Reporter, SecretRecord
from ftl_nb.runner.service import OpenStreams
from ftl_nb.runner.settings import Settings
from ftl_nb.schema.names import camel, snake

Output = verb_pb2.CallResponse.Output


class RunnerDispatcher:
    """The dispatcher of one module's runner."""

    def __init__(
        self,
        module: str,
        verbs: dict[str, Verb],
        executor: Executor,
        caller: Caller,
        reporter: Reporter,
        settings: Settings,
        allowed: dict[str, frozenset[str]],
        control: Callable[[], Channel],
        streams: OpenStreams,
    ) -> None:
        self._module = module
        self._verbs = verbs
        self._executor = executor
        self._caller = caller
        self._reporter = reporter
        self._settings = settings
        self._allowed = allowed
        self._control = control
        self._streams = streams

    def call(self, module: str, verb: str, body: bytes, options: CallOptions) -> bytes:
        here = running.get()
        context = self._context(here)
        own = self._verbs.get(verb) if module == self._module else None
        if own is not None:
            return self._call_own(own, body, context, here, options.timeout)
        self._check_declared(here, f"{module}.{verb}")
        timeout = context.timeout(options.timeout)
        try:
            answer = self._caller.call(f"{module}.{verb}", body, context, timeout=timeout, arrow=options.arrow)
        except FtlError as e:
            _keep(here, e.output, e.recorded)
            raise
        _keep(here, answer.output, answer.recorded)
        return answer.body

    def _context(self, here: Running | None) -> CallContext:
        """The context of a call made here; outside a call (a thread of the author's) a new request begins."""
        if here is None:
            return CallContext.start(RequestKey.text_of_new("ingress", f"runner {self._module}"))
        return here.context.called_by(here.verb)

    def _check_declared(self, here: Running | None, callee: str) -> None:
        """What the analysis of the source did not see is refused with the line to write."""
        if here is None or callee.partition(".")[0] == self._module:
            return
        declared = self._allowed.get(here.verb)
        if declared is not None and callee not in declared:
            module, _, name = callee.partition(".")
            raise fail("hidden-use", verb=here.verb, used=f"{module}.{snake(name)}")

    def _call_own(
        self, verb: Verb, body: bytes, context: CallContext, here: Running | None, timeout: float | None
    ) -> bytes:
        """In this process, but through the codec, on the trace and with its own deadline, as if it were elsewhere."""
        left = context.timeout(timeout)
        deadline = None if left is None else time.monotonic() + left
        call = Running(verb.ref, context.child()._replace(deadline=deadline), lambda: self._module)
        within = flight.get()
        call.flight = InFlight(within)
        # A thread of its own, that of `aio` or `map`, is not the one which the end of the calling verb reaches.
        apart = within if here is None or within is not here.flight else None
        outcome = self._executor.execute_within(timeout, verb, body, call, apart)
        end_lines(call, self._reporter)
        self._reporter.add(
            CallRecord(verb.ref, "verb", call.context, outcome.started, outcome.took, body, outcome.body, outcome.error)
        )
        _keep(here, call.output, call.recorded + 1)
        if outcome.error is not None:
            raise outcome.error
        return outcome.body

    async def call_async(self, module: str, verb: str, body: bytes, options: CallOptions) -> bytes:
        with together():
            context = contextvars.copy_context()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, lambda: context.run(self.call, module, verb, body, options))

    def stream(self, verb: Verb, request: Any, options: CallOptions) -> Any:
        here = running.get()
        context = self._context(here)
        own = self._verbs.get(verb.name) if verb.module == self._module else None
        if own is not None:
            call = Running(own.ref, context.child(), lambda: self._module)
            call.flight = InFlight(flight.get())
            return self._streams().here(own, request, call, Interruptible())
        self._check_declared(here, verb.ref)
        from ftl_nb.streams.calling import call_verb

        def open_(body: bytes, source: Iterator[bytes] | None) -> Incoming:
            return open_stream(self._caller, verb.ref, body, source, context, context.timeout(options.timeout))

        def on_end(incoming: Incoming, error: FtlError | None) -> None:
            answer = incoming.response if error is None else error
            _keep(here, answer.output, answer.recorded)

        return call_verb(verb, self._caller.view.system, request, open_, on_end)

    async def stream_async(self, verb: Verb, request: Any, options: CallOptions) -> Any:
        with together():
            context = contextvars.copy_context()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, lambda: context.run(self.stream, verb, request, options))

    def statement(self, module: str, database: str, sql: str, parameters: bytes, *, rows: bool) -> tuple[bytes, int]:
        request = workspace_pb2.StatementRequest(sql=sql, parameters=parameters, rows=rows)
        here = running.get()
        try:
            response = self._caller.statement(module, database, request, self._context(here))
        except FtlError as e:
            _keep(here, (), e.recorded)
            raise
        _keep(here, (), 1)
        return response.rows, response.changed

    def config(self, module: str, name: str) -> bytes | None:
        return self._settings.config(name)

    def secret(self, module: str, name: str) -> bytes | None:
        here = running.get()
        verb, context = (here.verb, here.context) if here is not None else ("", None)
        self._reporter.add(SecretRecord(f"{self._module}.{camel(name)}", verb, context, time.time()))
        return self._settings.secret(name)

    def lease(self, parts: tuple[str, ...], ttl: float, wait: float, on_lost: Callable[[], None]) -> Held:
        return HeldLease(self._control(), ("module", self._module, *parts), ttl, wait, on_lost)

    def caller(self) -> str:
        here = running.get()
        return here.peer() if here is not None else ""


def _keep(here: Running | None, output: Iterable[Output], recorded: int) -> None:
    """What a call had written and put on the timeline belongs to the call that made it."""
    if here is not None:
        here.keep(output)
        here.recorded += recorded
