"""Where annotations stand: the places of a cell's classes, fields, functions, parameters and aliases by dotted name."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable, Iterator
from typing import Any

from ftl_nb.binding.names import Function, top_level
from ftl_nb.compiler.syntax import Spot, place_of
from ftl_nb.errors import Place


def annotation_places(tree: ast.Module, text: str, filename: str) -> dict[str, Place]:
    """`Order`, `Order.sku`, `checkout`, `checkout.order`, `checkout.return` and `Pet`, each with its place."""
    return {name: place_of(spot, text, filename) for name, spot in _spots(tree)}


def union_aliases(tree: ast.Module) -> list[str]:
    """Names assigned once at the top level from something that can be a union: `Pet = Cat | Dog`."""
    return [name for name, value in _assignments(tree) if isinstance(value, ast.BinOp | ast.Subscript)]


def _spots(tree: ast.Module) -> Iterator[tuple[str, Spot]]:
    for statement in top_level(tree.body):
        if isinstance(statement, ast.ClassDef):
            yield statement.name, statement
            yield from _field_spots(statement)
        elif isinstance(statement, Function):
            yield statement.name, statement
            yield from _function_spots(statement)
    yield from _assignments(tree)


def _field_spots(node: ast.ClassDef) -> Iterator[tuple[str, Spot]]:
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield f"{node.name}.{statement.target.id}", statement.annotation


def _function_spots(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, Spot]]:
    arguments = node.args
    extra = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra):
        yield f"{node.name}.{argument.arg}", argument
    if node.returns is not None:
        yield f"{node.name}.return", node.returns


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in top_level(tree.body):
        if isinstance(statement, ast.Assign):
            yield from ((t.id, statement.value) for t in statement.targets if isinstance(t, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            yield statement.target.id, statement.value
        elif type(statement).__name__ == "TypeAlias":  # `type Pet = Cat | Dog`, Python 3.12
            yield statement.name.id, statement.value  # type: ignore[attr-defined]


def function_place(function: Callable[..., Any]) -> Place | None:
    """The `def` line of a function, where no syntax tree is at hand."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return None
    line = linecache.getline(code.co_filename, code.co_firstlineno).rstrip("\n")
    return Place(code.co_filename, code.co_firstlineno, 0, line)
