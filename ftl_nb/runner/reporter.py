"""The way to the timeline: events are queued on the calling thread and sent in batches by one of our own.

Best effort: a full queue drops the newest and says so, and nothing that a verb does waits for the timeline.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from ftl_nb.errors import FtlError
from ftl_nb.rpc import CallContext, event_pb2, timeline_pb2
from ftl_nb.rpc.tls import grpc
from ftl_nb.schema import schema_pb2

QUEUE_LIMIT = 10_000
BATCH = 256
SHOWN = 64 * 1024
_INTERVAL = 0.05
LEVELS = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 17}

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


class LogRecord(NamedTuple):
    """One piece of output. `stream` is stdout, stderr or log."""

    text: str
    stream: str
    level: str
    verb: str
    request_key: str
    when: float
    span: str = ""


class Reporter:
    """Queues records of deployment `deployment` and sends them as timeline events."""

    def __init__(self, deployment: str, module: str, send: Send) -> None:
        self._deployment = deployment
        self._module = module
        self._send = send
        self._queue: deque[CallRecord | LogRecord] = deque()
        self._wake = threading.Event()
        self._dropped = 0
        threading.Thread(target=self._run, name="ftl-timeline", daemon=True).start()

    def add(self, record: CallRecord | LogRecord) -> None:
        """Never blocks. Calls find room where log lines do not."""
        if len(self._queue) >= (QUEUE_LIMIT if isinstance(record, LogRecord) else 2 * QUEUE_LIMIT):
            self._dropped += 1
            return
        self._queue.append(record)
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._wake.wait()
            # Gathers what comes within one interval into one message.
            pause.wait(_INTERVAL)
            self._wake.clear()
            while self._queue:
                self._flush()

    def _flush(self) -> None:
        request = timeline_pb2.CreateEventsRequest()
        for _ in range(min(BATCH, len(self._queue))):
            self._encode(self._queue.popleft(), request.entries.add())
        if self._dropped:
            lost, self._dropped = self._dropped, 0
            text = f"{lost} timeline events were dropped"
            self._encode(LogRecord(text, "log", "WARNING", "", "", time.time()), request.entries.add())
        try:
            self._send(request)
        except grpc.RpcError as e:
            print("timeline:", e.code().name, flush=True)

    def _encode(self, record: CallRecord | LogRecord, entry: timeline_pb2.CreateEventsRequest.EventEntry) -> None:
        if isinstance(record, CallRecord):
            entry.timestamp.CopyFrom(timestamp(record.started))
            self._call(record, entry.call)
        else:
            entry.timestamp.CopyFrom(timestamp(record.when))
            self._log(record, entry.log)

    def _call(self, record: CallRecord, event: event_pb2.CallEvent) -> None:
        context = record.context
        event.request_key = context.request_key
        event.deployment_key = self._deployment
        event.timestamp.CopyFrom(timestamp(record.started))
        event.duration.CopyFrom(duration(record.took))
        event.destination_verb_ref.CopyFrom(ref(record.verb))
        if context.callers:
            event.source_verb_ref.CopyFrom(ref(context.callers[-1]))
        event.request, event.response = shown(record.request), shown(record.response)
        event.span_id, event.parent_span_id, event.kind = context.span_id, context.parent_span_id, record.kind
        if record.error is not None:
            event.error = record.error.message
            event.stack = record.error.remote

    def _log(self, record: LogRecord, event: event_pb2.LogEvent) -> None:
        event.deployment_key = self._deployment
        event.request_key = record.request_key
        event.timestamp.CopyFrom(timestamp(record.when))
        event.log_level = LEVELS.get(record.level, 9)
        event.message = shown(record.text)
        attributes = {"module": self._module, "verb": record.verb, "stream": record.stream, "span": record.span}
        event.attributes.update(attributes)


def shown(text: bytes | str) -> str:
    """What the timeline keeps of a body or a line: SHOWN bytes or characters, and how much there was."""
    kept = text[:SHOWN]
    read = kept if isinstance(kept, str) else kept.decode(errors="replace")
    unit = "characters" if isinstance(text, str) else "bytes"
    return read if len(text) <= SHOWN else f"{read}… ({len(text):,} {unit} in all)"


def timestamp(seconds: float) -> Timestamp:
    whole = int(seconds)
    return Timestamp(seconds=whole, nanos=int((seconds - whole) * 1e9))


def duration(seconds: float) -> Duration:
    whole = int(seconds)
    return Duration(seconds=whole, nanos=int((seconds - whole) * 1e9))


def ref(verb: str) -> schema_pb2.Ref:
    module, _, name = verb.partition(".")
    return schema_pb2.Ref(module=module, name=name)
