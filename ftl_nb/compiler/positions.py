"""Edits of a cell's lines that remember where every column came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Edit(NamedTuple):
    """Puts `text` in the place of `removed` characters at a 0-based column of a 1-based line."""

    line: int
    column: int
    removed: int
    text: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one generated line comes from: a line of a cell (1-based), with the edits made in it, left to right."""

    filename: str
    line: int
    source_line: str
    edits: tuple[Edit, ...] = ()

    def column(self, column: int) -> int:
        """The cell's 0-based column behind one of the generated line; text put in stands for where it was put."""
        shift = 0
        for edit in self.edits:
            start = edit.column + shift
            if column < start:
                break
            if column < start + len(edit.text):
                return edit.column
            shift += len(edit.text) - edit.removed
        return min(column - shift, len(self.source_line))


@dataclass(slots=True)
class EditedText:
    """Generated lines, each with its origin; None for a line that no cell has."""

    lines: list[str] = field(default_factory=list)
    origins: list[Origin | None] = field(default_factory=list)

    def add(self, line: str) -> None:
        """A line of our own."""
        self.lines.append(line)
        self.origins.append(None)

    def add_line(self, filename: str, number: int, line: str, edits: list[Edit]) -> None:
        """A cell's line with the edits made in it."""
        ordered = tuple(sorted(edits, key=lambda edit: edit.column))
        self.origins.append(Origin(filename, number, line, ordered))
        for edit in reversed(ordered):
            line = line[: edit.column] + edit.text + line[edit.column + edit.removed :]
        self.lines.append(line)

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def origin(self, line: int) -> Origin | None:
        """Of a 0-based line."""
        return self.origins[line] if 0 <= line < len(self.origins) else None
