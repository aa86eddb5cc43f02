"""The gRPC face of a timeline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from ftl_nb.errors import fail
from ftl_nb.rpc import Context, timeline_pb2
from ftl_nb.rpc.services import Served, TimelineService
from ftl_nb.services.access import CLIENTS, EVERYBODY, PROCESSES, only, ping
from ftl_nb.services.timeline.events import Timeline
from ftl_nb.services.timeline.filters import matcher, type_name
from ftl_nb.services.timeline.reading import read

_LEAST_INTERVAL = 0.05


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
        kind = type_name(request.event_type)
        gone = self._timeline.delete(kind, self._clock() - request.age_seconds)
        return timeline_pb2.DeleteOldEventsResponse(deleted_count=gone)

    def query(
        self, request: timeline_pb2.QueryEventsRequest, context: Context
    ) -> Iterator[timeline_pb2.QueryEventsResponse]:
        """A SELECT over the archive, once it has all that came before. Raises FtlError `timeline-query`."""
        keeper = self._timeline.keeper
        if keeper is None:
            raise fail("usage", detail="This timeline has no archive", hint_text="")
        self._timeline.settle()
        for piece in read(keeper.archive, request.sql, context.add_callback):
            yield timeline_pb2.QueryEventsResponse(arrow=piece)

    def served_by(self) -> tuple[Served, ...]:
        return (
            TimelineService.ping.served_by(only(EVERYBODY, ping)),
            TimelineService.create_events.served_by(only(PROCESSES, self.create)),
            TimelineService.get_timeline.served_by(only(("client", "service"), self.get)),
            TimelineService.stream_timeline.served_by(only(("client", "service"), self.stream)),
            TimelineService.delete_old_events.served_by(only(("client", "service"), self.delete)),
            TimelineService.query_events.served_by(only(CLIENTS, self.query)),
        )
