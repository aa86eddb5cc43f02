"""What became of the newest changesets, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element, el
from ftl_nb.widgets.plain import columns
from ftl_nb.widgets.table import TABLE_CSS, table
from ftl_nb.widgets.theme import view
from ftl_nb.widgets.units import duration_text

_HEADERS = ("changeset", "state", "modules", "by", "when", "took", "")
_STABLE = ("state", "modules", "by", "")
_TONES = {"finalized": "good", "moved": "good", "failed": "bad"}
#: How far the old versions have gone is chance.
_MOVED = ("committed", "drained", "finalized")


@dataclass(frozen=True, slots=True)
class PastChange:
    """One changeset. `took` is in seconds, None while it goes on; `note` what went wrong, or what it was forced on."""

    key: str
    state: str
    modules: tuple[str, ...]
    owner: str
    created: datetime
    took: float | None
    note: str = ""

    def texts(self, stable: bool = False) -> tuple[str, ...]:
        took = duration_text(self.took) if self.took is not None else "…"
        when = f"{self.created.astimezone():%H:%M:%S}"
        state = "moved" if stable and self.state in _MOVED else self.state
        return (self.key, state, ", ".join(self.modules), self.owner, when, took, self.note)


@dataclass(frozen=True, slots=True)
class Changesets(Display):
    """Newest first. `stable` leaves out what differs from run to run, so that a saved notebook stays the same."""

    changesets: tuple[PastChange, ...]
    stable: bool = False

    def plain(self) -> str:
        return columns([self._headers, *self._rows()]) if self.changesets else "no changesets yet"

    def html(self) -> Element:
        rows = [[_cell(name, text) for name, text in zip(self._headers, row, strict=True)] for row in self._rows()]
        return view(TABLE_CSS, "changesets", table(self._headers, rows) if rows else el("p", "no changesets yet"))

    @property
    def _headers(self) -> tuple[str, ...]:
        return _STABLE if self.stable else _HEADERS

    def _rows(self) -> list[tuple[str, ...]]:
        shown = [_HEADERS.index(name) for name in self._headers]
        return [tuple(texts[i] for i in shown) for texts in (past.texts(self.stable) for past in self.changesets)]


def _cell(header: str, text: str) -> Element | str:
    if header == "state":
        return el("span", text, class_=f"ftl-{_TONES.get(text, 'warn')}")
    return el("span", text, class_="ftl-muted") if header == "" else text
