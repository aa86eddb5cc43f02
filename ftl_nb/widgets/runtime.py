"""What the running system says of the schema: each system's own element of a module or declaration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from ftl_nb import schema
from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element, el
from ftl_nb.widgets.plain import columns, printable
from ftl_nb.widgets.table import TABLE_CSS, table
from ftl_nb.widgets.theme import view

_HEADERS = ("of", "element", "value")
_ELEMENTS: dict[type[schema.Runtime], str] = {
    schema.ModuleRuntimeDeployment: "deployment",
    schema.ModuleRuntimeScaling: "scaling",
    schema.ModuleRuntimeRunner: "runner",
    schema.ModuleRuntimeImage: "image",
    schema.TopicRuntime: "topic",
    schema.DatabaseRuntime: "database",
    schema.EgressRuntime: "egress",
    schema.PlaintextKafkaSubscriptionConnector: "subscription",
}


@dataclass(frozen=True, slots=True)
class RuntimeView(Display):
    """Every runtime element of some modules, a row each; nothing of it is part of a digest."""

    modules: tuple[schema.Module, ...]

    def plain(self) -> str:
        rows = self._rows()
        return columns([_HEADERS, *(tuple(map(printable, row)) for row in rows)]) if rows else "nothing runs"

    def html(self) -> Element:
        rows = [(el("strong", of), element, el("code", value)) for of, element, value in self._rows()]
        return view(TABLE_CSS, "runtime", table(_HEADERS, rows) if rows else el("p", "nothing runs"))

    def _rows(self) -> list[tuple[str, str, str]]:
        return [row for module in self.modules for row in _rows_of(module)]


def _rows_of(module: schema.Module) -> Iterator[tuple[str, str, str]]:
    if module.runtime is not None:
        yield module.name, "base", "  ".join(_words(module.runtime.base))
    for found in schema.runtime_elements(module):
        of = f"{module.name}.{found.name}" if found.name else module.name
        yield of, _ELEMENTS[type(found.element)], "  ".join(_words(found.element))


def _words(node: schema.Struct, path: str = "") -> Iterator[str]:
    """`field=value` of every field that is set, those of parts by their path."""
    for name in node.__match_args__:
        value = getattr(node, name)
        if value not in (None, False, "", ()):
            yield from _word(f"{path}{name}", value)


def _word(name: str, value: object) -> Iterator[str]:
    if isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _word(f"{name}[{number}]", item)
    elif isinstance(value, schema.Struct):
        yield from _words(value, f"{name}.")
    elif isinstance(value, Enum):
        yield f"{name}={value.name.lower()}"
    elif name.rpartition("_")[2] in ("at", "time") and isinstance(value, int):
        yield f"{name}={datetime.fromtimestamp(value / 1e9, UTC):%Y-%m-%dT%H:%M:%SZ}"
    else:
        yield f"{name}={'true' if value is True else value}"
