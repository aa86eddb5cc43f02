"""Schema text to tokens."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.nodes.base import Position
from ftl_nb.schema.quote import quote, unquote

_INVALID_TEXT_LENGTH = 16


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

# Tried in this order. The class `A-z` of a digest is wider than letters in the public system too. The closing quote
# is matched apart: see `_string_end`.
_TOKENS = re.compile(
    r"""(?P<EOL>[\r\n])
      | (?P<SHA256>(?=\w)[A-za-z0-9]{64}\b)
      | (?P<WHITESPACE>[\t\n\f\r ]+)
      | (?P<IDENT>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<COMMENT>//.*)
      | (?P<STRING>")
      | (?P<NUMBER>[0-9]+(?:\.[0-9]+)?)
      | (?P<PUNCT>[%/\-_:\[\]{}<>()*+?.,\\^$|\#~!'@=])""",
    re.ASCII | re.VERBOSE,
)
_STRING = re.compile(r'"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+"')


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its value (a comment without `//`, a string without its quotes and escapes) and where it starts."""

    kind: Kind
    value: str
    line: int
    column: int


def tokenize(text: str, filename: str = "") -> list[Token]:
    """All tokens of a text, the last one EOF.

    Raises:
        SchemaError: a character no token starts with, or a string that is not a string of Go.
    """
    tokens: list[Token] = []
    offset, line, column = 0, 1, 1
    while offset < len(text):
        kind, raw = _next(text, offset, Position(filename, line, column))
        tokens.append(Token(kind, _value(kind, raw, text, Position(filename, line, column)), line, column))
        offset += len(raw)
        breaks = raw.count("\n")
        line += breaks
        column = len(raw) - raw.rindex("\n") if breaks else column + len(raw)
    tokens.append(Token(Kind.EOF, "<EOF>", line, column))
    return tokens


def _next(text: str, offset: int, pos: Position) -> tuple[Kind, str]:
    match = _TOKENS.match(text, offset)
    end = match.end() if match else -1
    if match and match.lastgroup == "STRING":
        end = _string_end(text, offset)
    if match is None or end < 0:
        rest = text[offset : offset + _INVALID_TEXT_LENGTH]
        more = "..." if len(text) > offset + _INVALID_TEXT_LENGTH else ""
        raise SchemaError(
            Problem(f"lexer: invalid input text {quote(rest + more)}", pos, source_line=line_at(text, pos))
        )
    return Kind[match.lastgroup or ""], text[offset:end]


def _string_end(text: str, offset: int) -> int:
    """Where the string ends, or -1. One that is never closed ends at the last quote, be it escaped."""
    if match := _STRING.match(text, offset):
        return match.end()
    last = text.rfind('"', offset + 1)
    return last + 1 if last > 0 else -1


def _value(kind: Kind, raw: str, text: str, pos: Position) -> str:
    if kind is Kind.COMMENT:
        return raw[2:].strip()
    if kind is not Kind.STRING:
        return raw
    try:
        return unquote(raw)
    except ValueError:
        message = f"invalid quoted string {quote(raw)}: invalid syntax"
        raise SchemaError(Problem(message, pos, source_line=line_at(text, pos))) from None


def line_at(text: str, pos: Position) -> str:
    """The line of the text at a position."""
    lines = text.split("\n")
    return lines[pos.line - 1].rstrip("\r") if 0 < pos.line <= len(lines) else ""
