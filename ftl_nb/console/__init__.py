"""What a person asks of a cluster, in one place: magics, the command line and Python call the same."""

from ftl_nb.console.cluster import Cluster, Configs

__all__ = ["Cluster", "Configs"]
