"""The timeline service: what happened, in order of arrival; filters and paging as the protocol has them.

The newest events are in memory, all of them in a DuckDB file of bounded size, which a thread writes in batches.
"""

from ftl_nb.services.timeline.archive import Archive
from ftl_nb.services.timeline.bounds import archive_of
from ftl_nb.services.timeline.events import Timeline
from ftl_nb.services.timeline.keeper import Keeper
from ftl_nb.services.timeline.otel import Exporter, exporter_of
from ftl_nb.services.timeline.server import TimelineServer

__all__ = ["Archive", "Exporter", "Keeper", "Timeline", "TimelineServer", "archive_of", "exporter_of"]
