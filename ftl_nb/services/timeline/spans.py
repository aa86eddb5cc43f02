"""Events of the timeline as spans of OpenTelemetry's protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ftl_nb.rpc import event_pb2
from ftl_nb.services.timeline.facts import entry_of, kind_of, nanoseconds, where

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

_SPANS = ("call", "ingress", "cron_scheduled", "pubsub_publish", "pubsub_consume", "stream")
_KINDS = {
    "ingress": "SPAN_KIND_SERVER",
    "pubsub_publish": "SPAN_KIND_PRODUCER",
    "pubsub_consume": "SPAN_KIND_CONSUMER",
    "call verb": "SPAN_KIND_SERVER",
    "call sql": "SPAN_KIND_CLIENT",
    "call client": "SPAN_KIND_CLIENT",
}
_SAMPLED = 1
_MOST = 2**63 - 1


def is_span(event: event_pb2.Event) -> bool:
    if kind_of(event) not in _SPANS:
        return False
    entry = entry_of(event)
    return _is_id(entry.trace_id, 32) and _is_id(entry.span_id, 16)


def _is_id(text: str, digits: int) -> bool:
    return len(text) == digits and set(text) <= set("0123456789abcdef") and text.strip("0") != ""


def request_of(events: Iterable[event_pb2.Event], realm: str, service: str = "") -> ExportTraceServiceRequest:
    """One message of spans, by module, which is the service where `service` is empty."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    scopes: dict[str, Any] = {}
    for event in events:
        name = service or _place(event)[0] or realm
        if name not in scopes:
            resource = request.resource_spans.add()
            resource.resource.attributes.extend(_attributes({"service.name": name, "service.namespace": realm}))
            scopes[name] = resource.scope_spans.add()
            scopes[name].scope.name = "ftl_nb"
        scopes[name].spans.append(span_of(event))
    return request


def _place(event: event_pb2.Event) -> tuple[str, str]:
    """Module and verb, those of a schedule included."""
    kind, entry = kind_of(event), entry_of(event)
    return (entry.verb_ref.module, entry.verb_ref.name) if kind == "cron_scheduled" else where(kind, entry) or ("", "")


def span_of(event: event_pb2.Event) -> Span:
    """The span of an event for which `is_span` holds."""
    from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

    kind, entry = kind_of(event), entry_of(event)
    module, verb = _place(event)
    start = min(max(0, nanoseconds(entry.timestamp if entry.HasField("timestamp") else event.timestamp)), _MOST)
    end = min(start + max(0, nanoseconds(entry.duration)), _MOST)
    span = Span(
        trace_id=bytes.fromhex(entry.trace_id),
        span_id=bytes.fromhex(entry.span_id),
        parent_span_id=bytes.fromhex(entry.parent_span_id) if _is_id(entry.parent_span_id, 16) else b"",
        name=".".join(filter(None, (module, verb))) or kind,
        kind=Span.SpanKind.Value(_KINDS.get(_key(kind, entry), "SPAN_KIND_INTERNAL")),
        start_time_unix_nano=start,
        end_time_unix_nano=end,
        attributes=_attributes(_told(kind, entry, module, verb)),
        flags=_SAMPLED,
    )
    if entry.error:
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=entry.error))
        told = {"exception.message": entry.error, "exception.stacktrace": getattr(entry, "stack", "")}
        span.events.add(time_unix_nano=end, name="exception", attributes=_attributes(told))
    return span


def _key(kind: str, entry: Any) -> str:
    return f"call {entry.kind or 'verb'}" if kind == "call" else kind


def _told(kind: str, entry: Any, module: str, verb: str) -> dict[str, str]:
    told = {
        "ftl.module": module,
        "ftl.verb": verb,
        "ftl.kind": _key(kind, entry).removeprefix("call "),
        "ftl.request_key": getattr(entry, "request_key", ""),
        "ftl.deployment": entry.deployment_key,
    }
    if kind == "call" and entry.HasField("source_verb_ref"):
        told["ftl.source"] = f"{entry.source_verb_ref.module}.{entry.source_verb_ref.name}"
    if kind in ("pubsub_publish", "pubsub_consume"):
        told["messaging.destination.name"] = entry.topic
    if kind == "ingress":
        told |= {"http.request.method": entry.method, "url.path": entry.path}
    return told


def _attributes(values: dict[str, str]) -> list[KeyValue]:
    """Empty ones are left out."""
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

    return [KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in values.items() if text]
