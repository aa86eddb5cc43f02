"""The admin service: what clients may ask of schema and logs, with the RPCs of the public protocol."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator

from ftl_nb.rpc import Context, admin_pb2, timeline_pb2
from ftl_nb.rpc.services import AdminService, Served
from ftl_nb.services.access import CLIENTS, only, ping
from ftl_nb.services.plane import Plane
from ftl_nb.services.timeline import TimelineServer


class Admin:
    """The facade that clients see; it keeps nothing of its own."""

    def __init__(self, plane: Plane, timeline: TimelineServer) -> None:
        self._plane = plane
        self._timeline = timeline

    def stream_logs(
        self, request: admin_pb2.StreamLogsRequest, context: Context
    ) -> Iterator[admin_pb2.StreamLogsResponse]:
        query = timeline_pb2.TimelineQuery()
        query.CopyFrom(request.query)
        query.filters.add().event_types.event_types.append(1)  # type: ignore[arg-type]
        for batch in self._timeline.stream(timeline_pb2.StreamTimelineRequest(query=query), context):
            yield admin_pb2.StreamLogsResponse(logs=[e.log for e in batch.events])

    def served_by(self) -> tuple[Served, ...]:
        a, truth = AdminService, self._plane.truth
        return (
            a.ping.served_by(only(CLIENTS, ping)),
            a.get_schema.served_by(only(CLIENTS, truth.get_schema)),
            a.pull_schema.served_by(only(CLIENTS, truth.pull_schema)),
            a.cluster_info.served_by(only(CLIENTS, self.cluster_info)),
            a.stream_logs.served_by(only(CLIENTS, self.stream_logs)),
        )

    def cluster_info(self, request: admin_pb2.ClusterInfoRequest, context: Context) -> admin_pb2.ClusterInfoResponse:
        return admin_pb2.ClusterInfoResponse(os=sys.platform, arch=platform.machine())
