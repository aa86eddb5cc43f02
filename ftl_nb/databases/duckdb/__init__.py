"""DuckDB: the embedded default engine. Importing this room loads neither duckdb nor sqlglot; using it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ftl_nb.databases.decls import Analysis
    from ftl_nb.databases.duckdb.database import DuckDBDatabase
    from ftl_nb.databases.model import DatabaseSource


class DuckDBEngine:
    """Analyses DuckDB SQL and opens DuckDB databases."""

    name = "duckdb"

    def analyse(self, source: DatabaseSource) -> Analysis:
        from ftl_nb.databases.duckdb.analysis import analyse

        return analyse(source)

    def open(self, folder: Path, database: str) -> DuckDBDatabase:
        from ftl_nb.databases.duckdb.database import DuckDBDatabase

        return DuckDBDatabase(folder, database)
