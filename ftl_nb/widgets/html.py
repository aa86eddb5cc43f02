"""The one way HTML and SVG are built: a tree of elements whose text and attribute values are always escaped.

`el("td", name, class_="ftl-name")` is an element; `str(element)` is its markup. Only `style` writes text as it stands,
and it takes the constants of `theme`, never data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from ftl_nb.widgets.plain import printable

AttributeValue = str | int | float | bool | None
_VOID = frozenset({"br", "hr", "img", "col"})


@dataclass(frozen=True, slots=True)
class Element:
    """A tag, its attributes in order, and its children; a `str` child is text."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple[Element | str, ...] = ()

    def __str__(self) -> str:
        start = f"<{self.tag}{''.join(_attribute(*pair) for pair in self.attributes)}>"
        if self.tag in _VOID:
            return start
        return f"{start}{''.join(self._child(child) for child in self.children)}</{self.tag}>"

    def _child(self, child: Element | str) -> str:
        if isinstance(child, Element):
            return str(child)
        return child if self.tag == "style" else escape(printable(child), quote=False)


def el(tag: str, *children: Element | str | None, **attributes: AttributeValue) -> Element:
    """An element; `class_` is `class`, `_` in a name is `-`; a child or attribute that is None or False is left out."""
    named = tuple(
        (_name(key), _value(value)) for key, value in attributes.items() if value is not None and value is not False
    )
    return Element(tag, named, tuple(child for child in children if child is not None))


def spaced(children: Iterable[Element | None]) -> list[Element | str]:
    """The children with a space after each: they stay apart where a front end has taken the style away."""
    return [part for child in children if child is not None for part in (child, " ")]


def style(css: str) -> Element:
    """A `<style>` element; ValueError when the text could end it."""
    if "<" in css:
        raise ValueError("a style sheet of ours holds no '<'")
    return Element("style", (), (css,))


def number(value: float) -> str:
    """A coordinate: at most one decimal, no trailing zero, no minus zero."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: AttributeValue) -> str:
    if value is True:
        return ""
    return number(value) if isinstance(value, float) else str(value)


def _attribute(name: str, value: str) -> str:
    return f' {name}="{escape(printable(value))}"' if value else f" {name}"
