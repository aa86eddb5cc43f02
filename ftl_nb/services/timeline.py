"""The timeline service: what happened, in order of arrival; filters and paging as the protocol has them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from ftl_nb.errors import fail
from ftl_nb.rpc import Context, event_pb2, timeline_pb2
from ftl_nb.rpc.services import Served, TimelineService
from ftl_nb.services.access import EVERYBODY, PROCESSES, only, ping

KEPT = 100_000
_LEAST_INTERVAL = 0.05
Matches = Callable[[event_pb2.Event], bool]
_CHANGESETS = ("changeset_created", "changeset_state_changed")


class Timeline:
    """The newest KEPT events of this run, ids from 0 in order of arrival. Thread-safe."""

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[event_pb2.Event] = deque(maxlen=kept)
        self._next = 0
        self._changed = threading.Condition()

    def add(self, entries: Iterable[timeline_pb2.CreateEventsRequest.EventEntry]) -> None:
        """Stores a batch, in order of its timestamps."""
        ordered = sorted(entries, key=lambda e: (e.timestamp.seconds, e.timestamp.nanos))
        with self._changed:
            for entry in ordered:
                self._events.append(_event(self._next, entry))
                self._next += 1
            self._changed.notify_all()

    def select(self, query: timeline_pb2.TimelineQuery) -> tuple[list[event_pb2.Event], int | None]:
        """The first `limit` matches in the asked order, and the id of the next one. Raises FtlError `usage`."""
        if query.limit <= 0:
            raise fail("usage", detail="A timeline query needs a limit above 0", hint_text="set limit")
        matches = matcher(query.filters)
        with self._changed:
            events = list(self._events)
        ordered = reversed(events) if query.order == timeline_pb2.TimelineQuery.ORDER_DESC else iter(events)
        found = list(islice(filter(matches, ordered), query.limit + 1))
        cursor = found[query.limit].id if len(found) > query.limit else None
        return found[: query.limit], cursor

    def wait_beyond(self, last: int, context: Context) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._next > last + 1 or not context.is_active())

    @property
    def last(self) -> int:
        """The newest id, -1 while there is none."""
        return self._next - 1

    def wait_for_more(self, last: int, timeout: float) -> None:
        """Until there is an event newer than `last`, at most `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._next > last + 1, timeout)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def newer(self, last: int, matches: Matches) -> tuple[list[event_pb2.Event], int]:
        """Matches with an id above `last`, and the newest id looked at."""
        with self._changed:
            new = [e for e in self._events if e.id > last]
        return list(filter(matches, new)), new[-1].id if new else last

    def delete(self, kind: str, before: float) -> int:
        """Removes events of one type that are older; how many."""
        with self._changed:
            kept = [e for e in self._events if e.WhichOneof("entry") != kind or e.timestamp.seconds >= before]
            gone = len(self._events) - len(kept)
            self._events = deque(kept, maxlen=self._events.maxlen)
        return gone


def _event(number: int, entry: timeline_pb2.CreateEventsRequest.EventEntry) -> event_pb2.Event:
    made = event_pb2.Event(timestamp=entry.timestamp, id=number)
    kind = entry.WhichOneof("entry")
    if kind is not None:
        getattr(made, kind).CopyFrom(getattr(entry, kind))
    return made


# --- filters: those of one kind are alternatives, different kinds must all hold ---


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
    return lambda e: e.WhichOneof("entry") in _CHANGESETS or getattr(_entry(e), "deployment_key", "") in wanted


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
    if kind in ("ingress", "pubsub_publish"):
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
    if kind in _CHANGESETS:
        return str(getattr(event, kind).key)
    return event.log.changeset_key if kind == "log" else ""


class TimelineServer:
    """The gRPC face of a timeline; `clock` gives seconds since the epoch."""

    def __init__(self, timeline: Timeline, clock: Callable[[], float]) -> None:
        self._timeline = timeline
        self._clock = clock
        self._pace = threading.Event()

    def create(self, request: timeline_pb2.CreateEventsRequest, context: Context) -> timeline_pb2.CreateEventsResponse:
        self._timeline.add(request.entries)
        return timeline_pb2.CreateEventsResponse()

    def get(self, request: timeline_pb2.GetTimelineRequest, context: Context) -> timeline_pb2.GetTimelineResponse:
        events, cursor = self._timeline.select(request.query)
        return timeline_pb2.GetTimelineResponse(events=events, cursor=cursor)

    def stream(
        self, request: timeline_pb2.StreamTimelineRequest, context: Context
    ) -> Iterator[timeline_pb2.StreamTimelineResponse]:
        """The newest `limit` matches in order, then everything newer, at most one message an interval."""
        context.add_callback(self._timeline.wake)
        newest = timeline_pb2.TimelineQuery()
        newest.CopyFrom(request.query)
        newest.order = timeline_pb2.TimelineQuery.ORDER_DESC
        matches = matcher(request.query.filters)
        _, last = self._timeline.newer(-1, lambda event: False)
        found, _ = self._timeline.select(newest)
        yield timeline_pb2.StreamTimelineResponse(events=reversed([e for e in found if e.id <= last]))
        interval = max(_LEAST_INTERVAL, request.update_interval.ToNanoseconds() / 1e9)
        while context.is_active():
            self._timeline.wait_beyond(last, context)
            events, last = self._timeline.newer(last, matches)
            if events:
                yield timeline_pb2.StreamTimelineResponse(events=events)
            self._pace.wait(interval)

    def delete(
        self, request: timeline_pb2.DeleteOldEventsRequest, context: Context
    ) -> timeline_pb2.DeleteOldEventsResponse:
        kind = event_pb2.EventType.Name(request.event_type).removeprefix("EVENT_TYPE_").lower()
        gone = self._timeline.delete(kind, self._clock() - request.age_seconds)
        return timeline_pb2.DeleteOldEventsResponse(deleted_count=gone)

    def served_by(self) -> tuple[Served, ...]:
        return (
            TimelineService.ping.served_by(only(EVERYBODY, ping)),
            TimelineService.create_events.served_by(only(PROCESSES, self.create)),
            TimelineService.get_timeline.served_by(only(("client", "service"), self.get)),
            TimelineService.stream_timeline.served_by(only(("client", "service"), self.stream)),
            TimelineService.delete_old_events.served_by(only(("client", "service"), self.delete)),
        )
