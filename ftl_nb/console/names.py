"""The names that a defining cell gives its notebook: the module's own objects, bound once more."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ftl_nb import schema
from ftl_nb.binding.loader import module_object
from ftl_nb.binding.names import declared
from ftl_nb.binding.source import Cell
from ftl_nb.binding.verbs import Verb
from ftl_nb.schema.names import snake

if TYPE_CHECKING:
    from ftl_nb.client import Session


def names_of(session: Session, module: str, cell: Cell) -> dict[str, Any]:
    """Public names of a cell and what they stand for in the module: classes, verbs, values; for SQL its queries."""
    namespace = vars(module_object(module))
    names = _query_names(session, module) if cell.kind == "sql" else declared(ast.parse(cell.text)).all
    public = {n: namespace[n] for n in names if not n.startswith("_") and n in namespace}
    named = {snake(v.name): v for v in public.values() if isinstance(v, Verb) and v.module == module}
    return {module: module_object(module), **named, **public}


def _query_names(session: Session, module: str) -> list[str]:
    decls = session.view.module(module)
    found = decls.decls if decls is not None else ()
    generated = schema.MetadataGenerated()
    return [
        snake(d.name) if isinstance(d, schema.Verb) else d.name
        for d in found
        if isinstance(d, schema.Verb | schema.Data) and generated in d.metadata
    ]


def is_of(value: Any, module: str) -> bool:
    """Whether something is a module's own declaration, not what its text imported."""
    return module in (getattr(value, "module", None), str(getattr(value, "__module__", "")).rpartition(".")[2])
