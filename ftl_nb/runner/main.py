"""The runner process of one module deployment, as the zygote forks it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftl_nb import schema
from ftl_nb.binding import dispatch
from ftl_nb.binding.finder import install_finder
from ftl_nb.binding.source import ModuleSource
from ftl_nb.errors import FtlError
from ftl_nb.rpc import deploymentcontext_pb2, handlers, serve
from ftl_nb.rpc.calls import Caller
from ftl_nb.rpc.headers import CANDIDATE
from ftl_nb.rpc.services import DeploymentContextService
from ftl_nb.runner.dispatch import RunnerDispatcher
from ftl_nb.runner.execution import Executor
from ftl_nb.runner.module import LoadedModule
from ftl_nb.runner.output import capture
from ftl_nb.runner.process import Process, settle, wait_forever
from ftl_nb.runner.service import ModuleService
from ftl_nb.runner.settings import Settings
from ftl_nb.schema import schema_pb2

if TYPE_CHECKING:
    from ftl_nb.runner.streaming import Streams

THREADS = 32


def run(spec: dict[str, Any]) -> None:
    """Loads the module, serves it, registers it, and waits; what goes wrong on the way is registered instead."""
    process = Process(spec)
    try:
        runner = Runner(process, spec)
    except FtlError as e:
        process.give_up(e)
        return
    runner.start()
    wait_forever()


class Runner:
    """All parts of a runner, put together."""

    def __init__(self, process: Process, spec: dict[str, Any]) -> None:
        self._process = process
        self._settings = Settings()
        source = ModuleSource.from_dict(spec["source"])
        self._name = source.name
        reporter = self._reporter = process.reporter(source.name)
        log = capture(source.name, spec["log"], reporter)
        install_finder(process.view)
        generated = schema.from_proto(schema_pb2.Module.FromString(spec["generated"]))
        self._module = LoadedModule(source, generated, Path(spec["folder"]))
        self._reflected = self._module.reflect()
        extra = ((CANDIDATE, process.deployment),)
        self._caller = Caller(process.view, process.channels, extra)
        executor = self._executor = Executor(log)
        allowed = {verb: frozenset(refs) for verb, refs in spec["calls"].items()}
        dispatch.install(
            RunnerDispatcher(
                source.name,
                self._module.verbs,
                executor,
                self._caller,
                reporter,
                self._settings,
                allowed,
                lambda: process.control,
                self._streams,
            )
        )
        self._service = ModuleService(source.name, self._module.verbs, executor, reporter, self._streams)

    @cached_property
    def _opened_streams(self) -> Streams:
        from ftl_nb.runner.streaming import Streams

        return Streams(self._system, self._executor, self._reporter)

    def _streams(self) -> Streams:
        return self._opened_streams

    def _system(self) -> schema.Schema:
        """The schema as it is seen here, with this version of the own module."""
        others = (m for m in self._process.view.modules if m.name != self._name)
        return schema.Schema((schema.Realm(self._process.realm, (*others, self._reflected)),))

    def start(self) -> None:
        if any(verb.signature.streams for verb in self._module.verbs.values()):
            self._streams()
        settle()
        # Kept: a server that nobody holds is stopped.
        self._server = serve(
            handlers(*self._service.served(), *self._settings.served()), self._process.credentials, THREADS
        )
        threading.Thread(target=self._settings.follow, args=(self._contexts,), name="ftl-context", daemon=True).start()
        if self._module.settings:
            self._settings.wait()
        self._process.register(self._server.endpoint, self._reflected)
        self._process.view.stand_for(self._name, self._process.deployment)
        self._process.view.on_change(self._on_schema)
        self._on_schema(frozenset())
        self._process.follow()

    def _on_schema(self, names: frozenset[str]) -> None:
        """Once this deployment is the canonical one, its calls are no longer a candidate's."""
        if not self._service.canonical.is_set() and self._process.view.is_canonical:
            self._caller.extra = ()
            self._service.canonical.set()

    def _contexts(self) -> Iterator[deploymentcontext_pb2.GetDeploymentContextResponse]:
        """Values reach running verbs without a new deployment."""
        request = deploymentcontext_pb2.GetDeploymentContextRequest(
            deployment=self._process.deployment,
            configs=[d.name for d in self._reflected.decls if isinstance(d, schema.Config)],
            secrets=[d.name for d in self._reflected.decls if isinstance(d, schema.Secret)],
        )
        return iter(DeploymentContextService.get_deployment_context.on(self._process.control)(request))
