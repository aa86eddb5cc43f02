"""Schema text, as it stands and quietly coloured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ftl_nb import schema
from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element, el
from ftl_nb.widgets.plain import printable
from ftl_nb.widgets.theme import view

_DECLS = "module|realm|external|verb|data|enum|typealias|topic|database|config|secret|export"
_TYPES = "Int|Float|String|Bytes|Bool|Time|Any|Unit"
_TOKEN = re.compile(
    rf"""(?P<comment>//[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<mark>\+\w+)"""
    rf"""|(?P<word>\b(?:{_DECLS})\b)|(?P<type>\b(?:{_TYPES})\b)"""
)
_CSS = """
.ftl-nb .ftl-comment{color:var(--ftl-muted)}.ftl-nb .ftl-string{color:var(--ftl-sql)}
.ftl-nb .ftl-mark{color:var(--ftl-config)}.ftl-nb .ftl-word{color:var(--ftl-verb)}
.ftl-nb .ftl-type{color:var(--ftl-fixture)}.ftl-nb .ftl-schema-text{white-space:pre;overflow-x:auto}
"""


@dataclass(frozen=True, slots=True)
class SchemaText(Display):
    """The canonical text of any node of a schema."""

    text: str

    def plain(self) -> str:
        return printable(self.text).rstrip("\n")

    def html(self) -> Element:
        return view(_CSS, "schema", el("pre", *_coloured(self.text.rstrip("\n")), class_="ftl-schema-text"))


def schema_view(node: schema.Node) -> SchemaText:
    """The view of a schema, a module or a declaration; of a schema, without its builtin modules."""
    return SchemaText(str(_without_builtins(node) if isinstance(node, schema.Schema) else node))


def _without_builtins(system: schema.Schema) -> schema.Schema:
    return schema.Schema(
        tuple(
            schema.Realm(realm.name, tuple(module for module in realm.modules if not module.builtin), realm.external)
            for realm in system.realms
        )
    )


def _coloured(text: str) -> Iterator[Element | str]:
    end = 0
    for token in _TOKEN.finditer(text):
        yield text[end : token.start()]
        yield el("span", token[0], class_=f"ftl-{token.lastgroup}")
        end = token.end()
    yield text[end:]
