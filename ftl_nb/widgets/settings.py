"""Configs and secrets, as a table; a secret's value is not among what it is given."""

from __future__ import annotations

from dataclasses import dataclass

from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element, el
from ftl_nb.widgets.plain import columns
from ftl_nb.widgets.table import TABLE_CSS, table
from ftl_nb.widgets.theme import view

_UNDECLARED = "(no module declares it)"
_UNSET = "(not set)"


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One config or secret. `value` is JSON; `type` is empty where nobody declares it, `provider` where none is set."""

    ref: str
    type: str
    value: str
    provider: str

    def texts(self) -> tuple[str, ...]:
        return (self.ref, self.type or _UNDECLARED, self.value if self.provider else _UNSET, self.provider)


@dataclass(frozen=True, slots=True)
class SettingLines(Display):
    """All of one kind, by ref."""

    kind: str
    lines: tuple[SettingLine, ...]

    def plain(self) -> str:
        return columns([self._headers, *(line.texts() for line in self.lines)]) if self.lines else self._none

    def html(self) -> Element:
        rows = [[_cell(text) for text in line.texts()] for line in self.lines]
        return view(TABLE_CSS, "settings", table(self._headers, rows) if rows else el("p", self._none))

    @property
    def _headers(self) -> tuple[str, ...]:
        return (self.kind, "type", "value", "from")

    @property
    def _none(self) -> str:
        return f"no {self.kind} is declared or set"


def _cell(text: str) -> Element | str:
    return el("span", text, class_="ftl-muted") if text in (_UNSET, _UNDECLARED) else text
