"""The card that a defining cell returns: what changed, and whether it is live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element, el
from ftl_nb.widgets.plain import printable
from ftl_nb.widgets.theme import view

Sign = Literal["+", "-", "~"]
_SIGN_CLASS = {"+": "good", "-": "bad", "~": "warn"}
_STATUS_CLASS = {"deployed": "good", "unchanged": "muted", "pending": "warn", "staged": "warn", "refused": "bad"}
_CSS = """
.ftl-nb .ftl-sign{display:inline-block;width:1.4em;text-align:center;font-weight:600}
.ftl-nb .ftl-why{padding-left:1.8em}
"""


@dataclass(frozen=True, slots=True)
class CardChange:
    """One declaration that was added, removed or changed; `detail` is its signature, or what changed, `follows` what
    others have to do, or lose, in sentences."""

    sign: Sign
    kind: str
    name: str
    detail: str = ""
    follows: tuple[str, ...] = ()

    def plain(self) -> str:
        follows = (f"\n      {printable(line)}" for line in self.follows)
        return f"{self.sign} {printable(self._text())}{''.join(follows)}"

    def html(self) -> Element:
        sign = el("span", self.sign, class_=f"ftl-sign ftl-{_SIGN_CLASS[self.sign]}")
        follows = (el("div", line, class_="ftl-why ftl-muted") for line in self.follows)
        return el("li", sign, " ", el("code", self._text()), *follows)

    def _text(self) -> str:
        gap = "" if self.detail[:1] in ("", "(", "<") else " "
        return f"{self.kind} {self.name}{gap}{self.detail}"


@dataclass(frozen=True, slots=True)
class Card(Display):
    """The outcome of one defining cell. `took` is seconds; it goes into the output's metadata alone."""

    module: str
    status: str
    changes: tuple[CardChange, ...] = ()
    notes: tuple[str, ...] = ()
    took: float = 0.0

    def plain(self) -> str:
        head = printable(f"{self.module} · {self.status}")
        changes = [f"  {change.plain()}" for change in self.changes]
        notes = [f"  {line}" for note in self.notes for line in printable(note).split("\n")]
        return "\n".join([head, *changes, *notes])

    def html(self) -> Element:
        word = self.status.split(" ", 1)[0]
        status = el("span", self.status, class_=f"ftl-{_STATUS_CLASS.get(word, 'muted')}")
        head = el("div", el("strong", self.module), " · ", status)
        changes = el("ul", *(change.html() for change in self.changes)) if self.changes else None
        return view(_CSS, "card", head, changes, *(el("p", note, class_="ftl-muted") for note in self.notes))

    def metadata(self) -> dict[str, object]:
        return {"ftl": {"took_ms": round(self.took * 1000, 1)}}
