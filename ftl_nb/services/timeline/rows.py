"""An event as a row of the archive's table, and back: columns to filter and to query by, and the message itself.

What is long of a message (bodies, texts) is in columns only.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from ftl_nb.rpc import event_pb2
from ftl_nb.schema import schema_pb2
from ftl_nb.services.timeline.facts import changeset_of, deployment_of, entry_of, kind_of, nanoseconds, where

#: Name and SQL type, in the order of the table. Texts that an event does not have are empty, its module null.
COLUMNS: dict[str, str] = {
    "id": "bigint",
    "at_ns": "bigint",
    "started_ns": "bigint",
    "type": "varchar",
    "level": "bigint",
    "deployment": "varchar",
    "request_key": "varchar",
    "changeset": "varchar",
    "module": "varchar",
    "verb": "varchar",
    "source_module": "varchar",
    "source_verb": "varchar",
    "kind": "varchar",
    "trace_id": "varchar",
    "span_id": "varchar",
    "parent_span_id": "varchar",
    "duration": "double",
    "error": "varchar",
    "stack": "varchar",
    "request": "varchar",
    "response": "varchar",
    "message": "varchar",
    "subject": "varchar",
    "action": "varchar",
    "accessor": "varchar",
    "first_number": "bigint",
    "second_number": "bigint",
    "event": "blob",
}
#: Entry fields that are kept in the column of the same name alone.
_LONG = ("request", "response", "message", "stack")
_SAME = ("request_key", "accessor", "kind", "trace_id", "span_id", "parent_span_id", "error")
#: Where an entry says what it is about, what happened, and its two numbers.
_SUBJECT = {
    "ingress": ("path", "method", "status_code", ""),
    "cron_scheduled": ("schedule", "", "", ""),
    "pubsub_publish": ("topic", "", "partition", "offset"),
    "pubsub_consume": ("topic", "", "partition", "offset"),
    "changeset_created": ("modules", "", "", ""),
    "changeset_state_changed": ("", "state", "", ""),
    "deployment_runtime": ("element_name", "element_type", "", ""),
    "stream": ("", "", "items", "bytes"),
    "secret_access": ("secret", "action", "", ""),
    "lease": ("lease", "action", "token", ""),
}


def lines(events: Iterable[event_pb2.Event]) -> bytes:
    """A JSON object a line: the columns that an event has, by name; the message is in base64."""
    from msgspec.json import Encoder

    return b"\n".join(map(Encoder().encode, map(row, events)))


def row(event: event_pb2.Event) -> dict[str, Any]:
    """What of the columns is neither empty nor zero."""
    kind = kind_of(event)
    rest = event_pb2.Event()
    rest.CopyFrom(event)
    entry = getattr(rest, kind)
    same, long = _fields_of(kind)
    values: dict[str, Any] = {name: getattr(entry, name) for name in same}
    for name in long:
        if text := getattr(entry, name):
            values[name] = text
            entry.ClearField(name)
    at, started = nanoseconds(event.timestamp), getattr(entry, "timestamp", None)
    values["id"], values["at_ns"], values["type"] = event.id, at, kind
    values["started_ns"] = nanoseconds(started) if started is not None and started.ByteSize() else at
    values["event"] = b64encode(rest.SerializeToString()).decode()
    # Outside of any module it is null, and no filter by module finds it.
    values["module"], values["verb"] = where(kind, entry) or (None, "")
    values |= _TOLD.get(kind, _told)(kind, entry)
    return values


@cache
def _fields_of(kind: str) -> tuple[list[str], list[str]]:
    """The fields of an entry that are columns of the same name, the short and the long ones."""
    there = getattr(event_pb2.Event(), kind).DESCRIPTOR.fields_by_name
    return [name for name in _SAME if name in there], [name for name in _LONG if name in there]


def _told_by_log(kind: str, entry: event_pb2.LogEvent) -> dict[str, Any]:
    return {"level": entry.log_level, "deployment": entry.deployment_key, "changeset": entry.changeset_key}


def _told_by_call(kind: str, entry: event_pb2.CallEvent) -> dict[str, Any]:
    source = entry.source_verb_ref
    return {
        "deployment": entry.deployment_key,
        "duration": nanoseconds(entry.duration) / 1e9,
        "source_module": source.module,
        "source_verb": source.name,
    }


def _told(kind: str, entry: Any) -> dict[str, Any]:
    subject, action, first, second = (getattr(entry, name, "") for name in _SUBJECT[kind])
    if kind == "changeset_created":
        subject = ", ".join([*entry.modules, *(f"-{name}" for name in entry.to_remove)])
        action = "created"
    if kind == "changeset_state_changed":
        action = _state(entry.state)
    return {
        "subject": subject,
        "action": action,
        "first_number": first or 0,
        "second_number": second or 0,
        "deployment": deployment_of(kind, entry),
        "changeset": changeset_of(kind, entry),
        "duration": nanoseconds(entry.duration) / 1e9 if hasattr(entry, "duration") else None,
    }


def _state(number: int) -> str:
    known = number in schema_pb2.ChangesetState.values()
    return schema_pb2.ChangesetState.Name(number).removeprefix("CHANGESET_STATE_").lower() if known else str(number)  # type: ignore[arg-type]


_TOLD: dict[str, Callable[[str, Any], dict[str, Any]]] = {"log": _told_by_log, "call": _told_by_call}


def event_of(stored: bytes, long: Iterable[str]) -> event_pb2.Event:
    """The event of its message and of the columns request, response, message and stack."""
    event = event_pb2.Event.FromString(stored)
    entry = entry_of(event)
    for name, text in zip(_LONG, long, strict=True):
        if text:
            setattr(entry, name, text)
    return event
