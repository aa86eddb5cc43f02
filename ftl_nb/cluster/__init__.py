"""Starting, joining and ending a cluster: the supervisor that owns every process, and the zygote that forks them."""

from ftl_nb.cluster.lifeline import Lifeline, Welcome, is_up, join
from ftl_nb.cluster.project import Project, project_of

__all__ = ["Lifeline", "Project", "Welcome", "is_up", "join", "project_of"]
