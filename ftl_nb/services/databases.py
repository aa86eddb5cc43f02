"""Databases of the system: one process each, which alone opens its files; migrated and switched from here."""

from __future__ import annotations

import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message

from ftl_nb import schema
from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.errors import FtlError
from ftl_nb.rpc import Channels, Identity, from_control_error, workspace_pb2
from ftl_nb.rpc.services import DatabaseService, Unary
from ftl_nb.rpc.tls import grpc
from ftl_nb.services.scaling import LocalScaling, Spec

Res = TypeVar("Res", bound=Message)
_MIGRATE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class DatabaseKey:
    """A database by its module and its own schema name."""

    module: str
    name: str

    @property
    def process(self) -> str:
        """The key its process is started under, and the name of its log."""
        return f"database-{self.module}-{self.name}"


class Databases:
    """Starts the processes on first use and speaks DatabaseService with them."""

    def __init__(
        self, scaling: LocalScaling, channels: Channels, realm: str, folder: Path, base: Callable[[], Spec]
    ) -> None:
        self._scaling = scaling
        self._channels = channels
        self._realm = realm
        self._folder = folder
        self._base = base
        self._lock = threading.Lock()
        self._starting: defaultdict[DatabaseKey, threading.Lock] = defaultdict(threading.Lock)
        self._endpoints: dict[DatabaseKey, str] = {}
        self._cells: dict[DatabaseKey, tuple[workspace_pb2.SqlCell, ...]] = {}
        #: The file that counts, and the one that is prepared beside it: what a process that is started anew is told.
        self._serving: dict[DatabaseKey, int] = {}
        self._prepared: dict[DatabaseKey, int] = {}
        self.on_endpoint: Callable[[DatabaseKey, str], None] = lambda key, endpoint: None

    def endpoint(self, key: DatabaseKey, cells: Iterable[workspace_pb2.SqlCell] = (), generation: int = 0) -> str:
        """Where the database answers; its process is started with what is live of it, where it is not up."""
        with self._lock:
            starting = self._starting[key]
        with starting:
            found = self._endpoints.get(key)
            if found is None:
                self._cells[key], self._serving[key] = tuple(cells), generation
                registered = self._scaling.start(key.process, key.process, lambda: self._spec(key))
                found = self._endpoints[key] = registered.endpoint
        return found

    def came_up(self, process: str, endpoint: str) -> bool:
        """A process that died is back; whether it is a database's."""
        key = next((k for k in list(self._endpoints) if k.process == process), None)
        if key is None:
            return False
        self._endpoints[key] = endpoint
        if key not in self._prepared:
            # What it was started with may have been overtaken while it started.
            self._tell(key)
        self.on_endpoint(key, endpoint)
        return True

    def is_database(self, process: str) -> bool:
        return any(k.process == process for k in list(self._cells))

    def _spec(self, key: DatabaseKey) -> Spec:
        return {
            **self._base(),
            "role": "database",
            "identity": str(Identity.database(key.module, key.name, self._realm)),
            "deployment": key.process,
            "module": key.module,
            "database": key.name,
            "files": str(self._folder / key.module / key.name),
            "cells": [cell.SerializeToString() for cell in self._cells[key]],
            "generation": self._serving.get(key, 0),
            "prepared": self._prepared.get(key, 0),
        }

    def describe(self, key: DatabaseKey, cells: list[workspace_pb2.SqlCell]) -> tuple[schema.Decl, ...]:
        """What the database's cells declare, by the engine itself on a scratch database."""
        request = workspace_pb2.DescribeRequest(cells=cells)
        response = self._ask(key, DatabaseService.describe, request)
        return schema.from_proto(response.module).decls

    def prepare(
        self, key: DatabaseKey, cells: list[workspace_pb2.SqlCell], *, keep: bool, isolated: bool
    ) -> workspace_pb2.PrepareResponse:
        """Makes a candidate with the cells' migrations and queries; the live database is as before."""
        request = workspace_pb2.PrepareRequest(cells=cells, keep=keep, isolated=isolated)
        response = self._ask(key, DatabaseService.prepare, request)
        self._prepared[key] = response.generation
        return response

    def switch(self, key: DatabaseKey, cells: list[workspace_pb2.SqlCell]) -> None:
        """What was prepared serves. That is decided: a process that dies on the way comes back with it."""
        self._cells[key], self._serving[key] = tuple(cells), self._prepared.pop(key)
        self._tell(key)

    def _tell(self, key: DatabaseKey) -> None:
        """Says what serves; the process that is not there to hear it is told when it is back."""
        request = workspace_pb2.CommitRequest(cells=self._cells[key], generation=self._serving[key])
        try:
            self._ask(key, DatabaseService.commit, request)
        except FtlError as e:
            print(f"the switch of {key.module}.{key.name}: {e.message}", flush=True)

    def roll_back(self, key: DatabaseKey) -> None:
        self._prepared.pop(key, None)
        self._ask(key, DatabaseService.rollback, workspace_pb2.RollbackRequest())

    def remove(self, key: DatabaseKey) -> None:
        """Ends the process of a database that no module has any more; its files stay until a reset."""
        with self._lock:
            starting = self._starting[key]
        with starting:
            self._endpoints.pop(key, None)
            for known in (self._cells, self._serving, self._prepared):
                known.pop(key, None)
        self._scaling.stop(key.process)

    def discard(self, key: DatabaseKey) -> None:
        """Ends the process of a database that never was deployed, and removes its files."""
        self.remove(key)
        shutil.rmtree(self._folder / key.module / key.name, ignore_errors=True)

    def reset(self) -> None:
        """Ends every process and removes every file."""
        for key in list(self._cells):
            self.remove(key)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, key: DatabaseKey, method: Unary[Any, Res], request: Message) -> Res:
        identity = Identity.database(key.module, key.name, self._realm)
        channel = self._channels.to(self.endpoint(key), identity)
        try:
            return method.on(channel)(request, timeout=_MIGRATE_SECONDS)
        except grpc.RpcError as e:
            raise from_control_error(e) from None


def databases_of(source: ModuleSource) -> dict[DatabaseKey, list[workspace_pb2.SqlCell]]:
    """Every database of a module's text with its cells, in order."""
    found: dict[DatabaseKey, list[workspace_pb2.SqlCell]] = {}
    for cell in source.sql_cells:
        found.setdefault(DatabaseKey(source.name, cell.database), []).append(_sql_cell(source, cell))
    return found


def _sql_cell(source: ModuleSource, cell: Cell) -> workspace_pb2.SqlCell:
    version = str(cell.options.get("version", ""))
    filename = cell.filename(source.name)
    return workspace_pb2.SqlCell(filename=filename, text=cell.text, version=version, engine=cell.engine)
