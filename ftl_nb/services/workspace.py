"""What notebooks, scripts and the command line ask: define a cell, remove, look, restart, reset."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass, replace

from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.compiler import check_module_name
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import Context, event_pb2, peer, timeline_pb2, workspace_pb2
from ftl_nb.rpc.services import Served, WorkspaceService
from ftl_nb.services.access import CLIENTS, only, ping
from ftl_nb.services.build import Attempt, Result, broken_cells
from ftl_nb.services.cells import placed
from ftl_nb.services.databases import databases_of
from ftl_nb.services.deployments import Deployment, Pending
from ftl_nb.services.messages import cell_of, change_messages, deployed_message, response_of
from ftl_nb.services.plane import Plane
from ftl_nb.services.reservations import Reservations
from ftl_nb.services.staging import Staging
from ftl_nb.services.timeline import Timeline

_TRACE_SECONDS = 2.0
_RESTART_SECONDS = 10.0
#: Lines of different processes arrive in batches, out of their order: the newest are among this many more.
_LATE_LINES = 1000


@dataclass(frozen=True, slots=True)
class Owner:
    """Who defines a module: what the client calls itself (a notebook's path), and its identity while it is here."""

    label: str
    client: str


class Workspace:
    """One change of a module at a time; looking is always possible."""

    def __init__(self, plane: Plane, timeline: Timeline) -> None:
        self._plane = plane
        self._timeline = timeline
        self._reservations = Reservations(self._refuse)
        self._owners: dict[str, str] = {}
        self._clients: dict[str, str] = {}
        self._staging = Staging(plane, self._reservations, self._check_owner)

    # --- define --------------------------------------------------------------------------------------------------

    def define(self, request: workspace_pb2.DefineRequest, context: Context) -> workspace_pb2.DefineResponse:
        check_module_name(request.module)
        owner = Owner(request.owner, peer(context).path)
        with self._reservations.turn(owner.label):
            self._check_owner(request.module, owner.label)
            with self._reservations.of(owner.label, self._concerned(request, owner)):
                return self._define(request, owner)

    def _concerned(self, request: workspace_pb2.DefineRequest, owner: Owner) -> set[str]:
        """The modules that a cell may move: its own, the one it leaves, and those that wait for it."""
        waiting = {n for n, p in self._plane.records.pending().items() if p.owner == owner.label}
        return {request.module, *waiting, *self._moved_away(request.module, cell_of(request.cell))}

    def _refuse(self, module: str, holder: str) -> None:
        """A module that another is changing."""
        self._plane.truth.refuse_conflict(module)
        raise fail("changeset-conflict", module=module, owner=holder or "a script", changeset="")

    def _define(self, request: workspace_pb2.DefineRequest, owner: Owner) -> workspace_pb2.DefineResponse:
        pending = {n: p for n, p in self._plane.records.pending().items() if p.owner == owner.label}
        base = self._source(request.module, pending)
        source, cell = placed(base, cell_of(request.cell))
        deployed = self._plane.truth.deployment(request.module)
        if deployed is not None and source.digest == deployed.source.digest:
            self._plane.records.drop_pending(request.module)
            self._claim(request.module, owner)
            return self._unchanged(self._adopted(deployed, source, owner.label), cell)
        if request.stage:
            self._claim(request.module, owner)
            return self._staging.stage(source, cell, owner.label)
        changes = {request.module: source, **self._moved_away(request.module, cell)}
        if request.dry_run:
            result = self._attempt(changes, owner, keep=request.keep).plan()
            return response_of("planned", result, cell, self._plane)
        try:
            result = self._try(changes, pending, owner, cell, keep=request.keep)
            response = response_of("deployed", result, cell, self._plane)
        except FtlError as e:
            waited = pending.get(request.module)
            beside = self._beside(source, cell, owner, waited, keep=request.keep) if waited is not None else None
            if beside is None:
                raise own_first(e, cell.filename(request.module)) from None
            response = beside
        self._claim(request.module, owner)
        return response

    def _beside(
        self, source: ModuleSource, cell: Cell, owner: Owner, waited: Pending, *, keep: bool
    ) -> workspace_pb2.DefineResponse | None:
        """The cell on what is deployed: what is pending in its module holds it up no more. None where it cannot stand.

        `source` is the pending text with the cell, which goes on waiting. Raises the cell's own FtlError, which what
        is pending would hide; then the cell waits for nothing.
        """
        deployed = self._plane.truth.deployment(source.name)
        if deployed is None:
            return None
        alone, placed_cell = placed(deployed.source, cell)
        if alone.digest == deployed.source.digest:
            return self._unchanged(deployed, placed_cell)
        if alone.digest == source.digest:
            return None
        try:
            result = self._attempt({source.name: alone}, owner, keep=keep).run()
        except FtlError as e:
            own = own_first(e, cell.filename(source.name))
            if not points_at(own, cell.filename(source.name)):
                return None
            self._plane.records.keep_pending(waited)
            raise own from None
        self._plane.records.keep_pending(Pending(source, owner.label))
        return response_of("deployed", result, placed_cell, self._plane)

    def _try(
        self, changes: dict[str, ModuleSource], pending: dict[str, Pending], owner: Owner, cell: Cell, *, keep: bool
    ) -> Result:
        """Together with what is pending; where that fails, alone. What breaks others is kept pending."""
        waiting = {n: p.source for n, p in pending.items() if n not in changes and not p.staged}
        if waiting:
            try:
                return self._attempt({**waiting, **changes}, owner, keep=keep).run()
            except FtlError as together:
                try:
                    return self._attempt(changes, owner, keep=keep).run()
                except FtlError as alone:
                    raise self._kept(
                        changes, owner, cell, alone, None if _is_in(together, waiting) else together
                    ) from None
        try:
            return self._attempt(changes, owner, keep=keep).run()
        except FtlError as e:
            raise self._kept(changes, owner, cell, e, None) from None

    def _kept(
        self, changes: dict[str, ModuleSource], owner: Owner, cell: Cell, alone: FtlError, together: FtlError | None
    ) -> FtlError:
        """What breaks other cells is kept for the next one to make whole; what is wrong in itself is not.

        `together` is what went wrong with the pending modules, None where only they are wrong.
        """
        filename = cell.filename(next(iter(changes)))
        found = next((e for e in (alone, together) if e is not None and breaks_others(e, filename)), None)
        if found is None:
            return alone
        for source in changes.values():
            self._plane.records.keep_pending(Pending(source, owner.label))
        return as_breaking(found, filename)

    def _attempt(self, changes: dict[str, ModuleSource], owner: Owner, *, keep: bool) -> Attempt:
        return Attempt(self._plane, changes, (), owner.label, keep=keep)

    def _source(self, module: str, pending: dict[str, Pending]) -> ModuleSource:
        if module in pending:
            return pending[module].source
        deployed = self._plane.truth.deployment(module)
        return deployed.source if deployed is not None else ModuleSource(module)

    def _moved_away(self, module: str, cell: Cell) -> dict[str, ModuleSource]:
        """A cell that now belongs to `module` leaves the module it was in."""
        return {
            name: d.source.without_cell(cell.id)
            for name, d in self._plane.truth.deployments.items()
            if name != module and any(c.id == cell.id and not c.id.startswith("declared-") for c in d.source.cells)
        }

    def _adopted(self, deployed: Deployment, source: ModuleSource, owner: str) -> Deployment:
        """The same text with the ids that have become known meanwhile, and with who ran it last."""
        if source == deployed.source and owner == deployed.owner:
            return deployed
        adopted = replace(deployed, source=source, owner=owner)
        self._plane.truth.adopt(adopted)
        return adopted

    def _unchanged(self, deployed: Deployment, cell: Cell) -> workspace_pb2.DefineResponse:
        response = workspace_pb2.DefineResponse(status="unchanged", label=cell.label)
        response.deployed.append(deployed_message(self._plane, deployed))
        return response

    # --- who owns a module ---------------------------------------------------------------------------------------

    def _check_owner(self, module: str, label: str) -> None:
        """Over restarts of the cluster the deployment's record tells the owner; one who is not here owns nothing."""
        deployed = self._plane.truth.deployment(module)
        held = self._owners.get(module) or (deployed.owner if deployed is not None else label)
        if held != label and held in self._clients.values():
            raise fail("module-owned", module=module, owner=held)

    def _claim(self, module: str, owner: Owner) -> None:
        self._clients[owner.client] = owner.label
        self._owners[module] = owner.label

    def client_here(self, identity: str, owner: str) -> None:
        """A client joined: what it defined is its own again."""
        self._clients[identity] = owner

    def client_gone(self, identity: str) -> None:
        """A client closed: its modules may be defined by others."""
        self._clients.pop(identity, None)

    # --- other changes -------------------------------------------------------------------------------------------

    def remove(self, request: workspace_pb2.RemoveRequest, context: Context) -> workspace_pb2.RemoveResponse:
        owner = Owner(request.owner, peer(context).path)
        with self._reservations.turn(owner.label), self._reservations.of(owner.label, {request.module}):
            self._check_owner(request.module, owner.label)
            if self._plane.truth.deployment(request.module) is None:
                known = ", ".join(sorted(self._plane.truth.deployments)) or "none"
                raise fail("use-before-deploy", module=request.module, known=known)
            result = self._removed(request.module, owner)
            self._owners.pop(request.module, None)
        return workspace_pb2.RemoveResponse(changes=change_messages(result.difference))

    def _removed(self, module: str, owner: Owner) -> Result:
        try:
            return Attempt(self._plane, {}, (module,), owner.label, keep=False).run()
        except FtlError as e:
            if e.slug != "breaks-others":
                raise
            made = fail("module-needed", module=module, broken=", ".join(broken_cells(e)))
            made.others = e.others
            raise made from None

    def restart(self, request: workspace_pb2.RestartRequest, context: Context) -> workspace_pb2.RestartResponse:
        """Ends the runner of a module (of all modules without a name); answers when the next one does."""
        truth = self._plane.truth
        waiting = []
        for name, deployment in truth.deployments.items():
            pid = self._plane.scaling.pid(deployment.key)
            if request.module in ("", name) and pid:
                waiting.append((deployment.key, truth.endpoint(deployment.key)))
                self._plane.link.kill(pid)
        for key, before in waiting:
            truth.wait_for_other_endpoint(key, before, _RESTART_SECONDS)
        return workspace_pb2.RestartResponse()

    def reset(self, request: workspace_pb2.ResetRequest, context: Context) -> workspace_pb2.ResetResponse:
        """Removes every module and every database's files; config values stay."""
        with self._reservations.of_all():
            names = sorted(self._plane.truth.deployments)
            for deployment in self._plane.truth.deployments.values():
                for key in databases_of(deployment.source):
                    self._plane.databases.remove(key)
            if names:
                Attempt(self._plane, {}, names, "", keep=False).run()
            self._plane.databases.reset()
            self._plane.records.forget()
            self._owners.clear()
        return workspace_pb2.ResetResponse(removed=names)

    # --- looking -------------------------------------------------------------------------------------------------

    def module(self, request: workspace_pb2.ModuleRequest, context: Context) -> workspace_pb2.ModuleResponse:
        """A canonical module with its text, its processes started where they were not."""
        self._plane.wake(request.module)
        deployment = self._plane.truth.deployment(request.module)
        if deployment is None:
            return workspace_pb2.ModuleResponse()
        return workspace_pb2.ModuleResponse(deployed=deployed_message(self._plane, deployment))

    def status(self, request: workspace_pb2.StatusRequest, context: Context) -> workspace_pb2.StatusResponse:
        pending = self._plane.records.pending()
        names = sorted({*self._plane.truth.deployments, *pending})
        modules = [self._module_status(name, pending.get(name)) for name in names]
        return workspace_pb2.StatusResponse(realm=self._plane.realm, modules=modules)

    def _module_status(self, name: str, pending: Pending | None) -> workspace_pb2.ModuleStatus:
        deployment = self._plane.truth.deployment(name)
        status = workspace_pb2.ModuleStatus(name=name)
        if pending is not None:
            before = {c.id: c for c in deployment.source.cells} if deployment is not None else {}
            status.pending.extend(c.label for c in pending.source.cells if before.get(c.id) != c)
        if deployment is None:
            status.state = "pending"
            return status
        status.deployment, status.owner = deployment.key, deployment.owner
        status.endpoint = self._plane.truth.endpoint(deployment.key)
        status.state = "running" if status.endpoint else self._why_down(deployment)
        status.cells.extend(c.label for c in deployment.source.cells)
        status.databases.extend(key.name for key in databases_of(deployment.source))
        status.restarts = self._plane.scaling.restarts(deployment.key)
        return status

    def _why_down(self, deployment: Deployment) -> str:
        return "restarting" if self._plane.scaling.restarts(deployment.key) else "not started"

    def check(self, request: workspace_pb2.CheckRequest, context: Context) -> workspace_pb2.CheckResponse:
        """Type-checks every module's text against the schema as it is."""
        deployed = [d for _, d in sorted(self._plane.truth.deployments.items())]
        found = self._plane.checker.check([(d.source, d.module) for d in deployed], {d.name for d in deployed})
        errors = [json.dumps(e.to_dict()) for e in found.values()]
        return workspace_pb2.CheckResponse(errors=errors, modules=len(deployed))

    def trace(self, request: workspace_pb2.TraceRequest, context: Context) -> workspace_pb2.TraceResponse:
        key = request.request_key or next(iter(self._timeline.requests(1)), "")
        deadline = time.monotonic() + _TRACE_SECONDS
        query = timeline_pb2.TimelineQuery(limit=10_000, order=timeline_pb2.TimelineQuery.ORDER_ASC)
        query.filters.add().requests.requests.append(key)
        while True:
            last = self._timeline.last
            events, _ = self._timeline.select(query)
            calls = sum(e.WhichOneof("entry") in ("call", "stream") for e in events)
            left = deadline - time.monotonic()
            if calls >= request.recorded or left <= 0 or not context.is_active():
                return workspace_pb2.TraceResponse(request_key=key, events=events)
            self._timeline.wait_for_more(last, left)

    def requests(self, request: workspace_pb2.RequestsRequest, context: Context) -> workspace_pb2.RequestsResponse:
        return workspace_pb2.RequestsResponse(request_keys=self._timeline.requests(request.limit or 10))

    def logs(self, request: workspace_pb2.LogsRequest, context: Context) -> workspace_pb2.LogsResponse:
        limit = request.limit or 100
        query = timeline_pb2.TimelineQuery(limit=limit + _LATE_LINES, order=timeline_pb2.TimelineQuery.ORDER_DESC)
        query.filters.add().event_types.event_types.append(event_pb2.EventType.EVENT_TYPE_LOG)
        if request.module:
            query.filters.add().module.module = request.module
        events, _ = self._timeline.select(query)
        ordered = sorted((e.log for e in reversed(events)), key=lambda log: log.timestamp.ToNanoseconds())
        return workspace_pb2.LogsResponse(logs=ordered[-limit:])

    def served_by(self) -> tuple[Served, ...]:
        w = WorkspaceService
        return (
            w.ping.served_by(only(CLIENTS, ping)),
            w.define.served_by(only(CLIENTS, self.define)),
            *self._staging.served_by(),
            w.remove.served_by(only(CLIENTS, self.remove)),
            w.status.served_by(only(CLIENTS, self.status)),
            w.check.served_by(only(CLIENTS, self.check)),
            w.module.served_by(only(CLIENTS, self.module)),
            w.restart.served_by(only(CLIENTS, self.restart)),
            w.reset.served_by(only(CLIENTS, self.reset)),
            w.trace.served_by(only(CLIENTS, self.trace)),
            w.requests.served_by(only(CLIENTS, self.requests)),
            w.logs.served_by(only(CLIENTS, self.logs)),
        )


def points_at(error: FtlError, filename: str) -> bool:
    return error.place is not None and error.place.filename == filename


def own_first(error: FtlError, filename: str) -> FtlError:
    """The same findings, told from the one that points at the cell `filename`, if there is one."""
    own = next((e for e in error.others if points_at(e, filename)), None)
    if own is None or points_at(error, filename) or error.slug == "breaks-others":
        return error
    rest = tuple(e for e in error.others if e is not own)
    error.others = ()
    own.others = (*own.others, error, *rest)
    return own


def _is_in(error: FtlError, modules: Collection[str]) -> bool:
    """Whether everything that is wrong is wrong in cells of these modules."""
    found = {cell.strip("<>").partition("/")[0] for cell in broken_cells(error)}
    return bool(found) and found <= set(modules)


def breaks_others(error: FtlError, filename: str) -> bool:
    """Whether everything that is wrong is wrong in other cells than `filename`."""
    if error.slug == "breaks-others":
        return True
    places = [e.place for e in (error, *error.others)]
    return all(p is not None and not p.filename.startswith("/") and p.filename != filename for p in places)


def as_breaking(error: FtlError, filename: str) -> FtlError:
    """The error as the sentence that says what the change breaks, its own findings behind it."""
    if error.slug == "breaks-others":
        return error
    broken = ", ".join(broken_cells(error))
    made = fail("breaks-others", change=f"The change of {filename}", broken=broken)
    made.others = (error, *error.others)
    error.others = ()
    return made
