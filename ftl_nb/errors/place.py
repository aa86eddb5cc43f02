"""Where an error is: a cell (or file), a line and a column, with the source line for the caret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """`<module/cell>` names a cell; line and column count from 1 (0: unknown), `end_column` is exclusive."""

    filename: str
    line: int = 0
    column: int = 0
    source_line: str = ""
    end_column: int = 0

    def __str__(self) -> str:
        return ":".join([self.filename, *(str(n) for n in (self.line, self.column) if n)])

    def caret(self) -> str:
        """The line that stands under `source_line`; empty when there is nothing to point at."""
        if not self.source_line or not self.column:
            return ""
        width = max(1, min(self.end_column, len(self.source_line) + 1) - self.column)
        lead = "".join("\t" if c == "\t" else " " for c in self.source_line[: self.column - 1])
        return lead + "^" * width

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, object]) -> Place:
        return cls(**raw)  # type: ignore[arg-type]
