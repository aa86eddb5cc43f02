"""The schema as this process sees it: followed from the schema stream, with the route to every verb."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ftl_nb import schema
from ftl_nb.rpc import schemaservice_pb2 as pb
from ftl_nb.rpc.identity import Identity
from ftl_nb.rpc.tls import grpc
from ftl_nb.schema import schema_pb2

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
DATABASE_SCHEME = "ftl://"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a verb is served: its runner's address, and the identity that must answer there."""

    endpoint: str
    callee: Identity
    deployment: str


class Pull(Protocol):
    def __call__(self) -> Iterator[pb.PullSchemaResponse]: ...


class SchemaView:
    """The canonical modules and their routes. Thread-safe; readers take immutable snapshots without a lock."""

    def __init__(self, realm: str, modules: Iterable[schema.Module] = ()) -> None:
        self.realm = realm
        self._modules: dict[str, schema.Module] = {m.name: m for m in modules}
        self._routes: dict[str, Route] = {}
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._synced = False
        self._listeners: list[Callable[[frozenset[str]], None]] = []
        self._stream: Iterator[pb.PullSchemaResponse] | None = None
        self._own = ("", "")
        self._overtaken = False
        self._rebuild()

    def stand_for(self, module: str, deployment: str) -> None:
        """This process is one version of a module, and sees the versions of the others that it was checked against.

        Until it is canonical these are the candidates beside it. Once another version is, nothing moves here any more:
        calls that are still under way meet what they would have met before.
        """
        self._own = module, deployment

    @property
    def is_canonical(self) -> bool:
        """Whether the version that this process stands for is, or was, canonical."""
        module, deployment = self._own
        known = self._modules.get(module)
        return known is not None and deployment_of(known) == deployment and not _is_candidate(known)

    # --- reading -------------------------------------------------------------------------------------------------

    def module(self, name: str) -> schema.Module | None:
        return self._modules.get(name)

    @property
    def modules(self) -> tuple[schema.Module, ...]:
        return tuple(self._modules.values())

    @property
    def system(self) -> schema.Schema:
        return schema.Schema((schema.Realm(self.realm, self.modules),))

    def route(self, verb: str) -> Route | None:
        """The route to `module.verb`, None where it has none now."""
        return self._routes.get(verb)

    def database(self, module: str, name: str) -> Route | None:
        """The route to a database's own runner."""
        return self._routes.get(f"{module}/{name}")

    def other_route(self, key: str, than: Route | None, timeout: float) -> Route | None:
        """Waits until `key` is routed elsewhere than `than`; None after `timeout` seconds, or at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._routes.get(key) not in (None, than) or self._stopped.is_set(), timeout)
            found = self._routes.get(key)
        return found if found != than else None

    def wait_for_sync(self, timeout: float) -> bool:
        """Until the first whole schema has come."""
        with self._changed:
            return self._changed.wait_for(lambda: self._synced, timeout)

    def on_change(self, listener: Callable[[frozenset[str]], None]) -> None:
        """`listener` is called with the names of the modules that changed, after each change."""
        self._listeners.append(listener)

    # --- following -----------------------------------------------------------------------------------------------

    def follow(self, pull: Pull) -> None:
        """Starts a thread that follows the stream, opening it anew with back-off when it breaks."""
        threading.Thread(target=self._follow, args=(pull,), name="ftl-schema", daemon=True).start()

    def stop(self) -> None:
        """Follows no more; whoever waits for a route is told that there is none."""
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()
        cancel = getattr(self._stream, "cancel", None)
        if cancel is not None:
            cancel()

    def _follow(self, pull: Pull) -> None:
        pause = _FIRST_PAUSE
        while not self._stopped.is_set():
            try:
                self._stream = pull()
                for response in self._stream:
                    self.apply(response.event)
                    pause = _FIRST_PAUSE
            except (grpc.RpcError, ValueError):
                pause = min(pause * 2, _LONGEST_PAUSE)
            self._stopped.wait(pause)

    def apply(self, event: schema_pb2.Notification) -> None:
        """One notification of the schema stream."""
        kind = event.WhichOneof("value")
        if kind == "full_schema_notification":
            realms = event.full_schema_notification.schema.realms
            self._replace([schema.from_proto(m) for r in realms if not r.external for m in r.modules])
        elif kind == "changeset_committed_notification":
            changes = event.changeset_committed_notification.changeset.realm_changes
            modules = [schema.from_proto(m) for c in changes for m in c.modules]
            gone = {m.name for c in changes for m in c.removing_modules} - {m.name for m in modules}
            self.update(modules, gone)
        elif kind == "deployment_runtime_notification":
            self._patch(schema.from_proto(event.deployment_runtime_notification.payload))

    def update(self, modules: Iterable[schema.Module], gone: Iterable[str] = ()) -> None:
        """Puts newer modules in and takes `gone` out; an older deployment never replaces a newer one.

        One that is here stays as it is: where its processes answer is told by the stream alone, in order. What an
        answer of the control plane says of that may be older.
        """

        def updated(before: dict[str, schema.Module]) -> dict[str, schema.Module]:
            newer = {m.name: m for m in modules if _replaces(m, before.get(m.name))}
            return {name: m for name, m in {**before, **newer}.items() if name not in leaving}

        leaving = frozenset(gone)
        modules = tuple(modules)
        self._change(updated)

    def _replace(self, modules: list[schema.Module]) -> None:
        def replaced(before: dict[str, schema.Module]) -> dict[str, schema.Module]:
            known = {deployment_of(m) for m in modules}
            beside = {n: m for n, m in before.items() if _is_candidate(m) and deployment_of(m) not in known}
            return {m.name: m for m in modules} | (beside if self._own[1] not in known else {})

        self._synced = True
        self._change(replaced)

    def _patch(self, element: schema.RuntimeElement) -> None:
        def patched(before: dict[str, schema.Module]) -> dict[str, schema.Module]:
            key = element.deployment
            return {n: with_runtime(m, element) if deployment_of(m) == key else m for n, m in before.items()}

        self._change(patched, moves=False)

    def _change(
        self, change: Callable[[dict[str, schema.Module]], dict[str, schema.Module]], *, moves: bool = True
    ) -> None:
        """One change at a time; those who listen are told without the lock, since they import modules."""
        with self._changed:
            before = self._modules
            after = change(before)
            self._overtaken = self._overtaken or (moves and self._overtakes(after))
            if moves and self._overtaken:
                after = before
            self._modules = after
            self._rebuild()
            self._changed.notify_all()
        names = frozenset(n for n in {*before, *after} if before.get(n) != after.get(n))
        for listener in self._listeners if names else ():
            listener(names)

    def _overtakes(self, after: dict[str, schema.Module]) -> bool:
        module, deployment = self._own
        new = after.get(module)
        return self.is_canonical and (new is None or deployment_of(new) != deployment)

    def _rebuild(self) -> None:
        self._routes = dict(pair for m in self.modules for pair in _routes(m, self.realm))


def _replaces(module: schema.Module, known: schema.Module | None) -> bool:
    if known is None:
        return True
    key = deployment_of(module)
    is_other = not key or key != deployment_of(known) or _is_candidate(known)
    return created(module) >= created(known) and is_other


def _is_candidate(module: schema.Module) -> bool:
    runtime = module.runtime
    return (
        runtime is not None
        and runtime.deployment is not None
        and runtime.deployment.state is schema.DeploymentState.PROVISIONING
    )


def created(module: schema.Module | None) -> int:
    """When a module's deployment was made, in nanoseconds since the epoch; 0 for none."""
    runtime = module.runtime if module is not None else None
    return (runtime.deployment.created_at or 0) if runtime is not None and runtime.deployment else 0


