"""The timeline service: what happened, in order of arrival; filters and paging as the protocol has them."""

from ftl_nb.services.timeline.events import Timeline
from ftl_nb.services.timeline.server import TimelineServer

__all__ = ["Timeline", "TimelineServer"]
