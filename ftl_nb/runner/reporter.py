"""The way to the timeline: events are queued on the calling thread and sent in batches by one of our own.

Best effort: a full queue drops the newest and says so, and nothing that a verb does waits for the timeline.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from ftl_nb.errors import FtlError
from ftl_nb.rpc import CallContext, timeline_pb2
from ftl_nb.rpc.tls import grpc
from ftl_nb.runner.redaction import hidden

QUEUE_LIMIT = 10_000
BATCH = 256
SHOWN = 64 * 1024
_INTERVAL = 0.05
#: Where so many records came within an interval, the message waits for more, in longer ones: gathering and sending cost
#: the same for few as for many, and hold up the calls that come meanwhile.
_BUSY, _BUSY_INTERVALS = 16, (0.25, 0.25, 0.25)
#: So many records are gathered in one go, then calls have the interpreter for so many seconds: who waits for a thread
#: that computes waits for it at each of its own steps.
_GO, _BREATH = 8, 0.0005
LEVELS = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 17}

Fields = dict[str, Any]
Send = Callable[[timeline_pb2.CreateEventsRequest], object]


class CallRecord(NamedTuple):
    """One finished call. Times in seconds (since the epoch; duration)."""

    verb: str
    kind: str
    context: CallContext
    started: float
    took: float
    request: bytes
    response: bytes
    error: FtlError | None


class StreamRecord(NamedTuple):
    """One stream that has ended: seconds since the epoch, seconds; the rows and bytes of both its sides."""

    verb: str
    context: CallContext
    started: float
    took: float
    rows: int
    nbytes: int
    error: FtlError | None


class LogRecord(NamedTuple):
    """One line of output. `stream` is stdout, stderr or log; `open` is a line that its writer did not end."""

    text: str
    stream: str
    level: str
    verb: str
    request_key: str
    when: float
    span: str = ""
    open: bool = False


class SecretRecord(NamedTuple):
    """One read of a secret, by a verb or, with an empty name, by a thread of the author's."""

    secret: str
    verb: str
    context: CallContext | None
    when: float


Record = CallRecord | StreamRecord | LogRecord | SecretRecord


class Reporter:
    """Queues records of deployment `deployment` and sends them as timeline events."""

    def __init__(self, deployment: str, module: str, send: Send) -> None:
        self._deployment = deployment
        self._module = module
        self._send = send
        self._queue: deque[Record] = deque()
        self._wake = threading.Event()
        self._pause = threading.Event()
        self._dropped = 0
        threading.Thread(target=self._run, name="ftl-timeline", daemon=True).start()

    def add(self, record: Record) -> None:
        """Never blocks. Calls find room where log lines do not."""
        if len(self._queue) >= (QUEUE_LIMIT if isinstance(record, LogRecord) else 2 * QUEUE_LIMIT):
            self._dropped += 1
            return
        self._queue.append(record)
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            request = timeline_pb2.CreateEventsRequest()
            for interval in (_INTERVAL, *_BUSY_INTERVALS):
                self._pause.wait(interval)
                self._wake.clear()
                if self._gather(request) < _BUSY:
                    break
            self._deliver(request)

    def _gather(self, request: timeline_pb2.CreateEventsRequest) -> int:
        """Moves what is queued into the message; how many that were. A full message is sent, and begun anew."""
        count = 0
        while self._queue:
            if len(request.entries) >= BATCH:
                self._deliver(request)
                request.Clear()
            request.entries.add(**self._entry(self._queue.popleft()))
            count += 1
            if count % _GO == 0:
                self._pause.wait(_BREATH)
        return count

    def _deliver(self, request: timeline_pb2.CreateEventsRequest) -> None:
        if self._dropped:
            lost, self._dropped = self._dropped, 0
            text = f"{lost} timeline events were dropped"
            request.entries.add(**self._entry(LogRecord(text, "log", "WARNING", "", "", time.time())))
        try:
            self._send(request)
        except grpc.RpcError as e:
            print("timeline:", e.code().name, flush=True)

    def _entry(self, record: Record) -> Fields:
        # Plain mappings: gRPC's messages take them whole, in one step.
        if isinstance(record, CallRecord):
            return {"timestamp": seconds(record.started), "call": self._call(record)}
        if isinstance(record, StreamRecord):
            return {"timestamp": seconds(record.started), "stream": self._stream(record)}
        if isinstance(record, SecretRecord):
            return {"timestamp": seconds(record.when), "secret_access": self._read(record)}
        return {"timestamp": seconds(record.when), "log": self._log(record)}

    def _call(self, record: CallRecord) -> Fields:
        context = record.context
        event: Fields = {
            "request_key": context.request_key,
            "deployment_key": self._deployment,
            "timestamp": seconds(record.started),
            "duration": seconds(record.took),
            "destination_verb_ref": ref(record.verb),
            "request": shown(record.request),
            "response": shown(record.response),
            "span_id": context.span_id,
            "parent_span_id": context.parent_span_id,
            "trace_id": context.trace_id,
            "kind": record.kind,
        }
        if context.callers:
            event["source_verb_ref"] = ref(context.callers[-1])
        if record.error is not None:
            event |= {"error": hidden.text(record.error.message), "stack": hidden.text(record.error.remote)}
        return event

    def _stream(self, record: StreamRecord) -> Fields:
        context = record.context
        event: Fields = {
            "request_key": context.request_key,
            "deployment_key": self._deployment,
            "timestamp": seconds(record.started),
            "duration": seconds(record.took),
            "verb_ref": ref(record.verb),
            "items": record.rows,
            "bytes": record.nbytes,
            "span_id": context.span_id,
            "parent_span_id": context.parent_span_id,
            "trace_id": context.trace_id,
        }
        if record.error is not None:
            event["error"] = hidden.text(record.error.message)
        return event

    def _read(self, record: SecretRecord) -> Fields:
        event: Fields = {
            "deployment_key": self._deployment,
            "secret": record.secret,
            "action": "read",
            "accessor": f"module {self._module}",
            "timestamp": seconds(record.when),
        }
        if record.context is not None:
            event |= {"request_key": record.context.request_key, "parent_span_id": record.context.span_id}
            event["verb_ref"] = ref(record.verb)
        return event

    def _log(self, record: LogRecord) -> Fields:
        attributes = {"module": self._module, "verb": record.verb, "stream": record.stream, "span": record.span}
        return {
            "deployment_key": self._deployment,
            "request_key": record.request_key,
            "timestamp": seconds(record.when),
            "log_level": LEVELS.get(record.level, 9),
            "message": shown(record.text),
            "attributes": attributes | {"open": "1"} if record.open else attributes,
        }


def shown(text: bytes | str) -> str:
    """What the timeline keeps of a body or a line: SHOWN bytes or characters, and how much there was."""
    text = hidden.text(text) if isinstance(text, str) else hidden.data(text)
    kept = text[:SHOWN]
    read = kept if isinstance(kept, str) else kept.decode(errors="replace")
    unit = "characters" if isinstance(text, str) else "bytes"
    return read if len(text) <= SHOWN else f"{read}… ({len(text):,} {unit} in all)"


def seconds(value: float) -> Fields:
    """The fields of a Timestamp or a Duration."""
    whole = int(value)
    return {"seconds": whole, "nanos": int((value - whole) * 1e9)}


def ref(verb: str) -> Fields:
    module, _, name = verb.partition(".")
    return {"module": module, "name": name}
