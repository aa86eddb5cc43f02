"""`ftl.Cluster`: everything that a person asks of a cluster, the same for magics, the command line and Python."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ftl_nb.binding import dispatch
from ftl_nb.binding.source import Cell
from ftl_nb.binding.statements import FileModule, stated
from ftl_nb.errors import FtlError, fail
from ftl_nb.schema import Module, Realm, Schema

if TYPE_CHECKING:
    from ftl_nb.client import Connection, Session
    from ftl_nb.client.mirror import Mirror
    from ftl_nb.console.changes import Changes
    from ftl_nb.console.settings import Configs, Secrets
    from ftl_nb.rpc import workspace_pb2
    from ftl_nb.widgets import Card, Display


class Cluster:
    """The project's cluster, joined on first use and started where it is not up.

    `with ftl.Cluster() as cluster:` deploys what `ftl.module` files have stated, and leaves the cluster at the end.
    `folder` is a project's folder (default: the current one), `owner` what this client calls itself.
    """

    def __init__(self, folder: str | Path | None = None, *, kind: str = "script", owner: str = "") -> None:
        self._folder = Path(folder) if folder is not None else None
        self._kind = kind
        self._owner = owner or _script_name()
        self._connection: Connection | None = None
        self._mirror: Mirror | None = None

    # --- life ----------------------------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            from ftl_nb.client import Connection

            self._connection = Connection(self._connect)
        return self._connection

    def _connect(self) -> Session:
        from concurrent.futures import ThreadPoolExecutor

        from ftl_nb.cluster import join, project_of

        name, project = f"{os.getpid()}-{os.urandom(4).hex()}", project_of(self._folder)
        with ThreadPoolExecutor(1, thread_name_prefix="ftl-join") as pool:
            # While the cluster starts, what a session and its first card need is imported.
            lifeline = pool.submit(join, project, self._kind, name, self._owner)
            from ftl_nb.client import Session
            from ftl_nb.console import outcome

            _ = outcome
        made = Session(project, lifeline.result(), name, self._owner, self._mirror)
        self._mirror = made.mirror
        made.show = show
        return made

    @property
    def session(self) -> Session:
        """The live session; what files have stated meanwhile is deployed first."""
        session = self.connection.session()
        for file in stated.take():
            self.deploy(file)
        return session

    def __enter__(self) -> Self:
        dispatch.on_first_use(lambda: self.session)
        _ = self.session
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def up(self) -> Display:
        """Starts or joins the cluster; its status."""
        return self.status()

    def down(self) -> str:
        """Ends the cluster for all its clients; what is deployed comes back with the next use."""
        if self._connection is None or self._connection.open is None:
            from ftl_nb.cluster import is_up, project_of

            if not is_up(project_of(self._folder)):
                return "the cluster is not running"
        _ = self.connection.session()
        self.connection.shut_down()
        return "the cluster is down; the next use starts it again"

    def close(self) -> None:
        """Leaves the cluster, which ends with its last client."""
        if self._connection is not None:
            self._connection.close()

    # --- defining ------------------------------------------------------------------------------------------------

    def define(
        self, module: str, cell: Cell, *, keep: bool = False, dry_run: bool = False, stage: bool = False
    ) -> Card:
        """Puts one cell into a module and moves the system. Raises FtlError with nothing moved."""
        from ftl_nb.console.outcome import card_of

        started = time.perf_counter()
        session = self.connection.session()
        defined = session.define(module, cell, keep=keep, dry_run=dry_run, stage=stage)
        return card_of(module, defined, session.view.module(module), time.perf_counter() - started)

    def deploy(self, file: FileModule | str | Path, *, stage: bool = False) -> Card:
        """Deploys a `.py` file that states its module; with `stage` it is kept for `apply`."""
        from ftl_nb.console.files import cells_of

        session, card = self.connection.session(), None
        module, cells = cells_of(file)
        for cell in cells:
            card = self.define(module, cell, stage=stage)
        if card is None:
            raise fail("usage", detail=f"{file} has no text to deploy", hint_text="")
        _ = session
        return card

    def remove(self, module: str) -> str:
        """Takes a module out of the system. Raises FtlError where others need it."""
        from ftl_nb.rpc import workspace_pb2
        from ftl_nb.rpc.services import WorkspaceService

        request = workspace_pb2.RemoveRequest(module=module, owner=self._owner)
        self.session.ask(WorkspaceService.remove, request)
        # Seen here at once, ahead of the schema stream.
        self.session.view.update((), (module,))
        return f"{module} · removed"

    @property
    def notebook(self) -> str:
        """What this notebook calls itself, empty for a script and a shell."""
        return self._owner if self._kind == "notebook" else ""

    @property
    def changes(self) -> Changes:
        """Changes of several cells as one, and changes taken back."""
        from ftl_nb.console.changes import Changes

        return Changes(self)

    # --- calling -------------------------------------------------------------------------------------------------

    def call(self, verb: str, request: object = None, *, timeout: float | None = None) -> Any:
        """Calls `module.verb` with a JSON-able request; the JSON answer. A stream is a list. Raises FtlError."""
        body = json.dumps({} if request is None else request).encode()
        return json.loads(self.call_json(verb, body, timeout=timeout))

    def call_json(self, verb: str, body: bytes, *, timeout: float | None = None) -> bytes:
        """The same with the texts."""
        from ftl_nb.console.calling import call_json

        return call_json(self.session, self.system, verb, body, timeout)

    # --- looking -------------------------------------------------------------------------------------------------

    def schema(self, module: str = "", *, runtime: bool = False) -> Display:
        """The schema's text, of one module or whole; with `runtime`, what the running system says of it instead."""
        from ftl_nb.widgets import RuntimeView, schema_view

        found = self._module(module) if module else self.system
        if not runtime:
            return schema_view(found)
        return RuntimeView((found,) if isinstance(found, Module) else found.realms[0].modules)

    @property
    def system(self) -> Schema:
        """The canonical schema."""
        view = self.session.view
        return Schema((Realm(view.realm, tuple(sorted(view.modules, key=lambda m: m.name))),))

    def _module(self, name: str) -> Module:
        found = self.session.view.module(name)
        if found is None:
            known = ", ".join(sorted(m.name for m in self.session.view.modules)) or "none"
            raise fail("use-before-deploy", module=name, known=known)
        return found

    def graph(self, focus: str | None = None) -> Display:
        """The system drawn: modules, declarations, references."""
        from ftl_nb.widgets import graph

        try:
            return graph(self.system, focus)
        except LookupError as e:
            raise fail("usage", detail=str(e).rstrip("."), hint_text="name a module, or MODULE.DECL") from None

    def status(self) -> Display:
        """Modules, their state and who defined them."""
        from ftl_nb.console.views import status_view
        from ftl_nb.rpc import workspace_pb2
        from ftl_nb.rpc.services import WorkspaceService

        session = self.session
        response = session.ask(WorkspaceService.status, workspace_pb2.StatusRequest())
        return status_view(response, session.view.modules, session.mirror.with_text, self.notebook)

    def plan(self) -> Display:
        """What is staged or pending, what it would change, and what stands in its way."""
        return self.changes.plan()

    def check(self) -> str:
        """Type-checks the whole system as it is deployed. Raises FtlError with all that was found."""
        from ftl_nb.rpc import workspace_pb2
        from ftl_nb.rpc.services import WorkspaceService

        response = self.session.ask(WorkspaceService.check, workspace_pb2.CheckRequest())
        errors = [FtlError.from_dict(json.loads(e)) for e in response.errors]
        if errors:
            errors[0].others = tuple(errors[1:])
            raise errors[0]
        status = self.session.ask(WorkspaceService.status, workspace_pb2.StatusRequest())
        pending = ", ".join(m.name for m in status.modules if m.pending)
        waiting = f"; pending, and not among them: {pending} (see %ftl plan)" if pending else ""
        count = f"{response.modules} module{'' if response.modules == 1 else 's'}"
        return f"{count} checked, nothing to mend{waiting}"

    def trace(self, which: int = 1, *, stable: bool = False) -> Display:
        """The waterfall of a request: 1 the newest, 2 the one before …"""
        from ftl_nb.console.views import trace_view

        key, recorded = self._request(which)
        answer, last = self._trace(key, recorded), self.session.last
        if not answer.events and key == last.request_key and last.refusal:
            detail = f"The last call reached no verb ({last.refusal.rstrip('.')})"
            raise fail("usage", detail=detail, hint_text="%ftl trace 2 shows the one before")
        return trace_view(answer, self.session.view.modules, stable=stable)

    def _request(self, which: int) -> tuple[str, int]:
        from ftl_nb.rpc import workspace_pb2
        from ftl_nb.rpc.services import WorkspaceService

        last = self.session.last
        if which == 1 and last.request_key:
            return last.request_key, last.recorded
        # One that reached no verb is the newest, but not on the timeline.
        place = which - 1 if last.refusal else which
        request = workspace_pb2.RequestsRequest(limit=place)
        keys = self.session.ask(WorkspaceService.requests, request).request_keys
        if len(keys) < place:
            raise fail("usage", detail=f"There are {len(keys)} requests on the timeline", hint_text="call a verb first")
        return keys[place - 1], 0

    def _trace(self, key: str, recorded: int) -> workspace_pb2.TraceResponse:
        from ftl_nb.rpc import workspace_pb2
        from ftl_nb.rpc.services import WorkspaceService

        request = workspace_pb2.TraceRequest(request_key=key, recorded=recorded)
        return self.session.ask(WorkspaceService.trace, request)

    def logs(self, module: str = "", limit: int = 100) -> Display:
        """The newest log lines, oldest first."""
        from ftl_nb.console.views import logs_view
        from ftl_nb.rpc import workspace_pb2
        from ftl_nb.rpc.services import WorkspaceService

        last = self.session.last
        if last.request_key:
            # Lines come before the end of their call: once its trace is whole, so are they.
            self._trace(last.request_key, last.recorded)
        request = workspace_pb2.LogsRequest(module=module, limit=limit)
        return logs_view(self.session.ask(WorkspaceService.logs, request))

    # --- changing what is there ----------------------------------------------------------------------------------

    def restart(self, module: str = "") -> str:
        """Ends the runner of a module, or of all; each is started again at once.

        Raises FtlError `use-before-deploy` for a module that is not there.
        """
        from ftl_nb.rpc import workspace_pb2
        from ftl_nb.rpc.services import WorkspaceService

        if module:
            self._module(module)
        self.session.ask(WorkspaceService.restart, workspace_pb2.RestartRequest(module=module))
        return f"{module or 'every module'} has restarted"

    def reset(self) -> str:
        """Removes every module and every database's files; the values of configs and secrets stay."""
        from ftl_nb.rpc import workspace_pb2
        from ftl_nb.rpc.services import WorkspaceService

        response = self.session.ask(WorkspaceService.reset, workspace_pb2.ResetRequest())
        # Seen here before the schema stream tells it.
        self.session.view.update((), response.removed)
        for name in response.removed:
            self.session.mirror.drop(name)
        return f"removed: {', '.join(response.removed) or 'nothing was there'}"

    def export(self, folder: str | Path) -> list[Path]:
        """Writes every module as a `.py` file, with its SQL beside it; the files written."""
        from ftl_nb.console.export import export
        from ftl_nb.rpc import workspace_pb2
        from ftl_nb.rpc.services import WorkspaceService

        session = self.session
        names = sorted(m.name for m in session.view.modules)
        answers = [session.ask(WorkspaceService.module, workspace_pb2.ModuleRequest(module=n)) for n in names]
        return export(answers, Path(folder))

    @property
    def configs(self) -> Configs:
        """Config values."""
        from ftl_nb.console.settings import Configs

        return Configs(self)

    @property
    def secrets(self) -> Secrets:
        """Secrets, whose values stay out of sight."""
        from ftl_nb.console.settings import Secrets

        return Secrets(self)


def show(output: Any) -> None:
    """What a verb wrote, in this process's own streams."""
    for piece in output:
        stream = sys.stdout if piece.stream == "stdout" else sys.stderr
        stream.write(piece.text)


def _script_name() -> str:
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name) or "python"
