"""What is deployed: one record a module, kept in the store, with the runtime that this run of the cluster adds."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ftl_nb import schema
from ftl_nb.binding.source import ModuleSource
from ftl_nb.schema import schema_pb2
from ftl_nb.services.history import History, Past
from ftl_nb.store import Delete, Item, Put, Store

MODULES = "/modules/"
PENDING = "/pending/"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One version of one module: its text, its schema without runtime, who defined it, which fixtures have run.

    `created` is in nanoseconds since the epoch; `generations` names the file of each of its databases.
    """

    key: str
    source: ModuleSource
    module: schema.Module
    owner: str
    created: int
    fixtures: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    generations: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.source.name

    def to_json(self) -> bytes:
        raw = {
            "key": self.key,
            "source": self.source.to_dict(),
            "schema": base64.b64encode(schema.to_proto(self.module).SerializeToString()).decode(),
            "owner": self.owner,
            "created": self.created,
            "fixtures": dict(self.fixtures),
            "packages": list(self.packages),
            "generations": dict(self.generations),
        }
        return json.dumps(raw).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Deployment:
        raw: dict[str, Any] = json.loads(data)
        return cls(
            raw["key"],
            ModuleSource.from_dict(raw["source"]),
            schema.from_proto(schema_pb2.Module.FromString(base64.b64decode(raw["schema"]))),
            raw["owner"],
            raw["created"],
            raw["fixtures"],
            tuple(raw["packages"]),
            raw["generations"],
        )

    def with_runtime(self, endpoint: str, databases: Mapping[str, str], state: schema.DeploymentState) -> schema.Module:
        """The module as the schema serves it: where its runner and its databases' runners answer."""
        deployment = schema.ModuleRuntimeDeployment(self.key, created_at=self.created, state=state)
        runtime = schema.ModuleRuntime(
            schema.ModuleRuntimeBase("python", create_time=self.created),
            scaling=schema.ModuleRuntimeScaling(1),
            deployment=deployment,
            runner=schema.ModuleRuntimeRunner(endpoint=endpoint),
        )
        decls = tuple(_connected(d, databases) for d in self.module.decls)
        return replace(self.module, decls=decls, runtime=runtime)


def _connected(decl: schema.Decl, databases: Mapping[str, str]) -> schema.Decl:
    endpoint = databases.get(decl.name) if isinstance(decl, schema.Database) else None
    if endpoint is None or not isinstance(decl, schema.Database):
        return decl
    connector = schema.DSNDatabaseConnector(decl.name, f"ftl://{endpoint}")
    return replace(decl, runtime=schema.DatabaseRuntime(schema.DatabaseRuntimeConnections(connector, connector)))


class Records:
    """The records in the store. Every write of a changeset is one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.history = History(store)

    def deployments(self) -> dict[str, Deployment]:
        return {d.name: d for d in map(_deployment, self._store.range(MODULES)[0])}

    def commit(
        self, deployed: Iterable[Deployment], removed: Iterable[str] = (), changeset: Past | None = None
    ) -> None:
        """Makes `deployed` the canonical versions, takes `removed` away, and settles what was pending of both."""
        made, gone = list(deployed), list(removed)
        settled = [Delete(f"{PENDING}{name}") for name in {*(d.name for d in made), *gone}]
        writes = [Put(f"{MODULES}{d.name}", d.to_json()) for d in made]
        told = [changeset.put()] if changeset is not None else []
        self._store.commit((), [*writes, *(Delete(f"{MODULES}{name}") for name in gone), *settled, *told])

    def pending(self) -> dict[str, Pending]:
        return {p.source.name: p for p in map(_pending, self._store.range(PENDING)[0])}

    def keep_pending(self, pending: Pending) -> None:
        self._store.commit((), [Put(f"{PENDING}{pending.source.name}", pending.to_json())])

    def drop_pending(self, name: str) -> None:
        self._store.commit((), [Delete(f"{PENDING}{name}")])

    def forget(self) -> None:
        """Every module, and what is pending."""
        keys = [i.key for prefix in (MODULES, PENDING) for i in self._store.range(prefix)[0]]
        self._store.commit((), [Delete(k) for k in keys])


@dataclass(frozen=True, slots=True)
class Pending:
    """A module's text that waits for another module's cell, or, `staged`, to be applied; and who wrote it."""

    source: ModuleSource
    owner: str
    staged: bool = False

    def to_json(self) -> bytes:
        return json.dumps({"source": self.source.to_dict(), "owner": self.owner, "staged": self.staged}).encode()


def _pending(item: Item) -> Pending:
    raw = json.loads(item.value)
    return Pending(ModuleSource.from_dict(raw["source"]), raw["owner"], raw["staged"])


def _deployment(item: Item) -> Deployment:
    return Deployment.from_json(item.value)


def mentions(source: ModuleSource, module: str) -> bool:
    """Whether a text may use a module: its name is in it."""
    return any(re.search(rf"\b{module}\b", cell.text) for cell in source.python_cells)


def callers_first(deployments: Iterable[Deployment]) -> Iterator[list[Deployment]]:
    """The versions in groups, each before those that it calls; those that call each other are in one group."""
    left = list(deployments)
    while left:
        uncalled = [d for d in left if not any(mentions(o.source, d.name) for o in left if o.name != d.name)]
        group = uncalled or left
        yield group
        left = [d for d in left if d not in group]
