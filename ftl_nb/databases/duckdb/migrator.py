"""Which migrations a file has, which are to come, and running them.

`schema_migrations(version)` is dbmate's table; `ftl_migrations` beside it keeps order and digest of what was applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import duckdb

from ftl_nb.databases.duckdb.scratch import BOOKKEEPING, apply_migration, migration_error
from ftl_nb.databases.model import Migration

_TABLES = """
CREATE TABLE IF NOT EXISTS schema_migrations (version VARCHAR PRIMARY KEY);
CREATE TABLE IF NOT EXISTS ftl_migrations (
    ordinal INTEGER PRIMARY KEY, version VARCHAR NOT NULL, digest VARCHAR NOT NULL
);
"""
_USER_TABLES = (
    "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary ORDER BY table_oid"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`none`: nothing to do. `pending`: run `pending`. `changed`: what was applied differs, all run on a new file."""

    kind: Literal["none", "pending", "changed"]
    pending: tuple[Migration, ...] = ()


def plan(connection: duckdb.DuckDBPyConnection, migrations: Sequence[Migration]) -> Plan:
    """What has to be done so that a file has exactly these migrations, in this order."""
    applied = applied_migrations(connection)
    wanted = [(m.version, m.digest) for m in migrations]
    if wanted[: len(applied)] != applied:
        return Plan("changed", tuple(migrations))
    pending = tuple(migrations[len(applied) :])
    return Plan("pending" if pending else "none", pending)


def applied_migrations(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Version and digest of what a file has, in the order in which it was applied."""
    try:
        rows = connection.execute("SELECT version, digest FROM ftl_migrations ORDER BY ordinal").fetchall()
    except duckdb.CatalogException:
        return []  # a new file; asking the catalogue first costs as much as all the rest
    return [(str(version), str(digest)) for version, digest in rows]


def migrate(connection: duckdb.DuckDBPyConnection, migrations: Sequence[Migration], database: str) -> None:
    """Runs each migration in a transaction of its own. Raises `migration-failed` with its place."""
    connection.execute(_TABLES)
    for migration in migrations:
        try:
            _run(connection, migration, database)
        except duckdb.Error as error:
            raise migration_error(error, migration, database) from None


def _run(connection: duckdb.DuckDBPyConnection, migration: Migration, database: str) -> None:
    if migration.transaction:
        connection.begin()
    apply_migration(connection, migration, database)
    connection.execute("INSERT INTO schema_migrations VALUES (?)", [migration.version])
    connection.execute(
        "INSERT INTO ftl_migrations SELECT count(*), ?, ? FROM ftl_migrations", [migration.version, migration.digest]
    )
    if migration.transaction:
        connection.commit()


def row_counts(connection: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    """The rows of each of the author's tables that has any, by the table's name."""
    counts: dict[str, int] = {}
    for schema, table in connection.execute(_USER_TABLES).fetchall():
        if table in BOOKKEEPING:
            continue
        quoted = ".".join('"' + name.replace('"', '""') + '"' for name in (schema, table))
        name = table if schema == "main" else f"{schema}.{table}"
        (counted,) = connection.execute(f"SELECT count(*) FROM {quoted}").fetchall()
        if counted[0]:
            counts[name] = counted[0]
    return counts
