"""Verbs with a stream, run step by step: what a step does belongs to the call, between them the batches travel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa

from ftl_nb import schema
from ftl_nb.binding.signature import NOTHING
from ftl_nb.binding.verbs import Verb
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import frames, verb_pb2
from ftl_nb.rpc.tls import grpc
from ftl_nb.runner.execution import CallCancelled, Executor, Interruptible, Running, decoded, error_of
from ftl_nb.runner.output import end_lines
from ftl_nb.runner.redaction import covered
from ftl_nb.runner.reporter import Reporter, StreamRecord
from ftl_nb.runner.service import error_answer
from ftl_nb.runner.traces import gone_through
from ftl_nb.streams import Shape, StreamResult
from ftl_nb.streams.batches import received, sent
from ftl_nb.streams.calling import Sides, sides_of


class StreamRun:
    """One call of a verb that has a stream. `body` is the answer of one that gives no stream, once it has run."""

    def __init__(self, executor: Executor, verb: Verb, call: Running, guard: Interruptible) -> None:
        self.body = b""
        self._executor = executor
        self._verb = verb
        self._call = call
        self._guard = guard
        guard.flight = call.flight

    def batches(self, request: Any, response: Shape | None) -> Iterator[pa.RecordBatch]:
        """Runs the verb; the batches of its response. Raises FtlError, after the batches that came before it."""
        with self._telling():
            with self._within():
                value = self._value(request)
                if response is None:
                    self.body = self._verb.response_codec.encode(value)
                    return
            yield from response.batches(value, self._within)

    def _value(self, request: Any) -> Any:
        function = self._verb.function
        if function is None:
            raise fail("unknown-verb", verb=self._verb.ref, near="its text is not in this runner")
        arguments = () if request is NOTHING else (request,)
        return function(*arguments, **self._executor.handles(self._verb, function))

    @contextmanager
    def _within(self) -> Iterator[None]:
        """What the author wrote runs in here, on whichever thread."""
        with self._executor.within(self._call), self._guard:
            yield

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Whatever goes wrong, as the caller is told of it."""
        try:
            yield
        except FtlError as e:
            raise covered(gone_through(e)) from None
        except CallCancelled:
            raise fail("cancelled", verb=self._verb.ref) from None
        except (Exception, SystemExit) as e:
            raise covered(error_of(self._verb, e)) from None


class Streams:
    """Serves the verbs of the own module that have a stream. `system` gives the schema with the module in it."""

    def __init__(self, system: Callable[[], schema.Schema], executor: Executor, reporter: Reporter) -> None:
        self._system = system
        self._executor = executor
        self._reporter = reporter
        self._sides: dict[str, Sides] = {}

    def frames(
        self,
        verb: Verb,
        body: bytes,
        incoming: Iterator[bytes],
        call: Running,
        guard: Interruptible,
        wanted: Callable[[], bool],
    ) -> Iterator[bytes]:
        """What a caller at the other end of a connection gets, for as long as it has `wanted` it."""
        sides = self.sides(verb)
        try:
            if sides.request is None:
                request = decoded(verb, body)
            else:
                request = taken(verb.ref, sides.request, received(_frames(verb.ref, incoming)))
            run = StreamRun(self._executor, verb, call, guard)
            yield from sent(self._recorded(run, sides, request, call), wanted)
        except FtlError as e:
            yield frames.ending(error_answer(e, call.output, call.recorded + 1))
            return
        yield frames.ending(verb_pb2.CallResponse(body=run.body, output=call.output, recorded=call.recorded + 1))

    def here(self, verb: Verb, request: Any, call: Running, guard: Interruptible) -> Any:
        """What a verb of the own module gets: in this process, but in batches and on the trace, as from elsewhere."""
        sides = self.sides(verb)
        if sides.request is not None:
            request = taken(verb.ref, sides.request, sides.request.batches(request))
        else:
            request = decoded(verb, verb.encode(request) if request is not NOTHING else b"")
        run = StreamRun(self._executor, verb, call, guard)
        batches = self._recorded(run, sides, request, call)
        if sides.response is not None:
            return StreamResult(verb.ref, sides.response, batches)
        for _ in batches:
            continue
        return verb.decode(run.body)

    def sides(self, verb: Verb) -> Sides:
        found = self._sides.get(verb.name)
        if found is None:
            found = self._sides[verb.name] = sides_of(self._system(), verb.ref, verb.signature)
        return found

    def _recorded(self, run: StreamRun, sides: Sides, request: Any, call: Running) -> Iterator[pa.RecordBatch]:
        """The batches of the response, and, at their end, what the timeline keeps of the stream."""
        started, clock, rows, nbytes = time.time(), time.perf_counter(), 0, 0
        error: FtlError | None = None
        try:
            for batch in run.batches(request, sides.response):
                rows, nbytes = rows + batch.num_rows, nbytes + batch.nbytes
                yield batch
        except FtlError as e:
            error = e
            raise
        finally:
            if isinstance(request, StreamResult):
                rows, nbytes = rows + request.num_rows, nbytes + request.nbytes
            end_lines(call, self._reporter)
            took = time.perf_counter() - clock
            self._reporter.add(StreamRecord(call.verb, call.context, started, took, rows, nbytes, error))


def taken(verb: str, shape: Shape, batches: Iterator[pa.RecordBatch]) -> StreamResult[Any]:
    """The stream that a verb takes."""
    return StreamResult(f"the request of {verb}", shape, batches)


def _frames(verb: str, incoming: Iterator[bytes]) -> Iterator[bytes]:
    """Up to the frame that says that this is all. Raises FtlError `cancelled` where the caller went before."""
    with suppress(grpc.RpcError):
        for frame in incoming:
            if frames.is_done(frame):
                return
            yield frame
    raise fail("cancelled", verb=verb)
