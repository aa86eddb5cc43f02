"""What the services of one control plane share: who they are, how they reach each other, how they start processes."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ftl_nb import schema
from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.analysis import Analysis
from ftl_nb.errors import FtlError
from ftl_nb.rpc import Channels, Identity
from ftl_nb.services.databases import DatabaseKey, Databases, databases_of
from ftl_nb.services.deployments import Deployment, Records
from ftl_nb.services.link import SupervisorLink
from ftl_nb.services.scaling import LocalScaling, Registered, Spec
from ftl_nb.services.truth import Truth


class TypeCheck(Protocol):
    """Checks the text of modules against the system they are in: the errors by module, each at its cell and line."""

    def check(
        self,
        modules: Iterable[tuple[ModuleSource, schema.Module]],
        changed: Collection[str],
        before: Iterable[schema.Module] = (),
    ) -> dict[str, FtlError]: ...

    def warm(self) -> None: ...

    def publish(self, modules: Iterable[schema.Module]) -> None:
        """Shows editors the canonical system."""


@dataclass(slots=True)
class Plane:
    """Made once by `services.main`."""

    realm: str
    folder: Path
    state: Path
    records: Records
    truth: Truth
    link: SupervisorLink
    scaling: LocalScaling
    channels: Channels
    checker: TypeCheck
    databases: Databases
    control: str = ""
    #: Keeps what it found for the modules that a change does not concern. Changes that run at the same time share it.
    validator: schema.Validator = field(default_factory=schema.Validator)
    _waking: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def base_spec(self) -> Spec:
        """What every process is told."""
        served = schema.to_proto(self.truth.served).SerializeToString()
        return {"control": self.control, "folder": str(self.folder), "schema": served}

    def runner_spec(
        self,
        deployment: str,
        source: ModuleSource,
        generated: schema.Module,
        seen: schema.Schema,
        analysis: Analysis,
    ) -> Spec:
        """The message that a module's runner is forked with. `seen` is the system as this runner shall see it."""
        return {
            **self.base_spec(),
            "schema": schema.to_proto(seen).SerializeToString(),
            "role": "runner",
            "identity": str(Identity.module(source.name, self.realm)),
            "deployment": deployment,
            "source": source.to_dict(),
            "generated": schema.to_proto(generated).SerializeToString(),
            "calls": {f"{source.name}.{u.name}": [str(ref) for ref in u.calls] for u in analysis.verbs},
        }

    def in_background(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="ftl-background", daemon=True).start()

    def from_site_packages(self, packages: Iterable[str]) -> tuple[str, ...]:
        """Those of `packages` that are installed, and so may be imported before a fork: not the project's own."""
        return tuple(name for name in packages if _is_installed(name.partition(".")[0]))

    # --- processes of deployments that the store has and this run has not started ----------------------------------

    def wake(self, module: str) -> None:
        """Wakes a canonical module and all that it calls, directly or not."""
        waiting, seen = [module], {module}
        while waiting:
            called = self._wake_one(waiting.pop()) - seen
            seen |= called
            waiting += sorted(called)

    def _wake_one(self, module: str) -> set[str]:
        """Starts the runner and the databases of a canonical module where they are not up; what it calls."""
        deployment = self.truth.deployment(module)
        if deployment is None:
            return set()
        with self._lock:
            lock = self._waking.setdefault(deployment.key, threading.Lock())
        with lock:
            if not self.scaling.wants(deployment.key):
                self._start(deployment)
        return _called(deployment.module)

    def _start(self, deployment: Deployment) -> None:
        from ftl_nb.compiler.analysis import analyse
        from ftl_nb.services.generated import generated_of, query_databases

        for key, cells in databases_of(deployment.source).items():
            endpoint = self.databases.endpoint(key, cells, deployment.generations.get(key.name, 0))
            self.truth.serve_database_at(deployment.key, key.name, endpoint)
        generated = generated_of(deployment.module)
        analysis = analyse(deployment.source, query_databases(generated))
        self.link.preload(self.from_site_packages(deployment.packages))
        registered = self.scaling.start(
            deployment.key,
            f"runner-{deployment.name}",
            lambda: self.runner_spec(deployment.key, deployment.source, generated, self.truth.served, analysis),
        )
        self.truth.serve_at(deployment.key, registered.endpoint)
        current = self.truth.deployment(deployment.name)
        if current is None or current.key != deployment.key:
            # Another version has come meanwhile, and has looked for this process before it was there.
            self.scaling.stop(deployment.key)

    def came_up(self, deployment: str, registered: Registered) -> None:
        """A process that had died answers again."""
        if not self.databases.came_up(deployment, registered.endpoint):
            self.truth.serve_at(deployment, registered.endpoint)

    def went_down(self, deployment: str) -> None:
        if not self.databases.is_database(deployment):
            self.truth.serve_at(deployment, "")

    def database_at(self, key: DatabaseKey, endpoint: str) -> None:
        deployment = self.truth.deployment(key.module)
        if deployment is not None:
            self.truth.serve_database_at(deployment.key, key.name, endpoint)


def _called(module: schema.Module) -> set[str]:
    """The modules that a module's verbs call."""
    verbs = (d for d in module.decls if isinstance(d, schema.Verb))
    calls = (m for v in verbs for m in v.metadata if isinstance(m, schema.MetadataCalls))
    return {ref.module for m in calls for ref in m.calls}


def _is_installed(package: str) -> bool:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return False
    origin = spec.origin if spec is not None else None
    return origin is not None and ("site-packages" in origin or "dist-packages" in origin)
