"""What the parts of a rule captured, by field name."""

from __future__ import annotations

from typing import Any, NamedTuple

from ftl_nb.schema.nodes.base import Position
from ftl_nb.schema.text.lexer import Source
from ftl_nb.schema.text.state import Fault, Mismatch


class Captured(NamedTuple):
    """Values for a field of the rule around, and the index where they start (skipped tokens included)."""

    name: str
    values: list[Any]
    start: int


class Captures:
    """What a rule captured: by field name."""

    def __init__(self, values: list[Any], source: Source, pos: Position) -> None:
        self._found: dict[str, list[Any]] = {}
        self._captured: list[Captured] = [value for value in values if value.__class__ is Captured]
        for name, more, _ in self._captured:
            if name in self._found:
                self._found[name] += more
            else:
                self._found[name] = more.copy()
        self._source = source
        self.pos = pos

    def all(self, name: str) -> tuple[Any, ...]:
        """Every value captured under a name."""
        return tuple(self._found.get(name, ()))

    def one(self, name: str, default: Any = None) -> Any:
        """The last value under a name."""
        values = self._found.get(name)
        return values[-1] if values else default

    def text(self, name: str) -> str:
        """The tokens under a name, joined."""
        return "".join(self._found.get(name, ()))

    def has(self, name: str) -> bool:
        """Whether anything was captured under a name."""
        return bool(self._found.get(name))

    def refuse(self, name: str, message: str) -> Mismatch:
        """The mismatch for a value that cannot be, placed where its tokens start."""
        start = next(value.start for value in self._captured if value.name == name)
        return Mismatch(Fault(self._source.token(start), message=message))
