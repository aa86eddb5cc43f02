"""What a deployment would change: the difference of two schemas, what breaks in red with who breaks."""

from __future__ import annotations

from dataclasses import dataclass

from ftl_nb import schema
from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element, el
from ftl_nb.widgets.plain import printable
from ftl_nb.widgets.theme import view
from ftl_nb.widgets.units import count_text

_SIGNS = {"added": "+", "changed": "~", "removed": "-"}
_TONES = {"added": "good", "changed": "warn", "removed": "warn"}
_CSS = """
.ftl-nb .ftl-sign{display:inline-block;width:1.4em;text-align:center;font-weight:600}
.ftl-nb .ftl-why{padding-left:1.8em}
"""


@dataclass(frozen=True, slots=True)
class Plan(Display):
    """A difference of schemas by module, as `schema.diff` gives it; `notes` say what is pending, and why.

    `done` is a word for what has become of it, such as `applied`; `empty` says that nothing differs.
    """

    diff: schema.Diff
    notes: tuple[str, ...] = ()
    done: str = ""
    empty: str = "no changes"

    def plain(self) -> str:
        lines = [self.headline()]
        for module, changes in self._modules().items():
            lines += [module, *(line for change in changes for line in _lines(change))]
        notes = [line for note in self.notes for line in note.splitlines()]
        return "\n".join(map(printable, [*lines, *notes]))

    def html(self) -> Element:
        tone = "ftl-bad" if self.diff.breaking else "ftl-muted"
        parts = [part for module, changes in self._modules().items() for part in _block(module, changes)]
        notes = (el("pre", note, class_="ftl-muted") for note in self.notes)
        return view(_CSS, "plan", el("div", self.headline(), class_=tone), *parts, *notes)

    def headline(self) -> str:
        """`2 added, 1 changed · 1 breaking`, or `no changes`; what is done with it stands before."""
        counts = {kind: sum(1 for c in self.diff.changes if c.kind == kind) for kind in _SIGNS}
        words = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
        breaking = f" · {len(self.diff.breaking):,} breaking" if self.diff.breaking else ""
        return f"{self.done} · " * bool(self.done) + (words + breaking if words else self.empty)

    def _modules(self) -> dict[str, list[schema.Change]]:
        found: dict[str, list[schema.Change]] = {}
        for change in self.diff.changes:
            found.setdefault(change.module, []).append(change)
        return found


def _lines(change: schema.Change) -> list[str]:
    return [
        f"  {_SIGNS[change.kind]} {change.decl_kind} {change.name}{_breaking(change)}",
        *(f"      {line}" for line in _why(change)),
    ]


def _breaking(change: schema.Change) -> str:
    if change.breaks:
        return f"  breaks {count_text(len(change.breaks), 'declaration')}"
    return "  breaking" if change.breaking else ""


def _why(change: schema.Change) -> list[str]:
    return [*change.reasons, *change.consequences]


def _block(module: str, changes: list[schema.Change]) -> tuple[Element, Element]:
    return el("div", el("strong", module)), el("ul", *map(_item, changes))


def _item(change: schema.Change) -> Element:
    tone = "bad" if change.breaking else _TONES[change.kind]
    sign = el("span", _SIGNS[change.kind], class_=f"ftl-sign ftl-{tone}")
    why = (el("div", line, class_=f"ftl-why ftl-{'bad' if change.breaking else 'muted'}") for line in _why(change))
    mark = el("span", _breaking(change), class_="ftl-bad") if _breaking(change) else None
    return el("li", sign, " ", el("code", f"{change.decl_kind} {change.name}"), mark, *why)
