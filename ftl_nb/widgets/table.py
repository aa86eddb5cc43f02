"""Tables, and the table of what runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftl_nb import schema
from ftl_nb.widgets.display import Display
from ftl_nb.widgets.graph import KIND_ORDER, kind_of
from ftl_nb.widgets.html import Element, el
from ftl_nb.widgets.plain import columns
from ftl_nb.widgets.theme import view
from ftl_nb.widgets.units import count_text

NOT_RUN = "not run in this session"
_HEADERS = ("module", "status", "runner", "declarations", "notebook", "")
_TONES = {
    "deployed": "good",
    "running": "good",
    "ready": "good",
    "pending": "warn",
    "starting": "warn",
    "refused": "bad",
    "failed": "bad",
    "dead": "bad",
}
# JupyterLab aligns, stripes and frames every table of an output: each rule is undone by one at least as specific.
TABLE_CSS = """
.ftl-nb table.ftl-table{border-collapse:collapse;margin:0;border:0;font-size:13px;table-layout:auto}
.ftl-nb table.ftl-table tr:nth-child(n),.ftl-nb table.ftl-table tr:nth-child(n):hover{background:none}
.ftl-nb table.ftl-table th,.ftl-nb table.ftl-table td{text-align:left;vertical-align:top;
padding:2px 16px 2px 0;border:0;
border-bottom:1px solid var(--ftl-line)}
.ftl-nb table.ftl-table th{color:var(--ftl-muted);font-weight:400}
"""
_KIND_NOUNS = {"sql": "SQL verb", "alias": "alias", "data": "data type"}


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """One module of the cluster: `decls` counts declarations by kind, `runner` is its process's state."""

    module: str
    status: str
    runner: str = ""
    decls: tuple[tuple[str, int], ...] = ()
    notebook: str = ""
    run_here: bool = True

    def cells(self) -> tuple[str, ...]:
        """The row's texts."""
        decls = ", ".join(count_text(count, _KIND_NOUNS.get(kind, kind)) for kind, count in self.decls)
        return self.module, self.status, self.runner, decls, self.notebook, "" if self.run_here else NOT_RUN


@dataclass(frozen=True, slots=True)
class Status(Display):
    """Every module, in the order given, and lines of text under them."""

    modules: tuple[ModuleStatus, ...]
    notes: tuple[str, ...] = ()

    def plain(self) -> str:
        rows = [_HEADERS, *(module.cells() for module in self.modules)]
        return "\n".join([columns(rows) if self.modules else "no modules", *self.notes])

    def html(self) -> Element:
        rows = [[_cell(index, text) for index, text in enumerate(m.cells())] for m in self.modules]
        body = table(_HEADERS, rows) if rows else el("p", "no modules")
        return view(TABLE_CSS, "status", body, *(el("p", note, class_="ftl-muted") for note in self.notes))


def decl_counts(module: schema.Module) -> tuple[tuple[str, int], ...]:
    """How many declarations of each kind a module has, in drawing order."""
    kinds = [kind_of(decl) for decl in module.decls]
    return tuple((kind, kinds.count(kind)) for kind in KIND_ORDER if kind in kinds)


def table(headers: Sequence[str], rows: Sequence[Sequence[Element | str]]) -> Element:
    """A table; the style is `TABLE_CSS`."""
    head = el("thead", el("tr", *(el("th", header) for header in headers)))
    body = el("tbody", *(el("tr", *(el("td", cell) for cell in row)) for row in rows))
    return el("table", head, body, class_="ftl-table")


def _cell(index: int, text: str) -> Element | str:
    if index == 0:
        return el("strong", text)
    if index in (1, 2):
        return el("span", text, class_=f"ftl-{_TONES.get(text.split(' ', 1)[0], 'muted')}")
    return el("span", text, class_="ftl-warn") if text == NOT_RUN else text
