"""OpenTelemetry export: what a receiver decodes, with the protocol's own classes, of what the timeline heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from ftl_nb.rpc import event_pb2
from ftl_nb.services.timeline import Exporter, Timeline, exporter_of, otel
from ftl_nb.services.timeline.otel import Target, target_of
from ftl_nb.services.timeline.spans import request_of, span_of
from services.test_timeline import Entry, call, log

TRACE, ROOT, CHILD = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted; `answers` are the codes of the next answers, then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.asked: list[tuple[str, dict[str, str], ExportTraceServiceRequest]] = []
        self.came = threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self, count: int) -> dict[str, Span]:
        """By name, once there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self._spans()) >= count, 20)
            return {span.name: span for span in self._spans()}

    def _spans(self) -> list[Span]:
        return [
            s for _, _, r in self.asked for one in r.resource_spans for scope in one.scope_spans for s in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.came:
            code = self.server.answers.pop(0) if self.server.answers else 200
            if code == 200:
                request = ExportTraceServiceRequest.FromString(body)
                self.server.asked.append((self.path, dict(self.headers), request))
            self.server.came.notify_all()
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.shutdown()
    made.server_close()


def spanning(to: str, span: str, parent: str = "", **fields: Any) -> Entry:
    entry = call(1_700_000_000, to, key="req-ingress-notebook-1", source=fields.pop("source", ""))
    entry.call.trace_id, entry.call.span_id, entry.call.parent_span_id = TRACE, span, parent
    entry.call.timestamp.CopyFrom(Timestamp(seconds=1_700_000_000, nanos=5))
    entry.call.duration.CopyFrom(Duration(nanos=1500))
    for name, value in fields.items():
        setattr(entry.call, name, value)
    return entry


def attributes(values: Any) -> dict[str, str]:
    return {value.key: value.value.string_value for value in values}


def test_calls_arrive_as_spans_of_one_trace(receiver: Receiver) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url + "/", "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b,=c"}
    exporter = exporter_of(variables, "lab", print)
    assert exporter is not None
    timeline = Timeline(heard=(exporter.hear,))
    failed: dict[str, Any] = {"error": "no stock", "stack": "Traceback …", "kind": "sql", "request": "secret body"}
    timeline.add([spanning("shop.pay", ROOT, "1" * 16), log(1, "no span")])
    timeline.add([spanning("stock.take", CHILD, ROOT, source="shop.pay", **failed), call(1, "old.one")])
    spans = receiver.spans(2)
    exporter.close(5.0)
    assert set(spans) == {"shop.pay", "stock.take"}
    root, child = spans["shop.pay"], spans["stock.take"]
    assert root.trace_id == child.trace_id == bytes.fromhex(TRACE)
    assert (root.span_id.hex(), root.parent_span_id.hex()) == (ROOT, "1" * 16)
    assert (child.span_id.hex(), child.parent_span_id.hex()) == (CHILD, ROOT)
    assert (root.kind, child.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
    assert root.start_time_unix_nano == 1_700_000_000_000_000_005
    assert root.end_time_unix_nano - root.start_time_unix_nano == 1500
    assert root.status.code == Status.STATUS_CODE_UNSET
    assert (child.status.code, child.status.message) == (Status.STATUS_CODE_ERROR, "no stock")
    assert attributes(child.events[0].attributes)["exception.stacktrace"] == "Traceback …"
    assert attributes(child.attributes) == {
        "ftl.module": "stock",
        "ftl.verb": "take",
        "ftl.kind": "sql",
        "ftl.request_key": "req-ingress-notebook-1",
        "ftl.deployment": "dpl-stock",
        "ftl.source": "shop.pay",
    }
    path, headers, request = receiver.asked[0]
    assert (path, headers["X-Key"], headers["Content-Type"]) == ("/v1/traces", "a b", "application/x-protobuf")
    named = attributes(request.resource_spans[0].resource.attributes)
    assert named == {"service.name": "shop", "service.namespace": "lab"}
    assert b"secret body" not in b"".join(r.SerializeToString() for _, _, r in receiver.asked)
    assert exporter.lost == 0


def test_what_may_be_sent_once_more_is(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "_AGAIN_SECONDS", (0.0, 0.0))
    says: list[str] = []
    receiver.answers = [503, 429]
    exporter = Exporter(Target(receiver.url, {}), "lab", says.append, pause=0.0)
    Timeline(heard=(exporter.hear,)).add([spanning("shop.pay", ROOT)])
    assert "shop.pay" in receiver.spans(1)
    exporter.close(5.0)
    assert (exporter.lost, says) == (0, [])


def test_what_is_refused_is_counted_and_told_once(receiver: Receiver) -> None:
    says: list[str] = []
    receiver.answers = [400, 400]
    exporter = Exporter(Target(receiver.url, {"Authorization": "hush"}), "lab", says.append, pause=0.0)
    timeline = Timeline(heard=(exporter.hear,))
    for name in ("shop.pay", "shop.again"):
        timeline.add([spanning(name, ROOT)])
        with receiver.came:
            assert receiver.came.wait_for(lambda name=name: len(receiver.answers) == (name == "shop.pay"), 20)  # type: ignore[misc]
    exporter.close(5.0)
    assert exporter.lost == 2
    assert says == ["timeline: spans are not taken by the endpoint of OTLP (HTTP 400)"]


def test_an_endpoint_that_is_not_there_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "WAITING", 10)
    says: list[str] = []
    exporter = Exporter(Target("http://127.0.0.1:9/v1/traces", {}), "lab", says.append, pause=60.0)
    timeline = Timeline(heard=(exporter.hear,))
    for _ in range(25):
        timeline.add([spanning("shop.pay", ROOT)])
    assert exporter.lost == 15
    exporter.close(5.0)
    assert "not taken" in says[0]


