"""The control process: every service of the plane, put together and served on one port."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from ftl_nb.cluster.handover import taken_over
from ftl_nb.cluster.project import settings_of
from ftl_nb.rpc import Channels, Credentials, Leaf, handlers, keep_fresh, serve
from ftl_nb.services.admin import Admin
from ftl_nb.services.databases import Databases
from ftl_nb.services.deployments import Records
from ftl_nb.services.leases import Leases, LeaseServer
from ftl_nb.services.link import SupervisorLink
from ftl_nb.services.plane import Plane
from ftl_nb.services.scaling import LocalScaling
from ftl_nb.services.settings import SettingsServer, chain_of
from ftl_nb.services.steps import record_lease, record_steps
from ftl_nb.services.timeline import Keeper, Timeline, TimelineServer, archive_of, exporter_of
from ftl_nb.services.truth import Truth
from ftl_nb.services.typecheck import SystemChecker
from ftl_nb.services.upkeep import Upkeep
from ftl_nb.services.workspace import Workspace
from ftl_nb.store import SqliteStore

#: Streams of runners and clients hold a thread each.
THREADS = 512
#: What the first change of the system needs, imported while its client is being welcomed.
_FIRST_CHANGE = ("ftl_nb.schema.validation", "ftl_nb.schema.difference", "ftl_nb.compiler.stubs")


def run(spec: dict[str, Any]) -> None:
    """Serves until this process is ended; its supervisor ends the cluster when it ends."""
    leaf = Leaf.from_dict(spec["leaf"])
    state, folder = Path(spec["state"]), Path(spec["folder"])
    os.chdir(folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    credentials = Credentials(leaf)
    store = SqliteStore(state / "store")
    upkeep = Upkeep(store)
    records = Records(store)
    link = SupervisorLink(spec["socket"], spec["token"])
    plane = _plane(leaf.identity.realm, folder, state, records, link, Channels(credentials))
    exporter = exporter_of(os.environ, leaf.identity.realm, say)
    heard = (exporter.hear,) if exporter is not None else ()
    timeline = Timeline(Keeper(archive_of(state / "timeline", say), say), heard=heard)
    record_steps(plane.truth, timeline)
    served = TimelineServer(timeline, time.time)
    workspace = Workspace(plane, timeline)
    link.on_client, link.on_client_gone = workspace.client_here, workspace.client_gone
    admin = Admin(plane, served)
    settings = _settings(plane, timeline)
    leases = LeaseServer(Leases(store), partial(record_lease, timeline))
    services = (plane.truth, plane.scaling, served, workspace, admin, settings, leases)
    server = serve(handlers(*(m for s in services for m in s.served_by())), credentials, THREADS)
    plane.control = server.endpoint
    link.start(server.port)
    keep_fresh(credentials, lambda: link.leaf(leaf.identity))
    plane.checker.warm()
    for name in _FIRST_CHANGE:
        importlib.import_module(name)
    try:
        upkeep.run()
    except SystemExit:
        # What came last is written, while the cluster still waits for its processes.
        timeline.close()
        if exporter is not None:
            exporter.close()
        os._exit(0)


def say(sentence: str) -> None:
    """Into the log of this process."""
    print(sentence, flush=True)


def _settings(plane: Plane, timeline: Timeline) -> SettingsServer:
    words = settings_of(plane.folder) or {}
    configs = chain_of("config", words, plane.state, plane.realm, os.environ)
    secrets = chain_of("secret", words, plane.state, plane.realm, taken_over())
    return SettingsServer(configs, secrets, plane, timeline)


def _plane(realm: str, folder: Path, state: Path, records: Records, link: SupervisorLink, channels: Channels) -> Plane:
    truth = Truth(records, realm)
    scaling = LocalScaling(link, state / "logs")
    checker = SystemChecker(state, folder)
    databases = Databases(scaling, channels, realm, state / "databases", lambda: plane.base_spec())
    plane = Plane(realm, folder, state, records, truth, link, scaling, channels, checker, databases)
    scaling.on_up, scaling.on_down = plane.came_up, plane.went_down
    databases.on_endpoint = plane.database_at
    return plane
