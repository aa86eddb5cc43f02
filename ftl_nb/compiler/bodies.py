"""What the body of a verb says of its result, before anything runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ftl_nb.binding.names import Function
from ftl_nb.compiler.cells import Mark, ParsedCell, subject_of
from ftl_nb.errors import fail

_INNER = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


def check_bodies(cell: ParsedCell) -> None:
    """Raises `result-unannotated` for a value returned without `->`, `verb-generator` for a `yield` in a unary verb."""
    for mark in cell.marks:
        if _is_plain(cell, mark):
            _check(cell, mark)


def _is_plain(cell: ParsedCell, mark: Mark) -> bool:
    """Another decorator may make anything of a function; the type check and the call see what."""
    return all(subject_of(decorator, cell.known) for decorator in mark.function.decorator_list)


def _check(cell: ParsedCell, mark: Mark) -> None:
    function = mark.function
    for node in _own_nodes(function):
        if isinstance(node, ast.Yield | ast.YieldFrom) and not _is_stream(function):
            raise fail("verb-generator", cell.place(node), verb=mark.name)
        if isinstance(node, ast.Return) and function.returns is None and _has_value(node):
            raise fail("result-unannotated", cell.place(node), verb=mark.name)


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """Everything below a function in order of the text, but for the functions and classes inside it."""
    waiting: list[ast.AST] = list(reversed(function.body))
    while waiting:
        node = waiting.pop()
        if not isinstance(node, _INNER):
            yield node
            waiting += reversed(list(ast.iter_child_nodes(node)))


def _has_value(node: ast.Return) -> bool:
    return node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None)


def _is_stream(function: Function) -> bool:
    """Whether the result is declared as a stream, which is what a generator makes."""
    return function.returns is not None and "Stream" in ast.unparse(function.returns)
