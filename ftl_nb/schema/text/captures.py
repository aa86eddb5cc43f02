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
        self._values: dict[str, list[Any]] = {}
        self._starts: dict[str, int] = {}
        for value in values:
            if value.__class__ is Captured:
                self._values.setdefault(value.name, []).extend(value.values)
                self._starts.setdefault(value.name, value.start)
        self._source = source
        self.pos = pos

    def all(self, name: str) -> tuple[Any, ...]:
        """Every value captured under a name."""
        return tuple(self._values.get(name, ()))

    def one(self, name: str, default: Any = None) -> Any:
        """The last value under a name."""
        values = self._values.get(name)
        return values[-1] if values else default

    def text(self, name: str) -> str:
        """The tokens under a name, joined."""
        return "".join(self._values.get(name, ()))

    def has(self, name: str) -> bool:
        """Whether anything was captured under a name."""
        return bool(self._values.get(name))

    def refuse(self, name: str, message: str) -> Mismatch:
        """The mismatch for a value that cannot be, placed where its tokens start."""
        return Mismatch(Fault(self._source.token(self._starts[name]), message=message))
