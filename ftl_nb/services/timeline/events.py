"""The events of a cluster in order of arrival: the newest at hand, all that is kept in the archive."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

from ftl_nb.errors import fail
from ftl_nb.rpc import Context, event_pb2, timeline_pb2
from ftl_nb.services.timeline.archive import ArchiveFailed
from ftl_nb.services.timeline.conditions import condition
from ftl_nb.services.timeline.facts import nanoseconds
from ftl_nb.services.timeline.filters import Matches, matcher
from ftl_nb.services.timeline.keeper import Keeper

#: At hand without the archive.
EVENTS, BYTES = 20_000, 32 * 2**20
Entry = timeline_pb2.CreateEventsRequest.EventEntry
Heard = Callable[[list[event_pb2.Event]], None]


class Timeline:
    """Ids count from 0, or from where the archive's end. Thread-safe. Without a `keeper` only the newest are kept.

    `heard` is told of each batch, on the thread that brought it.
    """

    def __init__(
        self, keeper: Keeper | None = None, kept: int = EVENTS, size: int = BYTES, heard: tuple[Heard, ...] = ()
    ) -> None:
        self.keeper = keeper
        self._heard = heard
        self._kept, self._size = kept, size
        self._events: deque[event_pb2.Event] = deque()
        self._bytes = 0
        self._next = self._first = keeper.first if keeper is not None else 0
        self._changed = threading.Condition()

    def add(self, entries: Iterable[Entry]) -> None:
        """Stores a batch, in order of its timestamps. What has no type that is known here is left out."""
        known = (entry for entry in entries if entry.WhichOneof("entry") is not None)
        ordered = sorted(known, key=lambda e: (e.timestamp.seconds, e.timestamp.nanos))
        with self._changed:
            new = [_event(self._next + place, entry) for place, entry in enumerate(ordered)]
            self._next += len(new)
            self._hold(new)
            if self.keeper is not None:
                self.keeper.put(new)
            self._changed.notify_all()
        for heard in self._heard:
            heard(new)

    def _hold(self, new: list[event_pb2.Event]) -> None:
        self._events.extend(new)
        self._bytes += sum(event.ByteSize() for event in new)
        while self._events and (len(self._events) > self._kept or self._bytes > self._size):
            self._bytes -= self._events.popleft().ByteSize()

    # --- looking -------------------------------------------------------------------------------------------------

    def select(self, query: timeline_pb2.TimelineQuery) -> tuple[list[event_pb2.Event], int | None]:
        """The first `limit` matches in the asked order, and the id of the next one. Raises FtlError `usage`."""
        if query.limit <= 0:
            raise fail("usage", detail="A timeline query needs a limit above 0", hint_text="set limit")
        descending, wanted = query.order == timeline_pb2.TimelineQuery.ORDER_DESC, query.limit + 1
        at_hand, oldest = self._at_hand()
        found = list(filter(matcher(query.filters), at_hand))
        if descending:
            found.reverse()
        if not descending or len(found) < wanted:
            older = self._older(query, oldest, wanted - len(found) if descending else wanted)
            found = found + older if descending else older + found
        cursor = found[query.limit].id if len(found) > query.limit else None
        return found[: query.limit], cursor

    def _at_hand(self) -> tuple[list[event_pb2.Event], int]:
        """The newest events, and the id below which none of them is."""
        with self._changed:
            events = list(self._events)
            return events, events[0].id if events else self._next

    def _older(self, query: timeline_pb2.TimelineQuery, oldest: int, limit: int) -> list[event_pb2.Event]:
        """Matches among those that are in the archive alone."""
        if self.keeper is None or not self._is_more_than_at_hand(oldest):
            return []
        self.keeper.settle(oldest - 1)
        text, values = condition(query.filters)
        descending = query.order == timeline_pb2.TimelineQuery.ORDER_DESC
        try:
            return self.keeper.archive.select(f"id < ? and {text}", [oldest, *values], limit, descending=descending)
        except ArchiveFailed:
            # What is at hand is better than nothing; the keeper has said what is wrong with the archive.
            return []

    def _is_more_than_at_hand(self, oldest: int) -> bool:
        return oldest > 0 and (oldest > self._first or self._first > 0)

    def requests(self, limit: int) -> list[str]:
        """The keys of the newest requests, newest first; those of fixtures are left out."""
        at_hand, oldest = self._at_hand()
        calls = (e.call for e in reversed(at_hand) if e.WhichOneof("entry") == "call")
        keys = list(dict.fromkeys(c.request_key for c in calls if c.kind != "fixture"))
        if len(keys) < limit and self.keeper is not None and self._is_more_than_at_hand(oldest):
            try:
                keys = list(dict.fromkeys([*keys, *self.keeper.archive.requests(limit)]))
            except ArchiveFailed:
                return keys[:limit]
        return keys[:limit]

    def settle(self) -> None:
        """Until the archive has all that came so far, or cannot have it."""
        if self.keeper is not None:
            self.keeper.settle(self.last)

    def close(self) -> None:
        if self.keeper is not None:
            self.keeper.close()

    # --- following -----------------------------------------------------------------------------------------------

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
        """Matches with an id above `last`, and the newest id looked at. Who is far behind misses some."""
        with self._changed:
            new = [e for e in self._events if e.id > last]
        return list(filter(matches, new)), new[-1].id if new else last

    # --- removing ------------------------------------------------------------------------------------------------

    def delete(self, kind: str, before: float) -> int:
        """Removes events of one type that are older than `before`, seconds since the epoch; how many.

        Raises FtlError `usage` where the archive cannot be written.
        """
        at_hand, _ = self._at_hand()
        before_ns = int(before * 1e9)
        gone = {e.id for e in at_hand if e.WhichOneof("entry") == kind and nanoseconds(e.timestamp) < before_ns}
        self.settle()
        with self._changed:
            self._events = deque(e for e in self._events if e.id not in gone)
            self._bytes = sum(e.ByteSize() for e in self._events)
        if self.keeper is None:
            return len(gone)
        try:
            kept = self.keeper.archive.delete(kind, before_ns)
        except ArchiveFailed as e:
            raise fail("usage", detail=f"The timeline's archive: {e}", hint_text="") from e
        return max(kept, len(gone))


def _event(number: int, entry: Entry) -> event_pb2.Event:
    made = event_pb2.Event(timestamp=entry.timestamp, id=number)
    kind = entry.WhichOneof("entry")
    if kind is not None:
        getattr(made, kind).CopyFrom(getattr(entry, kind))
    return made
