"""Changes of several cells as one: planned, applied, dropped, listed, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftl_nb.rpc import workspace_pb2
from ftl_nb.rpc.services import WorkspaceService

if TYPE_CHECKING:
    from ftl_nb.console.cluster import Cluster
    from ftl_nb.widgets import Display


class Changes:
    """`cluster.changes`. The cluster keeps what is staged, over its restarts too, until it is applied or dropped."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def plan(self) -> Display:
        """What is staged or pending, what it would change, and what stands in its way."""
        from ftl_nb.console.views import plan_view

        return plan_view(self._cluster.session.ask(WorkspaceService.plan, workspace_pb2.PlanRequest()))

    def apply(self, *, force: bool = False) -> Display:
        """Moves what this client has staged, and what is pending of it, as one changeset: all of it or nothing.

        `force` moves although the text of other modules no longer fits; the schema must hold together even then.
        Raises FtlError `nothing-staged`, and what a cell could be refused for.
        """
        from ftl_nb.console.views import moved_view

        response = self._cluster.session.apply(force=force)
        return moved_view("applied", response.changes, response.notes)

    def discard(self, module: str = "") -> str:
        """Drops what this client has staged, and what is pending of it, of one module or of all."""
        session = self._cluster.session
        request = workspace_pb2.DiscardRequest(owner=session.owner, module=module)
        dropped = session.ask(WorkspaceService.discard, request).modules
        return f"dropped: {', '.join(dropped) or 'nothing was staged'}"

    def list(self, limit: int = 20, *, stable: bool = False) -> Display:
        """The newest changesets, newest first; `stable` leaves keys and times out."""
        from ftl_nb.console.views import changesets_view

        request = workspace_pb2.ChangesetsRequest(limit=limit)
        response = self._cluster.session.ask(WorkspaceService.changesets, request)
        return changesets_view(response, self._cluster.notebook, stable=stable)

    def rollback(self, changeset: str = "", *, force: bool = False) -> Display:
        """Deploys the texts from before a changeset (without a key: the newest that moved) as a changeset of its own.

        Raises FtlError `changeset-unknown`, and what a cell could be refused for.
        """
        from ftl_nb.console.views import moved_view

        response = self._cluster.session.revert(changeset, force=force)
        return moved_view("taken back", response.changes, response.notes)
