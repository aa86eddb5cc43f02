"""Which module declares a class or a union, and under which name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, get_origin

from ftl_nb import schema
from ftl_nb.errors import Place, fail
from ftl_nb.schema import json

_PACKAGE = "ftl_nb.modules."


class Owners:
    """The declarations that come from other modules: those said to, and those made by `ftl_nb.modules`."""

    def __init__(self, module: str, own_name: str, explicit: Mapping[Any, tuple[str, str]]) -> None:
        self._module = module
        self._own_names = {own_name, _PACKAGE + module}
        self._explicit = explicit

    def foreign(self, source: Any) -> schema.Ref | None:
        """The reference to another module's declaration; nothing for what belongs to this one."""
        owner = self._explicit.get(source) or self._made_by_finder(source)
        return schema.Ref(*owner) if owner is not None and owner[0] != self._module else None

    def _made_by_finder(self, source: Any) -> tuple[str, str] | None:
        union = json.variants(source)
        full = _module_of(union.members[0] if union else source)
        if not full.startswith(_PACKAGE) or full in self._own_names:
            return None
        name = source.__name__ if union is None else _name_of_union(frozenset(union.members), full)
        return (full.removeprefix(_PACKAGE), name) if name else None


def _module_of(source: Any) -> str:
    return str(getattr(get_origin(source) or source, "__module__", ""))


def _name_of_union(members: frozenset[Any], module: str) -> str:
    for name, value in vars(sys.modules[module]).items() if module in sys.modules else ():
        union = json.variants(value)
        if union is not None and frozenset(union.members) == members:
            return name
    return ""


def named_unions(aliases: Mapping[str, Any], places: Mapping[str, Place]) -> dict[frozenset[Any], str]:
    """The type enums that a module names, by their members. Raises `enum-ambiguous` for equal ones."""
    found: dict[frozenset[Any], str] = {}
    for name, value in aliases.items():
        union = json.variants(json.unwrapped(value))
        if union is None or len(union.members) < 2 or not all(map(json.is_data, union.members)):
            continue
        first = found.setdefault(frozenset(union.members), name)
        if first != name:
            raise fail("enum-ambiguous", places.get(name), first=first, second=name)
    return found
