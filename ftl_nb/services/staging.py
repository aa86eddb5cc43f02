"""Several cells as one change: staged without being tried, planned, applied, dropped; and a change taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.compiler import parse
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import Context, workspace_pb2
from ftl_nb.rpc.services import Served, WorkspaceService
from ftl_nb.services.access import CLIENTS, only
from ftl_nb.services.build import Attempt, Result
from ftl_nb.services.deployments import Pending
from ftl_nb.services.history import Past
from ftl_nb.services.messages import change_messages, deployed_message
from ftl_nb.services.plane import Plane
from ftl_nb.services.reservations import Reservations

_PLANNER = "a plan"
_STAGE_MORE = "stage a cell that changes the other side too; %ftl apply moves all of it, with --force as it is"
_BACK_ALONE = "take the change of the other side back too, or change it by a cell; --force moves as it is"


class Staging:
    """`check_owner(module, owner)` refuses what another notebook defines."""

    def __init__(self, plane: Plane, reservations: Reservations, check_owner: Callable[[str, str], None]) -> None:
        self._plane = plane
        self._reservations = reservations
        self._check_owner = check_owner

    def stage(self, source: ModuleSource, cell: Cell, owner: str) -> workspace_pb2.DefineResponse:
        """Keeps the text of a module for `apply`. Raises FtlError where it cannot even be read."""
        if cell.kind != "sql":
            parse(cell, source.name)
        self._plane.records.keep_pending(Pending(source, owner, staged=True))
        return workspace_pb2.DefineResponse(status="staged", label=cell.label)

    def plan(self, request: workspace_pb2.PlanRequest, context: Context) -> workspace_pb2.PlanResponse:
        """Tries what is staged and pending without moving anything."""
        with self._reservations.turn(_PLANNER):
            pending = self._plane.records.pending()
            with self._reservations.of(_PLANNER, pending):
                return self._planned(pending)

    def _planned(self, pending: dict[str, Pending]) -> workspace_pb2.PlanResponse:
        response = workspace_pb2.PlanResponse(pending=sorted(pending))
        if pending:
            attempt = self._attempt({n: p.source for n, p in pending.items()}, (), "", force=False)
            try:
                result = attempt.plan()
                response.changes.extend(change_messages(result.difference))
                response.notes.extend(result.notes)
            except FtlError as e:
                staged = any(p.staged for p in pending.values())
                response.error = json.dumps((_hinted(e, _STAGE_MORE) if staged else e).to_dict())
                response.changes.extend(change_messages(attempt.difference))
        return response

    def apply(self, request: workspace_pb2.ApplyRequest, context: Context) -> workspace_pb2.ApplyResponse:
        """All of it, or nothing: what is refused stays staged."""
        with self._reservations.turn(request.owner):
            waiting = self._waiting(request.owner)
            if not waiting:
                raise fail("nothing-staged")
            changes = {n: p.source for n, p in waiting.items()}
            result = self._moved(changes, (), request.owner, _STAGE_MORE, force=request.force)
        return workspace_pb2.ApplyResponse(
            changeset=result.changeset,
            changes=change_messages(result.difference),
            notes=result.notes,
            deployed=[deployed_message(self._plane, d) for d in result.deployed],
        )

    def discard(self, request: workspace_pb2.DiscardRequest, context: Context) -> workspace_pb2.DiscardResponse:
        with self._reservations.turn(request.owner):
            names = [n for n in sorted(self._waiting(request.owner)) if request.module in ("", n)]
            for name in names:
                self._plane.records.drop_pending(name)
        return workspace_pb2.DiscardResponse(modules=names)

    def _waiting(self, owner: str) -> dict[str, Pending]:
        return {n: p for n, p in self._plane.records.pending().items() if p.owner == owner}

    def changesets(
        self, request: workspace_pb2.ChangesetsRequest, context: Context
    ) -> workspace_pb2.ChangesetsResponse:
        found = self._plane.records.history.newest(request.limit or 20)
        return workspace_pb2.ChangesetsResponse(changesets=map(_message, found))

    def revert(self, request: workspace_pb2.RevertRequest, context: Context) -> workspace_pb2.RevertResponse:
        """Raises FtlError `changeset-unknown`, and what a change with these texts is refused for."""
        with self._reservations.turn(request.owner):
            past = self._taken_back(request.changeset)
            there = self._plane.truth.deployments
            changes = {n: text for n, text in past.before.items() if text is not None}
            removed = [n for n, text in past.before.items() if text is None and n in there]
            result = self._moved(changes, removed, request.owner, _BACK_ALONE, force=request.force)
        return workspace_pb2.RevertResponse(
            reverted=past.key,
            changeset=result.changeset,
            changes=change_messages(result.difference),
            notes=result.notes,
            deployed=[deployed_message(self._plane, d) for d in result.deployed],
            removed=removed,
        )

    def _taken_back(self, key: str) -> Past:
        known = [past for past in self._plane.records.history.newest() if past.moved]
        found = next((past for past in known if past.key == key), None) if key else next(iter(known), None)
        if found is None:
            what = f"No changeset {key} that moved is remembered" if key else "No changeset has moved anything yet"
            raise fail("changeset-unknown", detail=what)
        return found

    def _moved(
        self, changes: dict[str, ModuleSource], removed: Iterable[str], owner: str, hint: str, *, force: bool
    ) -> Result:
        """Raises FtlError with `hint` where the change breaks others."""
        for name in (*changes, *removed):
            self._check_owner(name, owner)
        with self._reservations.of(owner, {*changes, *removed}):
            try:
                return self._attempt(changes, removed, owner, force=force).run()
            except FtlError as e:
                raise _hinted(e, hint) from None

    def _attempt(self, changes: dict[str, ModuleSource], removed: Iterable[str], owner: str, *, force: bool) -> Attempt:
        return Attempt(self._plane, changes, removed, owner, keep=False, force=force)

    def served_by(self) -> tuple[Served, ...]:
        w = WorkspaceService
        return (
            w.plan.served_by(only(CLIENTS, self.plan)),
            w.apply.served_by(only(CLIENTS, self.apply)),
            w.discard.served_by(only(CLIENTS, self.discard)),
            w.changesets.served_by(only(CLIENTS, self.changesets)),
            w.revert.served_by(only(CLIENTS, self.revert)),
        )


def _hinted(error: FtlError, hint: str) -> FtlError:
    """What breaks others, with what helps here."""
    if error.slug == "breaks-others":
        error.hint = hint
    return error


def _message(past: Past) -> workspace_pb2.PastChangeset:
    return workspace_pb2.PastChangeset(
        key=past.key,
        state=past.state,
        modules=past.modules,
        removed=past.removed,
        owner=past.owner,
        created=past.created,
        ended=past.ended,
        error=past.error.splitlines()[0] if past.error else "",
        forced=past.forced,
    )
