"""What the filters and the tables of the timeline know of an event, whatever its type."""

from __future__ import annotations

from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from ftl_nb.rpc import event_pb2
from ftl_nb.schema import schema_pb2

CHANGESETS = ("changeset_created", "changeset_state_changed")
_VERB_REFS = {
    "call": "destination_verb_ref",
    "ingress": "verb_ref",
    "pubsub_publish": "verb_ref",
    "stream": "verb_ref",
}
_MOST = 2**62


def nanoseconds(value: Timestamp | Duration) -> int:
    """Within what a BIGINT holds, whatever a clock gave."""
    return max(-_MOST, min(_MOST, value.seconds * 1_000_000_000 + value.nanos))


def kind_of(event: event_pb2.Event) -> str:
    """The name of the event's entry: `call`, `log` …; empty for one that has none."""
    return event.WhichOneof("entry") or ""


def entry_of(event: event_pb2.Event) -> Any:
    """The entry itself. The event has one."""
    return getattr(event, kind_of(event))


def deployment_of(kind: str, entry: Any) -> str:
    return str(entry.key if kind == "deployment_runtime" else getattr(entry, "deployment_key", ""))


def changeset_of(kind: str, entry: Any) -> str:
    """The key of the changeset that the event is of, or empty."""
    if kind in CHANGESETS:
        return str(entry.key)
    if kind == "deployment_runtime":
        return str(entry.changeset)
    return str(entry.changeset_key) if kind == "log" else ""


def where(kind: str, entry: Any) -> tuple[str, str] | None:
    """Module and verb of an event; None for types that belong to none."""
    if kind == "log":
        attributes = entry.attributes
        return attributes.get("module", ""), attributes.get("verb", "").rpartition(".")[2]
    if kind == "pubsub_consume":
        return entry.dest_verb_module, entry.dest_verb_name
    if kind in _VERB_REFS:
        ref: schema_pb2.Ref = getattr(entry, _VERB_REFS[kind])
        return ref.module, ref.name
    return None
