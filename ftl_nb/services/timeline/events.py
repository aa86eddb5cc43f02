"""The events of a cluster in order of arrival: the newest at hand, the older ones in the archive."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from itertools import islice

from ftl_nb.errors import fail
from ftl_nb.rpc import Context, event_pb2, timeline_pb2
from ftl_nb.services.timeline.filters import Matches, matcher

KEPT = 100_000


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
