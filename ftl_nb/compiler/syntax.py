"""Text to syntax tree, and a tree's node back to its place in the text."""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache
from typing import Protocol

from ftl_nb.errors import FtlError, Place, fail

_MAGIC_LINE = re.compile(r"^\s*[%!]|^\s*[\w.\[\], ]+=\s*[%!]\s*\w")
_HELP_LINE = re.compile(r"^\s*\?{1,2}[\w.]+|^\s*[\w.]+\?{1,2}\s*$")

_LINE_END = re.compile(r"\r\n|\r|\n")


class Spot(Protocol):
    """What `ast` gives every statement and expression: 1-based lines, 0-based columns in UTF-8 bytes."""

    lineno: int
    col_offset: int
    end_lineno: int | None
    end_col_offset: int | None


def place_of(node: Spot, text: str, filename: str) -> Place:
    """The place of a node of `text`; columns are 1-based and counted in characters."""
    lines = _lines(text)
    line = lines[node.lineno - 1] if 0 < node.lineno <= len(lines) else ""
    last = node.end_lineno or node.lineno
    end = characters(line, node.end_col_offset or 0) + 1 if last == node.lineno else len(line) + 1
    return Place(filename, node.lineno, characters(line, node.col_offset) + 1, line, end)


def source_lines(text: str) -> list[str]:
    """The lines as Python counts them, which splits at fewer characters than `str.splitlines`."""
    return _LINE_END.split(text)


@lru_cache(maxsize=4)
def _lines(text: str) -> tuple[str, ...]:
    """The same, kept: a long cell has thousands of places."""
    return tuple(source_lines(text))


def characters(line: str, offset: int) -> int:
    """How many characters of `line` its first `offset` UTF-8 bytes are."""
    return offset if line.isascii() else len(line.encode()[:offset].decode(errors="ignore"))


def parse_text(text: str, filename: str) -> ast.Module:
    """The tree of one cell. Raises `syntax`, or `cell-magic-line` for a line that only IPython understands."""
    try:
        with warnings.catch_warnings():
            # The cell is compiled once more where it runs, and warns there.
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text, filename)
            compile(tree, filename, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise _syntax_failure(error, text, filename) from None
    except ValueError as error:
        raise fail("syntax", Place(filename, 1), detail=_sentence(str(error))) from None
    return tree


def _syntax_failure(error: SyntaxError, text: str, filename: str) -> FtlError:
    lines = source_lines(text)
    number = error.lineno or 1
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    if is_magic_line(line):
        lead = len(line) - len(line.lstrip())
        return fail("cell-magic-line", Place(filename, number, lead + 1, line, len(line) + 1), line=line.strip())
    column = min(error.offset or 1, len(line) + 1)
    end = error.end_offset or 0 if error.end_lineno == number else len(line) + 1
    return fail("syntax", Place(filename, number, column, line, max(end, column + 1)), detail=_sentence(error.msg))


def is_magic_line(line: str) -> bool:
    return bool(_MAGIC_LINE.match(line) or _HELP_LINE.match(line))


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:].rstrip(".")


def dotted(node: ast.expr) -> tuple[str, ...]:
    """`a.b.c` as its parts; empty when the expression is anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ()
    return (node.id, *reversed(parts))
