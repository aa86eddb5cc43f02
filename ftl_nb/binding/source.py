"""A module's source: the ordered list of its cells, as plain text.

This is what ships to a runner, what the store keeps and what the digest of a
deployment is taken over.  Nothing in here parses or runs the text.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, cast

CellKind = Literal["module", "verb", "sql", "fixture"]

_NO_OPTIONS: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a module.

    ``text`` keeps the notebook cell's own line numbers: the line of a cell magic
    is replaced by an empty first line.  ``options`` holds JSON values only.
    ``database`` and ``engine`` are set on SQL cells alone.
    """

    id: str
    kind: CellKind
    label: str
    text: str
    options: Mapping[str, object] = field(default_factory=lambda: _NO_OPTIONS)
    database: str = ""
    engine: str = ""

    def __hash__(self) -> int:
        return hash((self.id, self.kind, self.label, self.text, self.database, self.engine))

    def filename(self, module: str) -> str:
        """The file name the cell is compiled under: ``<shop/checkout>``; that of the file where it is one."""
        return self.label if self.is_file else f"<{module}/{self.label}>"

    @property
    def is_file(self) -> bool:
        """Whether the cell is the whole of a `.py` file: its label is the file's path in its project."""
        return self.label.endswith(".py")

    @property
    def is_python(self) -> bool:
        return self.kind != "sql"

    def to_dict(self) -> dict[str, object]:
        """JSON values only; the inverse of :meth:`from_dict`."""
        return {
            "id": self.id,
            "kind": self.kind,
            "label": self.label,
            "text": self.text,
            "options": dict(self.options),
            "database": self.database,
            "engine": self.engine,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Cell":
        """Raises KeyError when ``id``, ``kind``, ``label`` or ``text`` is missing."""
        return cls(
            id=data["id"],
            kind=cast(CellKind, data["kind"]),
            label=data["label"],
            text=data["text"],
            options=dict(data.get("options") or {}),
            database=data.get("database", ""),
            engine=data.get("engine", ""),
        )


@dataclass(frozen=True, slots=True)
class ModuleSource:
    """A module's name and its cells in first-run order."""

    name: str
    cells: tuple[Cell, ...] = ()

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.cells)

    @property
    def python_cells(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.is_python)

    @property
    def sql_cells(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if not cell.is_python)

    def cell(self, label: str) -> Cell | None:
        """The cell with that label."""
        return next((cell for cell in self.cells if cell.label == label), None)

    def at(self, filename: str) -> Cell | None:
        """The cell compiled under ``filename``."""
        return next((cell for cell in self.cells if cell.filename(self.name) == filename), None)

    def with_cell(self, new: Cell) -> "ModuleSource":
        """This source with ``new`` in the place of the cell with its id, else at the end."""
        if any(cell.id == new.id for cell in self.cells):
            return replace(self, cells=tuple(new if cell.id == new.id else cell for cell in self.cells))
        return replace(self, cells=(*self.cells, new))

    def without_cell(self, cell_id: str) -> "ModuleSource":
        return replace(self, cells=tuple(cell for cell in self.cells if cell.id != cell_id))

    @property
    def digest(self) -> str:
        """sha256, in hex, over the module's name and its cells but for their ids.

        An id belongs to a front end's document, so the same text run from a
        script and from a notebook has the same digest.
        """
        cells = [{key: value for key, value in cell.to_dict().items() if key != "id"} for cell in self.cells]
        text = json.dumps({"name": self.name, "cells": cells}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, object]:
        return {"name": self.name, "cells": [cell.to_dict() for cell in self.cells]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ModuleSource":
        return cls(name=data["name"], cells=tuple(Cell.from_dict(cell) for cell in data["cells"]))
