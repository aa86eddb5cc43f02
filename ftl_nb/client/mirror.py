"""The system's modules as objects of this process: what `ftl_nb.modules.shop` is in a notebook, script or test.

A module whose text belongs to this session is its text, executed here once more: only cells that changed, and of a
changed cell only the classes that changed, so that values made before stay instances of their class. Every other
module is made from the schema. Either way a verb's types are the classes that stand in the module now.
"""

from __future__ import annotations

import ast
import sys
import threading
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from ftl_nb import schema
from ftl_nb.binding.finder import is_being_made, populate, populate_generated, verb_of
from ftl_nb.binding.loader import PACKAGE, module_object, run_cell
from ftl_nb.binding.names import declared
from ftl_nb.binding.signature import NOTHING, Signature
from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.binding.verbs import Verb
from ftl_nb.client.digests import class_digests


@dataclass(slots=True)
class _Held:
    """What this process has executed of a module."""

    cells: dict[str, Cell] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    module: schema.Module | None = None


class Mirror:
    """Keeps the module objects of this process up to date."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        # The schema stream may tell of a module while its text is being executed here for the first time.
        self._lock = threading.RLock()

    def has_text(self, module: str) -> bool:
        return bool(self._held.get(module, _Held()).cells)

    def has_cell(self, module: str, cell: Cell) -> bool:
        """Whether the text of a cell is what this session has of its module. Queries have none here."""
        held = self._held.get(module, _Held())
        return cell.kind == "sql" or any(c.text == cell.text for c in held.cells.values())

    @property
    def with_text(self) -> frozenset[str]:
        """The modules whose text this session has run."""
        return frozenset(name for name, held in self._held.items() if held.cells)

    def take_text(self, decls: schema.Module, source: ModuleSource) -> None:
        """Executes what changed of a module whose text is this session's."""
        with self._lock:
            self._take_text(decls, source)

    def _take_text(self, decls: schema.Module, source: ModuleSource) -> None:
        held = self._held.setdefault(source.name, _Held())
        target = module_object(source.name)
        populate_generated(target, decls, _same_rows(held.module, decls))
        digests = class_digests(source)
        for cell in self._stale(held, source, digests):
            run_cell(source.name, cell, keep=_kept(target, cell, held.digests, digests))
        self._forget(held, source, target)
        held.cells = {c.id: c for c in source.python_cells}
        held.digests, held.module = digests, decls
        rebind(target, decls)

    def _stale(self, held: _Held, source: ModuleSource, digests: dict[str, str]) -> list[Cell]:
        """Cells that are new or changed, and those with a class that depends on a changed one."""
        changed = {n for n, d in digests.items() if held.digests.get(n) != d}
        return [
            c
            for c in source.python_cells
            if c.id not in held.cells or held.cells[c.id].text != c.text or changed & set(_classes(c))
        ]

    def _forget(self, held: _Held, source: ModuleSource, target: ModuleType) -> None:
        """Names that no cell binds any more leave the module object."""
        before = {n for c in held.cells.values() for n in _bound(c)}
        now = {n for c in source.python_cells for n in _bound(c)}
        for name in before - now:
            target.__dict__.pop(name, None)

    def take_schema(self, decls: schema.Module) -> None:
        """Refreshes a module whose text is elsewhere, where it was imported already."""
        with self._lock:
            self._take_schema(decls)

    def _take_schema(self, decls: schema.Module) -> None:
        held = self._held.setdefault(decls.name, _Held())
        target = sys.modules.get(f"{PACKAGE}.{decls.name}")
        if target is None or held.cells or is_being_made(decls.name):
            return
        if held.module is None or _types(held.module) != _types(decls):
            populate(target, decls)
        rebind(target, decls)
        held.module = decls

    def drop(self, module: str) -> None:
        """A module that is gone from the system."""
        self._held.pop(module, None)
        sys.modules.pop(f"{PACKAGE}.{module}", None)
        package = sys.modules.get(PACKAGE)
        if package is not None and hasattr(package, module):
            delattr(package, module)


def rebind(target: ModuleType, decls: schema.Module) -> None:
    """Every verb of the module takes its types from the module's classes of now; verbs that are gone are removed."""
    verbs = {d.name: d for d in decls.decls if isinstance(d, schema.Verb)}
    bound = set()
    for name, value in list(vars(target).items()):
        if not isinstance(value, Verb) or value.module != decls.name:
            continue
        decl = verbs.get(value.name)
        if decl is None:
            target.__dict__.pop(name)
        else:
            bound.add(decl.name)
            value.rebind(_with_names(verb_of(decls, decl).signature, value))
            # A verb with a name of its own is called by that too, as everywhere else.
            target.__dict__.setdefault(schema.names.snake(decl.name), value)
    for decl in (d for name, d in verbs.items() if name not in bound):
        setattr(target, schema.names.snake(decl.name), verb_of(decls, decl))


def _with_names(signature: Signature, verb: Verb) -> Signature:
    """The schema's types with the names that the function's own text gives its parameters."""
    if verb.function is None or signature.request is NOTHING:
        injected = verb.signature.injected if verb.function is not None else ()
        return Signature(signature.request, signature.response, signature.parameter, injected, signature.spread)
    code: Any = verb.function.__code__
    count = code.co_argcount
    keywords = code.co_varnames[count : count + code.co_kwonlyargcount]
    return Signature(signature.request, signature.response, code.co_varnames[0], keywords, signature.spread)


def _kept(target: ModuleType, cell: Cell, before: dict[str, str], after: dict[str, str]) -> frozenset[str]:
    """Classes of a cell that are as they were, and so are not executed again."""
    there = vars(target)
    return frozenset(n for n in _classes(cell) if n in there and n in before and before[n] == after.get(n))


def _same_rows(before: schema.Module | None, after: schema.Module) -> frozenset[str]:
    """The generated types that are as they were, with all that they refer to; their classes stay."""
    old, new = _rows(before) if before is not None else {}, _rows(after)
    same = {name for name, decl in new.items() if old.get(name) == decl}
    while changed := {name for name in same if _row_names(new[name]) & new.keys() - same}:
        same -= changed
    return frozenset(same)


def _rows(module: schema.Module) -> dict[str, schema.Data]:
    """The generated data by name; who may see one does not make it another class."""
    generated = schema.MetadataGenerated()
    rows = (d for d in module.decls if isinstance(d, schema.Data) and generated in d.metadata)
    return {d.name: replace(d, visibility=schema.Visibility.NONE) for d in rows}


def _row_names(decl: schema.Data) -> set[str]:
    return {ref.name for ref in schema.refs(decl)}


def _classes(cell: Cell) -> list[str]:
    return [n.name for n in ast.parse(cell.text).body if isinstance(n, ast.ClassDef)]


def _bound(cell: Cell) -> tuple[str, ...]:
    return declared(ast.parse(cell.text)).all


def _types(module: schema.Module) -> list[schema.Decl]:
    return [d for d in module.decls if not isinstance(d, schema.Verb)]
