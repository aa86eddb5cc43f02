"""An `FtlError` as HTML: code and sentence, the place with its source line and a caret, the hint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ftl_nb.errors import FtlError, Place
from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element, el
from ftl_nb.widgets.plain import printable
from ftl_nb.widgets.theme import view

_CSS = """
.ftl-nb .ftl-error{border-left:3px solid var(--ftl-bad);padding:0 0 0 8px;margin:2px 0}
.ftl-nb .ftl-error pre{white-space:pre;overflow-x:auto}
.ftl-nb .ftl-error .ftl-source{background:var(--ftl-panel);padding:2px 8px;margin:2px 0}
"""


@dataclass(frozen=True, eq=False, slots=True)
class ErrorView(Display):
    """One error and the others that came with it; the text form is the error's own."""

    error: FtlError

    def plain(self) -> str:
        return printable(str(self.error))

    def html(self) -> Element:
        return view(_CSS, "errors", *(el("div", *_parts(error), class_="ftl-error") for error in _flat(self.error)))


def _flat(error: FtlError) -> Iterator[FtlError]:
    yield error
    for other in error.others:
        yield from _flat(other)


def _parts(error: FtlError) -> Iterator[Element]:
    yield el("div", el("strong", error.code, class_="ftl-bad"), " ", error.message)
    if error.remote:
        yield el("pre", error.remote.rstrip("\n"), class_="ftl-source")
    if error.place is not None:
        yield from _place(error.place)
    if error.hint:
        yield el("div", el("span", "hint: ", class_="ftl-muted"), error.hint)


def _place(place: Place) -> Iterator[Element]:
    yield el("div", "at ", el("code", str(place)), class_="ftl-muted")
    if place.source_line:
        caret = place.caret()
        yield el(
            "pre", place.source_line, el("span", f"\n{caret}", class_="ftl-bad") if caret else None, class_="ftl-source"
        )
