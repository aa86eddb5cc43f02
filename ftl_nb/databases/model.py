"""What a database is made of, for every engine: migrations, queries, and what the analysis of a query found out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ftl_nb.databases.scanner import collapse
from ftl_nb.errors import Place
from ftl_nb.schema import Position, names

Command = Literal["one", "many", "exec", "execrows"]
COMMANDS: tuple[Command, ...] = ("one", "many", "exec", "execrows")


@dataclass(frozen=True, slots=True)
class SQLText:
    """A piece of a cell: `text` begins at the start of line `line` (1-based) of `filename`."""

    text: str
    filename: str = ""
    line: int = 1

    def place(self, start: int, end: int | None = None) -> Place:
        """The place of the characters from `start` to `end` (exclusive) of the text."""
        start = min(max(start, 0), len(self.text))
        before = self.text[:start]
        column = start - (before.rfind("\n") + 1) + 1
        lines = self.text.split("\n")
        index = before.count("\n")
        width = max(1, (end if end is not None else start + 1) - start)
        return Place(self.filename, self.line + index, column, lines[index], column + width)

    def whole(self) -> Place:
        """The place of its first line."""
        line = self.text.split("\n", 1)[0]
        return self.place(len(line) - len(line.lstrip()), len(line))


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration in dbmate's format. `version` is its key and its place in the order; `down` is kept, never run."""

    version: str
    up: SQLText
    down: str = ""
    transaction: bool = True

    @property
    def digest(self) -> str:
        """sha256 in hex over what runs: comments and blanks do not count, nor does `down`."""
        return hashlib.sha256(f"{self.transaction}\n{collapse(self.up.text)}".encode()).hexdigest()


def migrations_digest(migrations: Iterable[Migration]) -> str:
    """sha256 in hex over what runs, in its order; versions do not count, as a notebook's are the times of its runs."""
    return hashlib.sha256(json.dumps([m.digest for m in migrations]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """A parameter as it is written in a query, with the offsets of its first use; `optional` by `sqlc.narg`."""

    name: str
    start: int
    end: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """One annotated query: one statement, no semicolon at its end. `head` is its name comment."""

    name: str
    command: Command
    sql: SQLText
    head: SQLText = SQLText("")
    parameters: tuple[QueryParameter, ...] = ()
    comments: tuple[str, ...] = ()

    @property
    def verb(self) -> str:
        """Its verb's schema name."""
        return names.camel(self.name)

    @property
    def position(self) -> Position:
        return Position(self.head.filename, self.head.line, 1)


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """A database as its cells give it: migrations in version order, queries in the order of the cells."""

    module: str
    name: str
    engine: str
    migrations: tuple[Migration, ...] = ()
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter or a result column of a prepared query.

    `name` is its name in JSON (a schema name), `type` the engine's own type as text, `source` its name in the SQL text.
    """

    name: str
    type: str
    optional: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """All that a database's process needs to answer a SQL verb; JSON-able by `to_dict`.

    `sql` is in the engine's own spelling. A single parameter is the whole request, a single column the whole row.
    """

    verb: str
    command: Command
    sql: str
    parameters: tuple[Slot, ...] = ()
    columns: tuple[Slot, ...] = ()
    writes: bool = False