def test_garbage_of_ids_and_clocks_makes_no_broken_span() -> None:
    wrong = [spanning("a.b", ROOT, trace_id=t) for t in ("", "xyz", "0" * 32, TRACE.upper(), TRACE[:-1])]
    timeline = Timeline()
    timeline.add([*wrong, spanning("a.b", "0" * 16), spanning("shop.pay", ROOT, "not hex")])
    heard: list[event_pb2.Event] = [e for e in timeline.select(_all())[0] if otel_is_span(e)]
    assert [span_of(e).parent_span_id for e in heard] == [b""]
    late = spanning("shop.pay", ROOT)
    late.call.timestamp.seconds, late.call.duration.seconds = 2**62, -5
    timeline.add([late])
    span = span_of(timeline.select(_all())[0][-1])
    assert span.start_time_unix_nano == span.end_time_unix_nano == 2**62


def _all() -> Any:
    from ftl_nb.rpc import timeline_pb2

    return timeline_pb2.TimelineQuery(limit=99)


def otel_is_span(event: event_pb2.Event) -> bool:
    from ftl_nb.services.timeline.spans import is_span

    return is_span(event)


@pytest.mark.parametrize("kind", ["ingress", "cron_scheduled", "pubsub_publish", "pubsub_consume", "stream"])
def test_every_event_that_took_time_can_be_a_span(kind: str) -> None:
    event = event_pb2.Event()
    entry = getattr(event, kind)
    entry.trace_id, entry.span_id = TRACE, ROOT
    if kind == "pubsub_consume":
        entry.dest_verb_module, entry.dest_verb_name = "shop", "pay"
    else:
        entry.verb_ref.module, entry.verb_ref.name = "shop", "pay"
    (resource,) = request_of([event], "lab", "all").resource_spans
    assert resource.scope_spans[0].spans[0].name == "shop.pay"
    assert attributes(resource.resource.attributes)["service.name"] == "all"


ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.mark.parametrize(
    ("variables", "url", "says"),
    [
        ({}, None, ""),
        ({ENDPOINT: "http://a:4318"}, "http://a:4318/v1/traces", ""),
        ({ENDPOINT: "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/x"}, "http://b/x", ""),
        ({ENDPOINT: "http://a", "OTEL_SDK_DISABLED": "true"}, None, ""),
        ({ENDPOINT: "http://a", "OTEL_TRACES_EXPORTER": "none"}, None, ""),
        ({ENDPOINT: "http://a", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, None, "not as grpc"),
        ({ENDPOINT: "file:///etc/passwd"}, None, "no http://"),
        ({ENDPOINT: "http://a", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "http://a/v1/traces", ""),
    ],
)
def test_the_variables_are_those_of_opentelemetry(variables: dict[str, str], url: str | None, says: str) -> None:
    said: list[str] = []
    target = target_of(variables, said.append)
    assert (target.url if target else None) == url
    assert says in "".join(said)
    assert bool(says) == bool(said)
