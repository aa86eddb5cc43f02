"""Filters of a timeline query over one event: those of one kind are alternatives, different kinds must all hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ftl_nb.rpc import event_pb2, timeline_pb2
from ftl_nb.services.timeline.facts import (
    CHANGESETS,
    changeset_of,
    deployment_of,
    entry_of,
    kind_of,
    nanoseconds,
    where,
)

Matches = Callable[[event_pb2.Event], bool]
Query = timeline_pb2.TimelineQuery


def matcher(filters: Iterable[Query.Filter]) -> Matches:
    kinds: dict[str, list[Matches]] = {}
    for one in filters:
        kind = one.WhichOneof("filter")
        if kind is not None:
            kinds.setdefault(kind, []).append(_FILTERS[kind](getattr(one, kind)))
    groups = list(kinds.values())
    return lambda event: all(any(match(event) for match in group) for group in groups)


def type_name(number: int) -> str:
    """The name of an event type's entry; empty for a number that is none."""
    if number not in event_pb2.EventType.values():
        return ""
    return event_pb2.EventType.Name(number).removeprefix("EVENT_TYPE_").lower()  # type: ignore[arg-type]


def _by_level(f: Query.LogLevelFilter) -> Matches:
    return lambda e: kind_of(e) != "log" or e.log.log_level >= f.log_level


def _by_deployment(f: Query.DeploymentFilter) -> Matches:
    wanted = set(f.deployments)
    return lambda e: kind_of(e) in CHANGESETS or deployment_of(kind_of(e), entry_of(e)) in wanted


def _by_request(f: Query.RequestFilter) -> Matches:
    wanted = set(f.requests)
    return lambda e: getattr(entry_of(e), "request_key", "") in wanted


def _by_changeset(f: Query.ChangesetFilter) -> Matches:
    wanted = set(f.changesets)
    return lambda e: changeset_of(kind_of(e), entry_of(e)) in wanted


def _by_type(f: Query.EventTypeFilter) -> Matches:
    names = {type_name(t) for t in f.event_types}
    return lambda e: kind_of(e) in names


def _by_time(f: Query.TimeFilter) -> Matches:
    older = nanoseconds(f.older_than) if f.HasField("older_than") else None
    newer = nanoseconds(f.newer_than) if f.HasField("newer_than") else None

    def match(event: event_pb2.Event) -> bool:
        at = nanoseconds(event.timestamp)
        return (older is None or at <= older) and (newer is None or at >= newer)

    return match


def _by_id(f: Query.IDFilter) -> Matches:
    lower = f.lower_than if f.HasField("lower_than") else None
    higher = f.higher_than if f.HasField("higher_than") else None
    return lambda e: (lower is None or e.id <= lower) and (higher is None or e.id >= higher)


def _by_call(f: Query.CallFilter) -> Matches:
    def match(event: event_pb2.Event) -> bool:
        if kind_of(event) != "call":
            return True
        to, source = event.call.destination_verb_ref, event.call.source_verb_ref
        return (
            to.module == f.dest_module
            and (not f.HasField("dest_verb") or to.name == f.dest_verb)
            and (not f.HasField("source_module") or source.module == f.source_module)
        )

    return match


def _by_module(f: Query.ModuleFilter) -> Matches:
    verb = f.verb if f.HasField("verb") else None

    def match(event: event_pb2.Event) -> bool:
        found = where(kind_of(event), entry_of(event))
        return found is not None and found[0] == f.module and (verb is None or found[1] == verb)

    return match


_FILTERS: dict[str, Callable[..., Matches]] = {
    "log_level": _by_level,
    "deployments": _by_deployment,
    "requests": _by_request,
    "event_types": _by_type,
    "time": _by_time,
    "id": _by_id,
    "call": _by_call,
    "module": _by_module,
    "changesets": _by_changeset,
}
