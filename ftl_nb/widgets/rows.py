"""The rows of a query as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element, el
from ftl_nb.widgets.plain import clip, columns, printable
from ftl_nb.widgets.table import TABLE_CSS, table
from ftl_nb.widgets.theme import view
from ftl_nb.widgets.units import count_text

ROWS_SHOWN = 50
_CELLS = 60


@dataclass(frozen=True, slots=True)
class Rows(Display):
    """The first rows of an answer as texts, and how many there are in all."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int

    def plain(self) -> str:
        body = columns([self.headers, *self._cells()]) if self.rows else "no rows"
        return "\n".join([body, *self._cut()])

    def html(self) -> Element:
        body = table(self.headers, self._cells()) if self.rows else el("p", "no rows")
        return view(TABLE_CSS, "rows", body, *(el("p", line, class_="ftl-muted") for line in self._cut()))

    def _cells(self) -> list[Sequence[str]]:
        return [[clip(printable(cell), _CELLS) for cell in row] for row in self.rows]

    def _cut(self) -> list[str]:
        hidden = self.total - len(self.rows)
        return [f"… {count_text(hidden, 'more row')}"] if hidden else []
