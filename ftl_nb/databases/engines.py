"""The engines behind one interface, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from ftl_nb.databases.duckdb import DuckDBEngine
from ftl_nb.errors import Place, fail

if TYPE_CHECKING:
    from ftl_nb.databases.call import Call
    from ftl_nb.databases.decls import Analysis
    from ftl_nb.databases.model import DatabaseSource, Migration, PreparedQuery


class Session(Protocol):
    """What answers calls: a live database, or its candidate while it is being migrated."""

    def execute(self, query: PreparedQuery, body: bytes, call: Call | None = None) -> bytes:
        """The JSON answer of a SQL verb."""

    def arrow(self, query: PreparedQuery, body: bytes, call: Call | None = None) -> bytes:
        """The result of a SQL verb as an Arrow IPC stream."""

    def query_sql(self, sql: str, parameters: bytes = b"", call: Call | None = None) -> bytes:
        """Rows of one raw statement; parameters and answer as in `rows`."""

    def execute_sql(self, sql: str, parameters: bytes = b"", call: Call | None = None) -> int:
        """Runs one raw statement; the number of changed rows."""


class Candidate(Session, Protocol):
    """A migrated database before it serves. `kind` is `none`, `pending` or `changed`."""

    kind: Literal["none", "pending", "changed"]
    pending: tuple[str, ...]
    rows_gone: Mapping[str, int]

    def commit(self) -> None:
        """Serves from now on."""

    def rollback(self) -> None:
        """Leaves the database as it was; nothing after `commit`."""


class LiveDatabase(Session, Protocol):
    """An open database, owned by this process."""

    name: str

    def prepare(self, migrations: Sequence[Migration], *, isolated: bool = False, timeout: float = 30.0) -> Candidate:
        """The database with exactly these migrations, beside the one that serves."""

    def close(self) -> None:
        """Gives it free."""


class Engine(Protocol):
    """What a database engine does for the rest of the system."""

    name: str

    def open(self, folder: Path, database: str) -> LiveDatabase:
        """The live database in a folder of its own; `database` (`shop.stock`) is for errors."""

    def analyse(self, source: DatabaseSource) -> Analysis:
        """The declarations and prepared queries of a database; raises with the place of what is wrong."""


_ENGINES: Sequence[Engine] = (DuckDBEngine(),)


def engine_names() -> tuple[str, ...]:
    return tuple(e.name for e in _ENGINES)


def engine(name: str, place: Place | None = None) -> Engine:
    """Raises `engine-unknown`."""
    for known in _ENGINES:
        if known.name == name:
            return known
    raise fail("engine-unknown", place, engine=name, known=", ".join(engine_names()))