def deployment_of(module: schema.Module) -> str:
    """The key of the deployment that a module's runtime names, empty for none."""
    runtime = module.runtime
    return runtime.deployment.deployment_key if runtime is not None and runtime.deployment else ""


def with_runtime(module: schema.Module, element: schema.RuntimeElement) -> schema.Module:
    """The module with one part of its runtime replaced; parts that are not ours are left alone."""
    from dataclasses import replace

    part = element.element
    runtime = module.runtime
    if isinstance(part, schema.ModuleRuntimeRunner) and runtime is not None:
        return replace(module, runtime=replace(runtime, runner=part))
    if isinstance(part, schema.DatabaseRuntime):
        decls = tuple(
            replace(d, runtime=part) if isinstance(d, schema.Database) and d.name == element.name else d
            for d in module.decls
        )
        return replace(module, decls=decls)
    return module


def _routes(module: schema.Module, realm: str) -> Iterator[tuple[str, Route]]:
    key = deployment_of(module)
    databases = {d.name: _database_route(module, d, realm) for d in module.decls if isinstance(d, schema.Database)}
    for name, found in databases.items():
        if found is not None:
            yield f"{module.name}/{name}", found
    runner = module.runtime.runner if module.runtime is not None else None
    for decl in module.decls:
        if not isinstance(decl, schema.Verb):
            continue
        database = query_database(decl)
        if database is not None:
            if (route := databases.get(database)) is not None:
                yield f"{module.name}.{decl.name}", route
        elif runner is not None and runner.endpoint:
            yield f"{module.name}.{decl.name}", Route(runner.endpoint, Identity.module(module.name, realm), key)


def query_database(verb: schema.Verb) -> str | None:
    """The database that executes a query verb, None for a verb of another kind."""
    if not any(isinstance(m, schema.MetadataSQLQuery) for m in verb.metadata):
        return None
    return next((m.uses[0].name for m in verb.metadata if isinstance(m, schema.MetadataDatabases)), None)


def _database_route(module: schema.Module, database: schema.Database, realm: str) -> Route | None:
    connections = database.runtime.connections if database.runtime is not None else None
    if connections is None or not isinstance(connections.write, schema.DSNDatabaseConnector):
        return None
    endpoint = connections.write.dsn.removeprefix(DATABASE_SCHEME)
    return Route(endpoint, Identity.database(module.name, database.name, realm), deployment_of(module))
