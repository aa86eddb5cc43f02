"""The engines behind one interface, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ftl_nb.databases.duckdb import DuckDBEngine
from ftl_nb.errors import Place, fail

if TYPE_CHECKING:
    from ftl_nb.databases.decls import Analysis
    from ftl_nb.databases.model import DatabaseSource


class Engine(Protocol):
    """What a database engine does for the rest of the system."""

    name: str

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
