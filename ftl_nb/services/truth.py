"""The schema service: canonical deployments, the changesets that move them, and the stream that tells everybody.

A changeset is made, prepared, committed, drained and finalised, or rolled back and failed; each step checks what it
stands on. A commit is one transaction of the store and one notification, so all its modules move at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from ftl_nb import schema
from ftl_nb.binding.source import ModuleSource
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import ChangesetKey, Context, schemaservice_pb2
from ftl_nb.rpc.services import SchemaService, Served
from ftl_nb.schema import schema_pb2
from ftl_nb.services.access import EVERYBODY, only, ping
from ftl_nb.services.deployments import Deployment, Records, mentions
from ftl_nb.services.history import Past

State = schema.DeploymentState
#: So many of the newest notifications are there at least for a peer that is slow.
_KEPT_EVENTS = 1000
OnStep = Callable[["Changeset"], None]


class ChangesetState(IntEnum):
    PREPARING = 1
    PREPARED = 2
    COMMITTED = 3
    DRAINED = 4
    FINALIZED = 5
    ROLLING_BACK = 6
    FAILED = 7


#: States in which a changeset holds its modules: later ones have moved, and only let old versions go.
_UNDECIDED = (ChangesetState.PREPARING, ChangesetState.PREPARED, ChangesetState.ROLLING_BACK)


@dataclass(slots=True)
class Changeset:
    """Modules that move together. `removed` are names that go, `removing` the versions on their way out."""

    key: str
    created: int
    modules: tuple[str, ...]
    removed: tuple[str, ...] = ()
    state: ChangesetState = ChangesetState.PREPARING
    deployed: tuple[Deployment, ...] = ()
    removing: tuple[Deployment, ...] = ()
    error: str = ""
    owner: str = ""
    #: Declarations of others that it was moved against.
    forced: tuple[str, ...] = ()
    ended: int = 0
    before: Mapping[str, ModuleSource | None] = field(default_factory=dict)

    def past(self) -> Past:
        """What the history says of it now."""
        return Past(
            self.key,
            self.state.name.lower(),
            self.modules,
            self.removed,
            self.owner,
            self.created,
            self.ended,
            self.error,
            self.forced,
            self.before,
        )


@dataclass(slots=True)
class _Served:
    """Where the canonical version of a module answers."""

    endpoint: str = ""
    databases: dict[str, str] = field(default_factory=dict)


class Truth:
    """Thread-safe. What it tells is what the store holds, with the addresses of this run beside it.

    `clock` gives nanoseconds since the epoch.
    """

    def __init__(self, records: Records, realm: str, clock: Callable[[], int] = time.time_ns) -> None:
        self.realm = realm
        self._clock = clock
        self._records = records
        records.history.settle()
        self._canonical = records.deployments()
        self._served: dict[str, _Served] = {}
        self._changesets: dict[str, Changeset] = {}
        self._changed = threading.Condition()
        #: Held while it is decided what becomes canonical: what was looked at then is so until it is told.
        self.deciding = threading.RLock()
        self._events: list[schema_pb2.Notification] = []
        #: How many notifications came before those that are kept.
        self._gone = 0
        self.on_step: OnStep = lambda changeset: None

    # --- reading -------------------------------------------------------------------------------------------------

    def deployment(self, module: str) -> Deployment | None:
        return self._canonical.get(module)

    @property
    def deployments(self) -> dict[str, Deployment]:
        return dict(self._canonical)

    @property
    def system(self) -> schema.Schema:
        """The canonical modules without runtime, in order of their names."""
        return self.system_of(self._canonical)

    def system_of(self, deployments: Mapping[str, Deployment]) -> schema.Schema:
        """The modules of some deployments, in order of their names."""
        modules = tuple(d.module for _, d in sorted(deployments.items()))
        return schema.Schema((schema.Realm(self.realm, modules),))

    @property
    def served(self) -> schema.Schema:
        """The same with runtime."""
        return schema.Schema((schema.Realm(self.realm, tuple(map(self.with_runtime, self._sorted()))),))

    def _sorted(self) -> list[Deployment]:
        return [d for _, d in sorted(self._canonical.items())]

    def with_runtime(self, deployment: Deployment, state: State = State.CANONICAL) -> schema.Module:
        at = self._served.get(deployment.key, _Served())
        return deployment.with_runtime(at.endpoint, at.databases, state)

    def endpoint(self, deployment: str) -> str:
        return self._served.get(deployment, _Served()).endpoint

    def wait_for_other_endpoint(self, deployment: str, than: str, timeout: float) -> bool:
        """Until a deployment answers elsewhere than before; False when `timeout` seconds pass first."""
        with self._changed:
            return self._changed.wait_for(lambda: self.endpoint(deployment) not in ("", than), timeout)

    # --- changesets ----------------------------------------------------------------------------------------------

    def create(self, modules: Iterable[str], removed: Iterable[str] = (), owner: str = "") -> Changeset:
        """Raises FtlError `changeset-conflict` where a module is in another live changeset."""
        made = Changeset(str(ChangesetKey.make()), self._clock(), tuple(modules), tuple(removed), owner=owner)
        with self._changed:
            for name in (*made.modules, *made.removed):
                self.refuse_conflict(name)
            self._changesets[made.key] = made
        try:
            self._records.history.write(made.past())
        except FtlError:
            del self._changesets[made.key]
            raise
        with self._changed:
            self._tell(changeset_created_notification=schema_pb2.ChangesetCreatedNotification(changeset=_proto(made)))
        self.on_step(made)
        return made

    def is_changing(self, module: str) -> bool:
        """Whether a module is in a changeset that is not decided yet."""
        undecided = [c for c in list(self._changesets.values()) if c.state in _UNDECIDED]
        return any(module in (*c.modules, *c.removed) for c in undecided)

    def refuse_conflict(self, module: str) -> None:
        """Raises FtlError `changeset-conflict` where a module is in a changeset that is not decided yet."""
        for other in list(self._changesets.values()):
            if other.state in _UNDECIDED and module in (*other.modules, *other.removed):
                who = other.owner or "a script"
                raise fail("changeset-conflict", module=module, changeset=f" ({other.key})", owner=who)

    def prepare(self, changeset: Changeset, deployed: Iterable[Deployment]) -> None:
        """All runners answer, all databases and fixtures are ready."""
        self._step(changeset, ChangesetState.PREPARING, ChangesetState.PREPARED)
        changeset.deployed = tuple(deployed)
        note = schema_pb2.ChangesetPreparedNotification(key=changeset.key)
        self._announce(changeset, changeset_prepared_notification=note)

    def commit(self, changeset: Changeset, switch: Callable[[], None] = lambda: None) -> None:
        """The moment at which the system moves. `switch` is called when that is decided and before it is told."""
        with self.deciding:
            _require(changeset, ChangesetState.PREPARED)
            gone = [*changeset.removed, *(d.name for d in changeset.deployed)]
            changeset.before = {n: d.source if (d := self._canonical.get(n)) is not None else None for n in gone}
            changeset.ended = self._clock()
            committed = replace(changeset.past(), state="committed")
            self._records.commit(changeset.deployed, changeset.removed, committed)
            switch()
            self._move(changeset, gone)
        self.on_step(changeset)

    def _move(self, changeset: Changeset, gone: Iterable[str]) -> None:
        with self._changed:
            self._step(changeset, ChangesetState.PREPARED, ChangesetState.COMMITTED)
            changeset.removing = tuple(self._canonical[n] for n in gone if n in self._canonical)
            canonical = {n: d for n, d in self._canonical.items() if n not in changeset.removed}
            self._canonical = {**canonical, **{d.name: d for d in changeset.deployed}}
            note = schema_pb2.ChangesetCommittedNotification(changeset=self._whole(changeset))
            self._tell(changeset_committed_notification=note)

    def adopt(self, deployment: Deployment) -> None:
        """Keeps a record that says other things about the same version, such as its cells' ids; nothing moves."""
        with self.deciding:
            self._records.commit([deployment])
            self._canonical = {**self._canonical, deployment.name: deployment}

    def wait_for_callers(self, changeset: Changeset) -> None:
        """Until what went before and may call the versions that go now has drained."""
        with self._changed:
            self._changed.wait_for(lambda: not any(self._may_call(c, changeset) for c in self._changesets.values()))

    def _may_call(self, earlier: Changeset, changeset: Changeset) -> bool:
        if earlier.state is not ChangesetState.COMMITTED or earlier.ended >= changeset.ended:
            return False
        return any(mentions(caller.source, d.name) for caller in earlier.removing for d in changeset.removing)

    def drained(self, changeset: Changeset) -> None:
        self._step(changeset, ChangesetState.COMMITTED, ChangesetState.DRAINED)
        note = schema_pb2.ChangesetDrainedNotification(key=changeset.key)
        self._announce(changeset, changeset_drained_notification=note)

    def finalize(self, changeset: Changeset) -> None:
        self._step(changeset, ChangesetState.DRAINED, ChangesetState.FINALIZED)
        for deployment in changeset.removing:
            self._served.pop(deployment.key, None)
        self._changesets.pop(changeset.key, None)
        note = schema_pb2.ChangesetFinalizedNotification(key=changeset.key)
        self._announce(changeset, changeset_finalized_notification=note)

    def roll_back(self, changeset: Changeset, error: str) -> None:
        """Nothing of it is canonical; the caller takes away what it had started, then calls `failed`."""
        changeset.state, changeset.error = ChangesetState.ROLLING_BACK, error
        note = schema_pb2.ChangesetRollingBackNotification(changeset=_proto(changeset), error=error)
        self._announce(changeset, changeset_rolling_back_notification=note)

    def failed(self, changeset: Changeset) -> None:
        changeset.state, changeset.ended = ChangesetState.FAILED, self._clock()
        self._changesets.pop(changeset.key, None)
        note = schema_pb2.ChangesetFailedNotification(key=changeset.key, error=changeset.error)
        self._announce(changeset, changeset_failed_notification=note)

    def _step(self, changeset: Changeset, before: ChangesetState, after: ChangesetState) -> None:
        _require(changeset, before)
        changeset.state = after

    def _announce(self, changeset: Changeset, **event: object) -> None:
        with self._changed:
            self._tell(**event)
        self._stepped(changeset)

    def _stepped(self, changeset: Changeset) -> None:
        """What is past undoing goes on where the store cannot be written: the next start settles what it says."""
        try:
            self._records.history.write(changeset.past())
        except FtlError as e:
            if changeset.state is ChangesetState.PREPARED:
                raise
            print(
                f"the step of {changeset.key} to {changeset.state.name.lower()} was not kept: {e.message}", flush=True
            )
        self.on_step(changeset)

    def _whole(self, changeset: Changeset) -> schema_pb2.Changeset:
        modules = [self.with_runtime(d) for d in changeset.deployed]
        removing = [self.with_runtime(d, State.DRAINING) for d in changeset.removing]
        made = _proto(changeset)
        made.realm_changes.add(
            name=self.realm,
            modules=map(schema.to_proto, modules),
            to_remove=[d.key for d in changeset.removing if d.name in changeset.removed],
            removing_modules=map(schema.to_proto, removing),
        )
        return made

    # --- addresses -----------------------------------------------------------------------------------------------

    def serve_at(self, deployment: str, endpoint: str) -> None:
        """A deployment's runner answers at `endpoint`, or, empty, does not answer now."""
        self._served.setdefault(deployment, _Served()).endpoint = endpoint
        element = schema.ModuleRuntimeRunner(endpoint=endpoint)
        self._patch(schema.RuntimeElement(element, deployment))

    def serve_database_at(self, deployment: str, database: str, endpoint: str) -> None:
        """A database of a deployment answers at `endpoint`."""
        self._served.setdefault(deployment, _Served()).databases[database] = endpoint
        connector = schema.DSNDatabaseConnector(database, f"ftl://{endpoint}")
        element = schema.DatabaseRuntime(schema.DatabaseRuntimeConnections(connector, connector))
        self._patch(schema.RuntimeElement(element, deployment, database))

    def _patch(self, element: schema.RuntimeElement) -> None:
        note = schema_pb2.DeploymentRuntimeNotification(payload=schema.to_proto(element))
        with self._changed:
            self._tell(deployment_runtime_notification=note)

    # --- the stream ----------------------------------------------------------------------------------------------

    def _tell(self, **event: object) -> None:
        self._events.append(schema_pb2.Notification(**event))  # type: ignore[arg-type]
        if len(self._events) >= 2 * _KEPT_EVENTS:
            del self._events[:_KEPT_EVENTS]
            self._gone += _KEPT_EVENTS
        self._changed.notify_all()

    def follow(self, context: Context) -> Iterator[schemaservice_pb2.PullSchemaResponse]:
        """The whole schema first, then every notification in order, until the peer goes.

        A peer that has fallen far behind is given the whole schema again.
        """
        context.add_callback(self._wake)
        position = -1
        while context.is_active():
            position, new = self._newer(position, context)
            for event in new:
                yield schemaservice_pb2.PullSchemaResponse(event=event)

    def _newer(self, position: int, context: Context) -> tuple[int, list[schema_pb2.Notification]]:
        """Waits for what is told after `position`: the position then, and what it was; nothing when the peer went."""
        with self._changed:
            self._changed.wait_for(lambda: position < self._gone + len(self._events) or not context.is_active())
            told = self._gone + len(self._events)
            if position < self._gone:
                whole = schema_pb2.FullSchemaNotification(schema=schema.to_proto(self.served))
                return told, [schema_pb2.Notification(full_schema_notification=whole)]
            return told, self._events[position - self._gone :]

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def served_by(self) -> tuple[Served, ...]:
        return (
            SchemaService.ping.served_by(only(EVERYBODY, ping)),
            SchemaService.get_schema.served_by(only(EVERYBODY, self.get_schema)),
            SchemaService.pull_schema.served_by(only(EVERYBODY, self.pull_schema)),
            SchemaService.get_deployments.served_by(only(EVERYBODY, self.get_deployments)),
        )

    def pull_schema(
        self, request: schemaservice_pb2.PullSchemaRequest, context: Context
    ) -> Iterator[schemaservice_pb2.PullSchemaResponse]:
        return self.follow(context)

    def get_schema(
        self, request: schemaservice_pb2.GetSchemaRequest, context: Context
    ) -> schemaservice_pb2.GetSchemaResponse:
        changesets = [_proto(c) for c in self._changesets.values()]
        return schemaservice_pb2.GetSchemaResponse(schema=schema.to_proto(self.served), changesets=changesets)

    def get_deployments(
        self, request: schemaservice_pb2.GetDeploymentsRequest, context: Context
    ) -> schemaservice_pb2.GetDeploymentsResponse:
        deployed = [
            schemaservice_pb2.DeployedSchema(
                deployment_key=d.key, schema=schema.to_proto(self.with_runtime(d)), is_active=True
            )
            for d in self._sorted()
        ]
        return schemaservice_pb2.GetDeploymentsResponse(schema=deployed)


def _require(changeset: Changeset, state: ChangesetState) -> None:
    if changeset.state is not state:
        detail = f"changeset {changeset.key} is {changeset.state.name.lower()}, not {state.name.lower()}"
        raise fail("internal", detail=detail)


def _proto(changeset: Changeset) -> schema_pb2.Changeset:
    made = schema_pb2.Changeset(key=changeset.key, state=changeset.state.value, error=changeset.error)  # type: ignore[arg-type]
    made.created_at.FromNanoseconds(changeset.created)
    return made


def replace_modules(
    current: schema.Schema, modules: Iterable[schema.Module], removed: Iterable[str] = ()
) -> schema.Schema:
    """The schema with modules put in place of those of the same name, and others taken out."""
    realm = current.realms[0]
    gone = set(removed)
    after = {m.name: m for m in realm.modules if m.name not in gone} | {m.name: m for m in modules}
    return schema.Schema((replace(realm, modules=tuple(m for _, m in sorted(after.items()))),))
