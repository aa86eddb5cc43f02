"""Cuts SQL text into tokens: enough to find parameters, comments and statement ends, never to understand a statement.

A token keeps its offset, so that what is made from the text (another spelling of a parameter, of the same length)
leaves every other position as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["comment", "string", "quoted", "parameter", "positional", "macro", "end", "space", "word", "other"]

_TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?\*/)
  | (?P<string>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$)
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<macro>sqlc\.(?P<function>\w+)\s*\(\s*(?P<quote>'?)(?P<argument>\w*)(?P=quote)\s*\))
  | (?P<parameter>[@$](?P<name>[A-Za-z_]\w*))
  | (?P<positional>\$\d+)
  | (?P<end>;)
  | (?P<space>\s+)
  | (?P<word>\w+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`name` is a parameter's name; `function` the word behind `sqlc.` of a macro."""

    kind: TokenKind
    text: str
    start: int
    name: str = ""
    function: str = ""

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_parameter(self) -> bool:
        return self.kind in ("parameter", "macro")

    @property
    def is_blank(self) -> bool:
        return self.kind in ("space", "comment")


_KINDS: tuple[TokenKind, ...] = (
    "comment", "string", "quoted", "macro", "parameter", "positional", "end", "space", "word", "other",
)  # fmt: skip


def _kind_of(match: re.Match[str]) -> TokenKind:
    return next(kind for kind in _KINDS if match[kind] is not None)


def scan(sql: str) -> Iterator[Token]:
    """The tokens of a text, in order and without gaps."""
    for match in _TOKEN.finditer(sql):
        name = match["name"] or match["argument"] or ""
        yield Token(_kind_of(match), match[0], match.start(), name, match["function"] or "")


def respell(sql: str, spelling: Callable[[str], str]) -> str:
    """The text with every parameter spelled anew, padded with blanks to its old length where it got shorter."""
    parts = (spelling(t.name).ljust(len(t.text)) if t.is_parameter else t.text for t in scan(sql))
    return "".join(parts)


def collapse(sql: str) -> str:
    """The text on one line: comments dropped, blanks collapsed, parameters as `@name`, no semicolon at the end."""
    kept: list[str] = []
    for token in scan(sql):
        part = " " if token.is_blank else f"@{token.name}" if token.is_parameter else token.text
        if part != " " or (kept and kept[-1] != " "):
            kept.append(part)
    return "".join(kept).strip(" ;")
