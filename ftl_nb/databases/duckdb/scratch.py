"""A database in memory with the migrations applied: what queries are described against.

One in-memory instance serves the whole process (starting one takes tens of milliseconds); every set of migrations has
an attached catalogue of its own in it, kept for the next edit.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from itertools import count

import duckdb

from ftl_nb.databases.decls import DescribedQuery
from ftl_nb.databases.duckdb.faults import place_of, read_fault
from ftl_nb.databases.lineage import Catalogue, Fact, Table
from ftl_nb.databases.model import DatabaseSource, Migration, migrations_digest
from ftl_nb.errors import FtlError, fail

SETTINGS = {"autoinstall_known_extensions": "false", "errors_as_json": "true"}
BOOKKEEPING = ("schema_migrations", "ftl_migrations")
_KEPT = 8

_COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() "
    "WHERE NOT internal AND database_name = ? AND schema_name = 'main' ORDER BY table_oid, column_index"
)
_VIEWS = "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal AND database_name = ? AND schema_name = 'main'"


class Scratch:
    """A migrated catalogue: `connection` is bound to it, `catalogue` has its tables and views."""

    def __init__(self, instance: duckdb.DuckDBPyConnection, name: str, source: DatabaseSource) -> None:
        self.name = name
        self.described: dict[tuple[str, str, str, str], DescribedQuery] = {}
        self.connection = instance.cursor()
        self.connection.execute(f"ATTACH ':memory:' AS {name}")
        self.connection.execute(f"USE {name}")
        for migration in source.migrations:
            apply_migration(self.connection, migration, f"{source.module}.{source.name}")
        self.catalogue = Catalogue("duckdb", {t.name.lower(): t for t in self._tables()})

    def _tables(self) -> list[Table]:
        views = dict(self.connection.execute(_VIEWS, [self.name]).fetchall())
        columns: dict[str, list[Fact]] = {}
        for table, column, type_, nullable in self.connection.execute(_COLUMNS, [self.name]).fetchall():
            columns.setdefault(table, []).append(Fact(type_, nullable, table, column))
        return [Table(name, tuple(facts), views.get(name, "")) for name, facts in columns.items()]

    def drop(self, instance: duckdb.DuckDBPyConnection) -> None:
        self.connection.close()
        instance.execute(f"DETACH {self.name}")


class Scratches:
    """The scratch catalogues of this process, the last used ones kept."""

    def __init__(self) -> None:
        self._instance = duckdb.connect(":memory:", config={**SETTINGS, "threads": "1"})
        self._kept: OrderedDict[str, Scratch] = OrderedDict()
        self._numbers = count(1)

    def get(self, source: DatabaseSource) -> Scratch:
        """Raises `migration-failed` with the statement's place."""
        key = migrations_digest(source.migrations)
        if key not in self._kept:
            self._kept[key] = self._make(source)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)[1].drop(self._instance)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _make(self, source: DatabaseSource) -> Scratch:
        name = f"scratch_{next(self._numbers)}"
        try:
            return Scratch(self._instance, name, source)
        except FtlError:
            self._instance.execute(f"DETACH DATABASE IF EXISTS {name}")
            raise


def apply_migration(connection: duckdb.DuckDBPyConnection, migration: Migration, database: str) -> None:
    """Runs the statements of a migration, one by one. Raises `migration-failed` with the place in its cell."""
    done = 0
    try:
        for statement in connection.extract_statements(migration.up.text):
            connection.execute(statement)
            done += len(statement.query)
    except duckdb.Error as error:
        raise migration_error(error, migration, database, done) from None


def migration_error(error: duckdb.Error, migration: Migration, database: str, done: int = 0) -> FtlError:
    """`done` is the number of characters of the statements that had run."""
    fault = read_fault(error)
    detail = fault.message.rstrip(".!").replace("\n", " ")
    place = place_of(fault, migration.up, begin=done)
    return fail("migration-failed", place, version=migration.version, database=database, detail=detail)


_lock = threading.Lock()
_scratches: Scratches | None = None


def scratch(source: DatabaseSource) -> Scratch:
    """The migrated catalogue of a database, made once per set of migrations."""
    global _scratches
    with _lock:
        if _scratches is None:
            _scratches = Scratches()
        return _scratches.get(source)
