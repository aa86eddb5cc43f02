"""Which record of a module a cell that arrives is: by the front end's id, else by what it declares."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.compiler import ParsedCell, parse
from ftl_nb.errors import FtlError


def placed(source: ModuleSource, cell: Cell) -> tuple[ModuleSource, Cell]:
    """The module's text with `cell` in its place, and the cell with its final id, label and migration version."""
    found = record_of(source, cell)
    if found is None:
        made = replace(cell, id=cell.id or _new_id(source), label=label_of(source, cell, None))
    else:
        made = replace(cell, id=cell.id or found.id, label=label_of(source, cell, found))
    if cell.kind == "sql":
        made = replace(made, options=_with_version(source, made, found))
    return _put(source, made, found), made


def _put(source: ModuleSource, made: Cell, found: Cell | None) -> ModuleSource:
    if found is None:
        return replace(source, cells=(*source.cells, made))
    return replace(source, cells=tuple(made if c is found else c for c in source.cells))


def record_of(source: ModuleSource, cell: Cell) -> Cell | None:
    """The record that `cell` replaces, None for a new one."""
    if cell.id:
        by_id = next((c for c in source.cells if c.id == cell.id), None)
        if by_id is not None:
            return by_id
    names = declared_by(source.name, cell)
    return next((c for c in source.cells if _is_same(source.name, c, cell, names)), None)


def _is_same(module: str, record: Cell, cell: Cell, names: frozenset[str]) -> bool:
    """Whether `cell`, which declares `names`, is the record.

    Two ids of a front end are two cells, unless the later declares all that the earlier did: a cell that was copied,
    or moved to another place of its notebook, has a new id, and the one that ran last is meant.
    """
    if (record.kind == "sql") != (cell.kind == "sql") or record.database != cell.database:
        return False
    theirs = declared_by(module, record)
    if is_front_end_id(record.id) and cell.id:
        return bool(theirs) and theirs <= names
    return bool(names & theirs) or record.text == cell.text


def is_front_end_id(cell_id: str) -> bool:
    return not cell_id.startswith(_OWN_ID)


_OWN_ID = "declared-"


def _new_id(source: ModuleSource) -> str:
    """An id of ours, for front ends that send none; unlike any that a front end makes."""
    taken = {c.id for c in source.cells}
    return next(i for n in range(1, len(taken) + 2) if (i := f"{_OWN_ID}{n}") not in taken)


def declared_by(module: str, cell: Cell) -> frozenset[str]:
    """What a cell declares: its public names, or for SQL its queries and whether it has a migration."""
    if cell.kind == "sql":
        return frozenset(_sql_names(cell))
    parsed = _parsed(module, cell)
    if parsed is None:
        return frozenset()
    marked = [m.name for m in parsed.marks]
    names = marked if cell.kind != "module" else [*marked, *parsed.names.public]
    return frozenset(n for n in names if not n.startswith("_"))


def _parsed(module: str, cell: Cell) -> ParsedCell | None:
    """None for a text that does not parse: the build says so, here it declares nothing."""
    try:
        return parse(cell, module)
    except FtlError:
        return None


def _sql_names(cell: Cell) -> list[str]:
    import re

    names = re.findall(r"(?im)^\s*--\s*name:\s*(\w+)", cell.text)
    tables = re.findall(r"(?i)\bcreate\s+(?:or\s+replace\s+)?table\s+(?:if\s+not\s+exists\s+)?([\w.\"]+)", cell.text)
    return [*names, *(f"table {t.lower()}" for t in tables)]


def label_of(source: ModuleSource, cell: Cell, found: Cell | None) -> str:
    """What the cell is called in errors: its verb, `module`, or its database; numbered where that is taken.

    A file keeps its name; a module's further cells in plain form are called as their verb, where they have one.
    """
    if cell.is_file:
        return cell.label
    taken = {c.label for c in source.cells if c is not found}
    if cell.kind == "sql":
        wanted = f"{cell.database}.sql"
    else:
        wanted = _verb_of(source.name, cell, further="module" in taken) or (
            found.label if found and cell.kind != "module" else cell.kind
        )
    if found is not None and found.label.partition("-")[0] == wanted:
        return found.label
    return next(
        label for n in range(1, len(taken) + 2) if (label := wanted if n == 1 else f"{wanted}-{n}") not in taken
    )


def _verb_of(module: str, cell: Cell, *, further: bool) -> str:
    parsed = _parsed(module, cell)
    if parsed is None or (cell.kind == "module" and not (further and len(parsed.marks) == 1)):
        return ""
    return parsed.marks[-1].name


def _with_version(source: ModuleSource, cell: Cell, found: Cell | None) -> Mapping[str, object]:
    """A migration's version is given at its first run and stays with the cell; digits, rising within the database."""
    known = (found or cell).options.get("version")
    if known:
        return {**cell.options, "version": known}
    last = max((str(c.options.get("version", "")) for c in source.sql_cells), default="")
    new = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    return {**cell.options, "version": new if new > last else str(int(last) + 1)}
