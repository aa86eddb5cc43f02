"""Schema text to tokens."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from typing import Any

from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.nodes.base import Position
from ftl_nb.schema.quote import quote, unquote

_INVALID_TEXT_LENGTH = 16
#: The longest line that is read, in characters: what is longer was not written by hand, nor by any tool of this kind.
LONGEST_LINE = 1 << 18
#: The longest text that is read, in characters: four times a schema of 1,000 modules with 20,000 declarations.
LONGEST_TEXT = 1 << 23
_OPENING, _CLOSING, _DEEP = frozenset("[{<"), frozenset("]}>"), 50


class Kind(Enum):
    """What a token is. EOL and WHITESPACE are skipped wherever the grammar does not name them."""

    EOL = auto()
    SHA256 = auto()
    WHITESPACE = auto()
    IDENT = auto()
    COMMENT = auto()
    STRING = auto()
    NUMBER = auto()
    PUNCT = auto()
    EOF = auto()


ELIDED = frozenset((Kind.EOL, Kind.WHITESPACE))

# Tried in this order. The class `A-z` of a digest is wider than letters in the public system too. A quote that begins
# no whole string is looked at apart: see `_string_end`.
_TOKENS = re.compile(
    r"""(?P<EOL>[\r\n])
      | (?P<SHA256>(?=\w)[A-za-z0-9]{64}\b)
      | (?P<WHITESPACE>[\t\n\f\r ]+)
      | (?P<IDENT>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<COMMENT>//.*)
      | (?P<STRING>"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+")
      | (?P<NUMBER>[0-9]+(?:\.[0-9]+)?)
      | (?P<PUNCT>[%/\-_:\[\]{}<>()*+?.,\\^$|\#~!'@=])
      | (?P<EOF>")""",
    re.ASCII | re.VERBOSE,
)
_KINDS = tuple(Kind[name] for name in _TOKENS.groupindex)
_OPEN_QUOTE = _TOKENS.groupindex["EOF"]
_SKIPPED = frozenset(_TOKENS.groupindex[kind.name] for kind in ELIDED)
#: Tokens whose value is not their text.
_CHANGED = frozenset(_TOKENS.groupindex[name] for name in ("COMMENT", "STRING"))


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its value (a comment without `//`, a string without its quotes and escapes) and where it starts."""

    kind: Kind
    value: str
    line: int
    column: int


class Source:
    """A text as tokens, the last one EOF, with the index of the next token that counts for every index.

    Raises:
        SchemaError: a character no token starts with, or a string that is not a string of Go.
    """

    def __init__(self, text: str, filename: str = "") -> None:
        self.text = text
        self.filename = filename
        #: Rules, by identity, that are known not to match at an index.
        self.failed: set[int] = set()
        #: What rules gave at an index, and where they ended: kept for a text that does not fit, which is read again.
        self.read: dict[int, tuple[int, Any]] | None = None
        self.kinds: list[Kind] = []
        self.values: list[str] = []
        self._offsets = array("Q")
        #: For every index, that of the next token that counts.
        self.following = array("Q")
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._check_lines()
        self._check_length()
        self._read()

    def token(self, index: int) -> Token:
        """The token at an index."""
        pos = self.position(index)
        return Token(self.kinds[index], self.values[index], pos.line, pos.column)

    def position(self, index: int) -> Position:
        """Where a token starts."""
        return self._position(self._offsets[index])

    def too_deep(self) -> Problem:
        """The fault of types inside types, placed where they are nested deeper than any text needs."""
        depth, index = 0, 0
        for value in self.values:
            depth += (value in _OPENING) - (value in _CLOSING)
            if depth > _DEEP:
                break
            index += 1
        index = min(index, len(self.values) - 1)
        return Problem("types nested too deeply", self.position(index), source_line=self.line_at(self.position(index)))

    def line_at(self, pos: Position) -> str:
        """The line of the text at a position."""
        return line_at(self.text, pos)

    def _position(self, offset: int) -> Position:
        line = bisect_right(self._lines, offset)
        return Position(self.filename, line, offset - self._lines[line - 1] + 1)

    def _check_length(self) -> None:
        if len(self.text) > LONGEST_TEXT:
            raise SchemaError(Problem(f"text longer than {LONGEST_TEXT:,} characters", Position(self.filename, 1, 1)))

    def _check_lines(self) -> None:
        for start, end in pairwise((*self._lines, len(self.text) + 1)):
            if end - start > LONGEST_LINE:
                message = f"line longer than {LONGEST_LINE:,} characters"
                raise SchemaError(Problem(message, self._position(start + LONGEST_LINE)))

    def _read(self) -> None:
        offset = 0
        while (offset := self._read_from(offset)) < len(self.text):
            stop = self._string_end(offset)
            self._put(Kind.STRING, offset, self._value(Kind.STRING, offset, stop))
            offset = stop
        self._put(Kind.EOF, offset, "<EOF>")

    def _read_from(self, offset: int) -> int:
        """Read tokens from an offset on, as many as there are; where the first that is none begins."""
        index, skipped = len(self.kinds), len(self.kinds) - len(self.following)
        kinds, values, offsets = self.kinds.append, self.values.append, self._offsets.append
        following = self.following.append
        for found in _TOKENS.finditer(self.text, offset):
            which = found.lastindex or _OPEN_QUOTE
            if which == _OPEN_QUOTE or found.start() != offset:
                break
            kind = _KINDS[which - 1]
            kinds(kind)
            offsets(offset)
            values(self._value(kind, offset, found.end()) if which in _CHANGED else found.group())
            if which in _SKIPPED:
                skipped += 1
            else:
                for _ in range(skipped + 1):
                    following(index)
                skipped = 0
            index += 1
            offset = found.end()
        return offset

    def _put(self, kind: Kind, offset: int, value: str) -> None:
        """Add a token that counts."""
        self.kinds.append(kind)
        self.values.append(value)
        self._offsets.append(offset)
        self.following.extend([len(self.kinds) - 1] * (len(self.kinds) - len(self.following)))

    def _string_end(self, offset: int) -> int:
        """Where a string that is never closed ends: at the last quote, be it escaped."""
        last = self.text.rfind('"', offset + 1) if self.text[offset] == '"' else -1
        if last > 0:
            return last + 1
        rest = self.text[offset : offset + _INVALID_TEXT_LENGTH]
        more = "..." if len(self.text) > offset + _INVALID_TEXT_LENGTH else ""
        raise self._error(f"lexer: invalid input text {quote(rest + more)}", offset)

    def _value(self, kind: Kind, start: int, end: int) -> str:
        raw = self.text[start:end]
        if kind is Kind.COMMENT:
            return raw[2:].strip()
        try:
            return unquote(raw)
        except ValueError:
            raise self._error(f"invalid quoted string {quote(raw)}: invalid syntax", start) from None

    def _error(self, message: str, offset: int) -> SchemaError:
        pos = self._position(offset)
        return SchemaError(Problem(message, pos, source_line=self.line_at(pos)))


def line_at(text: str, pos: Position) -> str:
    """The line of the text at a position."""
    lines = text.split("\n")
    return lines[pos.line - 1].rstrip("\r") if 0 < pos.line <= len(lines) else ""
