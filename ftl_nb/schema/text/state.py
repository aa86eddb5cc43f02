"""How far a parse is, and the deepest fault it met."""

from __future__ import annotations

from dataclasses import dataclass

from ftl_nb.schema.errors import Problem
from ftl_nb.schema.nodes.base import Position
from ftl_nb.schema.quote import quote
from ftl_nb.schema.text.lexer import ELIDED, Source, Token


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong where: a token that does not fit, or (with a message) a value that cannot be."""

    token: Token
    expected: object | None = None
    message: str = ""

    def problem(self, filename: str) -> Problem:
        """The fault as users see it."""
        expected = str(self.expected) if self.expected else ""
        wanted = f" (expected {expected})" if expected else ""
        message = self.message or f"unexpected token {quote(self.token.value)}{wanted}"
        return Problem(message, Position(filename, self.token.line, self.token.column), expected=expected)


class Mismatch(Exception):
    """A part that began to match and could not go on."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


class State:
    """How far a parse is: `raw` counts all tokens, `cursor` those that are not skipped."""

    __slots__ = ("cursor", "deepest", "depth", "raw", "source")

    def __init__(self, source: Source, raw: int = 0, cursor: int = 0) -> None:
        self.source = source
        self.raw = raw
        self.cursor = cursor
        self.depth = 0
        self.deepest: Fault | None = None

    def peek(self) -> Token:
        """The next token that counts."""
        return self.source.token(self.source.following[self.raw])

    def position(self) -> Position:
        """Where the next token that counts starts."""
        return self.source.position(self.source.following[self.raw])

    def advance(self, index: int) -> None:
        """Go behind the token at an index."""
        if self.source.kinds[index] not in ELIDED:
            self.cursor += 1
        self.raw = index + 1

    def skip(self, raw: int) -> None:
        """Go on at an index of all tokens."""
        self.cursor += sum(kind not in ELIDED for kind in self.source.kinds[self.raw : raw])
        self.raw = raw

    def branch(self) -> State:
        """A copy to try something with."""
        state = State(self.source, self.raw, self.cursor)
        state.depth, state.deepest = self.depth, self.deepest
        return state

    def accept(self, branch: State) -> None:
        """Go on from a branch."""
        self.raw, self.cursor = branch.raw, branch.cursor
        if branch.depth >= self.depth:
            self.depth, self.deepest = branch.depth, branch.deepest

    def note(self, fault: Fault) -> None:
        """Keep a fault found here when none is deeper."""
        if self.cursor >= self.depth:
            self.depth, self.deepest = self.cursor, fault

    def reject(self, fault: Fault, branch: State) -> None:
        """Keep the deepest fault of a branch that failed."""
        if branch.depth > self.depth:
            self.depth, self.deepest = branch.depth, branch.deepest
        elif branch.cursor >= self.depth:
            self.depth, self.deepest = max(branch.cursor, branch.depth), fault

    def deepest_or(self, fault: Fault) -> Fault:
        """The deepest fault when it lies behind this place, else the given one."""
        return self.deepest if self.deepest and self.cursor < self.depth else fault
