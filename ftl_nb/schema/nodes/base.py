"""What every node shares: its position, and its canonical text as `str(node)`."""

from dataclasses import dataclass, field
from enum import IntEnum


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in schema text: line and column start at 1, columns count characters; all empty means no position."""

    filename: str = ""
    line: int = 0
    column: int = 0

    def __bool__(self) -> bool:
        return bool(self.filename or self.line or self.column)

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}"
        return f"{self.filename}:{place}" if self.filename else place


NOWHERE = Position()


class Visibility(IntEnum):
    """How far a declaration reaches: its own module, its realm, or other realms too."""

    NONE = 0
    MODULE = 1
    REALM = 2

    @property
    def word(self) -> str:
        """The words written before the declaration."""
        return _VISIBILITY_WORDS[self]


_VISIBILITY_WORDS = {Visibility.NONE: "", Visibility.MODULE: "export", Visibility.REALM: "export realm"}


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a schema. Immutable and hashable; positions take no part in equality."""

    pos: Position = field(default=NOWHERE, kw_only=True, compare=False, repr=False)

    def __str__(self) -> str:
        from ftl_nb.schema.printing import text

        return text(self)
