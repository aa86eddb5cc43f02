"""Spans for OpenTelemetry: what the timeline hears goes on by OTLP (http/protobuf), where a variable names an endpoint.

The variables are OpenTelemetry's own: OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT and _PROTOCOL, each also with
TRACES in its name, OTEL_SERVICE_NAME, OTEL_TRACES_EXPORTER and OTEL_SDK_DISABLED. Bodies of calls stay here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import unquote
from urllib.request import Request, urlopen

from ftl_nb.rpc import event_pb2

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

WAITING = 20_000
_BATCH = 512
_EVERY_SECONDS = 1.0
_AGAIN_SECONDS = (1.0, 4.0)
_LATER = {429, 502, 503, 504}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Where spans go: `url` with its path, `timeout` in seconds, `service` empty for the name of each module."""

    url: str
    headers: Mapping[str, str]
    timeout: float = 10.0
    service: str = ""


def target_of(environment: Mapping[str, str], say: Say) -> Target | None:
    """What the variables say; None where they say nothing, or what cannot be done, which is told."""

    def value(name: str) -> str:
        own = environment.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}", "")
        return (own or environment.get(f"OTEL_EXPORTER_OTLP_{name}", "")).strip()

    url = _url(environment)
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if not url or off or environment.get("OTEL_TRACES_EXPORTER", "") == "none":
        return None
    if not url.startswith(("http://", "https://")):
        say("timeline: spans are not exported: the endpoint of OTLP is no http:// or https:// address")
        return None
    if value("PROTOCOL") not in ("", "http/protobuf"):
        say(f"timeline: spans are not exported: OTLP is spoken as http/protobuf, not as {value('PROTOCOL')}")
        return None
    timeout = value("TIMEOUT")
    seconds = int(timeout) / 1000 if timeout.isascii() and timeout.isdigit() and int(timeout) else 10.0
    return Target(url, _pairs(value("HEADERS")), seconds, environment.get("OTEL_SERVICE_NAME", ""))


def _url(environment: Mapping[str, str]) -> str:
    own = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").strip()
    base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip().rstrip("/")
    return own or (f"{base}/v1/traces" if base else "")


def _pairs(text: str) -> dict[str, str]:
    pairs = (word.partition("=") for word in text.split(","))
    return {unquote(name.strip()): unquote(value.strip()) for name, _, value in pairs if name.strip()}


def exporter_of(environment: Mapping[str, str], realm: str, say: Say) -> Exporter | None:
    """The exporter that the variables ask for, started."""
    target = target_of(environment, say)
    if target is None:
        return None
    try:
        import opentelemetry.proto.trace.v1.trace_pb2  # noqa: F401
    except ImportError:
        say("timeline: spans are not exported: pip install 'ftl-nb[otel]'")
        return None
    return Exporter(target, realm, say)


class Exporter:
    """Sends spans in batches from a thread of its own. What waits is bounded: the oldest are dropped and counted."""

    def __init__(self, target: Target, realm: str, say: Say, pause: float = _EVERY_SECONDS) -> None:
        self._target, self._realm, self._say, self._pause = target, realm, say, pause
        self._waiting: deque[event_pb2.Event] = deque(maxlen=WAITING)
        self._ready, self._closing = threading.Event(), threading.Event()
        self._failing = False
        self._losing = threading.Lock()
        #: How many spans never arrived.
        self.lost = 0
        self._thread = threading.Thread(target=self._run, name="ftl-otel", daemon=True)
        self._thread.start()

    def hear(self, events: Sequence[event_pb2.Event]) -> None:
        """Never blocks."""
        from ftl_nb.services.timeline.spans import is_span

        spans = [event for event in events if is_span(event)]
        self._lose(max(0, len(self._waiting) + len(spans) - WAITING))
        self._waiting.extend(spans)
        if spans:
            self._ready.set()

    def _lose(self, count: int) -> None:
        with self._losing:
            self.lost += count

    def close(self, timeout: float = 0.3) -> None:
        """Sends what waits, where that takes no longer."""
        self._closing.set()
        self._ready.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        from ftl_nb.services.timeline.spans import request_of

        while not self._closing.is_set() or self._waiting:
            self._ready.wait()
            self._closing.wait(self._pause)
            self._ready.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
                self._deliver(request_of(batch, self._realm, self._target.service), len(batch))

    def _deliver(self, request: ExportTraceServiceRequest, count: int) -> None:
        body = request.SerializeToString()
        for again in (*_AGAIN_SECONDS, None):
            why, later = self._send(body)
            if not why:
                self._failing = False
                return
            if again is None or not later or self._closing.is_set():
                break
            self._closing.wait(again)
        self._lose(count)
        if not self._failing:
            self._say(f"timeline: spans are not taken by the endpoint of OTLP ({why})")
        self._failing = True

    def _send(self, body: bytes) -> tuple[str, bool]:
        """Empty where it was taken, else why not, and whether it may be sent once more."""
        headers = {**self._target.headers, "Content-Type": "application/x-protobuf"}
        try:
            with urlopen(Request(self._target.url, body, headers), timeout=self._target.timeout) as answer:
                answer.read()
        except HTTPError as e:
            with e:
                return f"HTTP {e.code}", e.code in _LATER
        except (OSError, ValueError) as e:
            return str(getattr(e, "reason", e)), isinstance(e, OSError)
        return "", False
