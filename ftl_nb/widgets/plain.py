"""Plain text for terminals: what is safe to print, how wide it stands, columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from unicodedata import combining, east_asian_width

# C0 controls as their pictures (an escape sequence in a body must not reach the terminal); C1 controls, the marks that
# turn the writing direction and lone surrogates as the replacement character.
_UNPRINTABLE: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)},
    **dict.fromkeys(chain((0x7F,), range(0x80, 0xA0), range(0x202A, 0x202F), range(0x2066, 0x206A)), "\ufffd"),
    **dict.fromkeys(chain(range(0xD800, 0xE000), (0xFFFE, 0xFFFF)), "\ufffd"),
}


def printable(text: str) -> str:
    """The text with control characters made visible; tabs and line ends stay."""
    return text.translate(_UNPRINTABLE)


def width(text: str) -> int:
    """How many terminal cells one line takes."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def clip(text: str, cells: int) -> str:
    """The text, cut to `cells` cells with an ellipsis when it is longer."""
    if width(text) <= cells:
        return text
    while text and width(text) >= cells:
        text = text[:-1]
    return text + "…"


def pad(text: str, cells: int, right: bool = False) -> str:
    """The text filled with spaces to `cells` cells."""
    space = " " * max(0, cells - width(text))
    return space + text if right else text + space


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Rows as aligned columns, two spaces between them, no space at a line's end."""
    lines = [[printable(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(pad, line, widths)).rstrip() for line in lines)
