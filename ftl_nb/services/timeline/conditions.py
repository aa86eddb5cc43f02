"""The same filters as SQL over the archive's table; `filters.matcher` says what each means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from ftl_nb.rpc import timeline_pb2
from ftl_nb.services.timeline.facts import nanoseconds
from ftl_nb.services.timeline.filters import type_name

Query = timeline_pb2.TimelineQuery
Condition = tuple[str, list[Any]]


def condition(filters: Iterable[Query.Filter]) -> Condition:
    """An expression with its parameters in order; `true` without filters."""
    kinds: dict[str, list[Condition]] = {}
    for one in filters:
        kind = one.WhichOneof("filter")
        if kind is not None:
            kinds.setdefault(kind, []).append(_CONDITIONS[kind](getattr(one, kind)))
    return _all([_joined(" or ", group) for group in kinds.values()])


def _all(parts: list[Condition]) -> Condition:
    return _joined(" and ", parts) if parts else ("true", [])


def _joined(word: str, parts: list[Condition]) -> Condition:
    return f"({word.join(text for text, _ in parts)})", [value for _, values in parts for value in values]


def _among(column: str, values: Iterable[str]) -> Condition:
    return f"list_contains(?::varchar[], {column})", [list(values)]


def _by_deployment(f: Query.DeploymentFilter) -> Condition:
    text, values = _among("deployment", f.deployments)
    return f"(type in ('changeset_created', 'changeset_state_changed') or {text})", values


def _by_time(f: Query.TimeFilter) -> Condition:
    bounds: list[tuple[str, Timestamp]] = []
    if f.HasField("older_than"):
        bounds.append(("at_ns <= ?", f.older_than))
    if f.HasField("newer_than"):
        bounds.append(("at_ns >= ?", f.newer_than))
    return _all([(text, [nanoseconds(bound)]) for text, bound in bounds])


def _by_id(f: Query.IDFilter) -> Condition:
    lower = [("id <= ?", [f.lower_than])] if f.HasField("lower_than") else []
    higher = [("id >= ?", [f.higher_than])] if f.HasField("higher_than") else []
    return _all([*lower, *higher])


def _by_call(f: Query.CallFilter) -> Condition:
    parts: list[Condition] = [("module = ?", [f.dest_module])]
    if f.HasField("dest_verb"):
        parts.append(("verb = ?", [f.dest_verb]))
    if f.HasField("source_module"):
        parts.append(("source_module = ?", [f.source_module]))
    text, values = _all(parts)
    return f"(type <> 'call' or {text})", values


def _by_module(f: Query.ModuleFilter) -> Condition:
    # A module is null where an event belongs to none.
    verb = [("verb = ?", [f.verb])] if f.HasField("verb") else []
    return _all([("module is not null and module = ?", [f.module]), *verb])


_CONDITIONS: dict[str, Callable[..., Condition]] = {
    "log_level": lambda f: ("(type <> 'log' or level >= ?)", [f.log_level]),
    "deployments": _by_deployment,
    "requests": lambda f: _among("request_key", f.requests),
    "event_types": lambda f: _among("type", map(type_name, f.event_types)),
    "time": _by_time,
    "id": _by_id,
    "call": _by_call,
    "module": _by_module,
    "changesets": lambda f: _among("changeset", f.changesets),
}
