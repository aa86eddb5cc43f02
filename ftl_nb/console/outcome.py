"""What became of a cell, as its card."""

from __future__ import annotations

from collections.abc import Iterator

from ftl_nb import schema
from ftl_nb.client import Defined
from ftl_nb.console.differences import change_of
from ftl_nb.rpc import workspace_pb2
from ftl_nb.widgets import Card, CardChange, signature


def card_of(module: str, defined: Defined, decls: schema.Module | None, took: float) -> Card:
    """The card of one defining cell; `decls` is the module as it is now, `took` seconds."""
    changes = tuple(_changes(module, defined.changes, decls))
    return Card(module, defined.status, changes, defined.notes, took)


def _changes(
    module: str, changes: tuple[workspace_pb2.Change, ...], decls: schema.Module | None
) -> Iterator[CardChange]:
    by_name = {d.name: d for d in decls.decls} if decls is not None else {}
    for change in changes:
        decl = by_name.get(change.name)
        own = change.module == module
        name = change.name if own else f"{change.module}.{change.name}"
        detail = signature(decl, module) if change.sign == "+" and own and decl is not None else change.detail
        follows = change_of(change).consequences
        yield CardChange(change.sign, change.kind, name, detail, follows)  # type: ignore[arg-type]
