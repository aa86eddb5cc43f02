"""Filters of a timeline query over one event: those of one kind are alternatives, different kinds must all hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ftl_nb.rpc import event_pb2, timeline_pb2

Matches = Callable[[event_pb2.Event], bool]
CHANGESETS = ("changeset_created", "changeset_state_changed")


def matcher(filters: Iterable[timeline_pb2.TimelineQuery.Filter]) -> Matches:
    kinds: dict[str, list[Matches]] = {}
    for one in filters:
        kind = one.WhichOneof("filter")
        if kind is not None:
            kinds.setdefault(kind, []).append(_FILTERS[kind](getattr(one, kind)))
    groups = list(kinds.values())
    return lambda event: all(any(match(event) for match in group) for group in groups)


def _entry(event: event_pb2.Event) -> object:
    return getattr(event, event.WhichOneof("entry") or "log")


def _by_level(f: timeline_pb2.TimelineQuery.LogLevelFilter) -> Matches:
    return lambda e: e.WhichOneof("entry") != "log" or e.log.log_level >= f.log_level


def _by_deployment(f: timeline_pb2.TimelineQuery.DeploymentFilter) -> Matches:
    wanted = set(f.deployments)
    return lambda e: e.WhichOneof("entry") in CHANGESETS or getattr(_entry(e), "deployment_key", "") in wanted


def _by_request(f: timeline_pb2.TimelineQuery.RequestFilter) -> Matches:
    wanted = set(f.requests)
    return lambda e: getattr(_entry(e), "request_key", "") in wanted


def _by_type(f: timeline_pb2.TimelineQuery.EventTypeFilter) -> Matches:
    names = {event_pb2.EventType.Name(t).removeprefix("EVENT_TYPE_").lower() for t in f.event_types}
    return lambda e: (e.WhichOneof("entry") or "") in names


def _by_time(f: timeline_pb2.TimelineQuery.TimeFilter) -> Matches:
    older = f.older_than.ToNanoseconds() if f.HasField("older_than") else None
    newer = f.newer_than.ToNanoseconds() if f.HasField("newer_than") else None

    def match(event: event_pb2.Event) -> bool:
        at = event.timestamp.ToNanoseconds()
        return (older is None or at <= older) and (newer is None or at >= newer)

    return match


def _by_id(f: timeline_pb2.TimelineQuery.IDFilter) -> Matches:
    lower = f.lower_than if f.HasField("lower_than") else None
    higher = f.higher_than if f.HasField("higher_than") else None
    return lambda e: (lower is None or e.id <= lower) and (higher is None or e.id >= higher)


def _by_call(f: timeline_pb2.TimelineQuery.CallFilter) -> Matches:
    def match(event: event_pb2.Event) -> bool:
        if event.WhichOneof("entry") != "call":
            return True
        to, source = event.call.destination_verb_ref, event.call.source_verb_ref
        return (
            to.module == f.dest_module
            and (not f.HasField("dest_verb") or to.name == f.dest_verb)
            and (not f.HasField("source_module") or source.module == f.source_module)
        )

    return match


def _by_module(f: timeline_pb2.TimelineQuery.ModuleFilter) -> Matches:
    verb = f.verb if f.HasField("verb") else None

    def match(event: event_pb2.Event) -> bool:
        where = _where(event)
        return where is not None and where[0] == f.module and (verb is None or where[1] == verb)

    return match


def _where(event: event_pb2.Event) -> tuple[str, str] | None:
    """Module and verb of an event; None for kinds that have none."""
    kind = event.WhichOneof("entry")
    if kind == "log":
        attributes = event.log.attributes
        return attributes.get("module", ""), attributes.get("verb", "").rpartition(".")[2]
    if kind == "call":
        return event.call.destination_verb_ref.module, event.call.destination_verb_ref.name
    if kind in ("ingress", "pubsub_publish", "stream"):
        return getattr(event, kind).verb_ref.module, getattr(event, kind).verb_ref.name
    if kind == "pubsub_consume":
        return event.pubsub_consume.dest_verb_module, event.pubsub_consume.dest_verb_name
    return None


_FILTERS: dict[str, Callable[..., Matches]] = {
    "log_level": _by_level,
    "deployments": _by_deployment,
    "requests": _by_request,
    "event_types": _by_type,
    "time": _by_time,
    "id": _by_id,
    "call": _by_call,
    "module": _by_module,
    "changesets": lambda f: lambda e: _changeset_key(e) in set(f.changesets),
}


def _changeset_key(event: event_pb2.Event) -> str:
    kind = event.WhichOneof("entry")
    if kind in CHANGESETS:
        return str(getattr(event, kind).key)
    return event.log.changeset_key if kind == "log" else ""
