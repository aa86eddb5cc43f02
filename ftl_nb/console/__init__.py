"""What a person asks of a cluster, in one place: magics, the command line and Python call the same."""

from ftl_nb.console.cluster import Cluster
from ftl_nb.console.events import timeline

__all__ = ["Cluster", "timeline"]
