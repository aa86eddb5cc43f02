"""A `.py` file as a module: the whole file is one cell, its `ftl.sql(...)` statements are SQL cells before it."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

from ftl_nb.binding.source import Cell
from ftl_nb.binding.statements import FileModule
from ftl_nb.compiler.plain import plain_form
from ftl_nb.errors import fail


def cells_of(file: FileModule | str | Path) -> tuple[str, list[Cell]]:
    """The module's name and its cells, in the order in which they are defined."""
    path = file.path if isinstance(file, FileModule) else Path(file)
    text = path.read_text()
    form = plain_form(text, {}, str(path))
    if form is None or not form.module:
        raise fail("no-module", hint=f'{path.name} has no statement ftl.module("name")')
    name = _shown(path)
    sql = [replace(c, id=f"{name}:{n}") for n, c in enumerate(sql_cells(text, form.module), 1)]
    return form.module, [*sql, Cell(name, "module", name, text)]


def _shown(path: Path) -> str:
    """The path as its project knows it: below the current folder, else the name alone. It is the cell's identity."""
    full, here = path.resolve(), Path.cwd()
    return full.relative_to(here).as_posix() if full.is_relative_to(here) else full.name


def sql_cells(text: str, module: str) -> list[Cell]:
    """The SQL cells that a text states with `ftl.sql("module.database", literal)`; lines are those of the text."""
    return [c for node in ast.parse(text).body if (c := _sql_cell(node, module)) is not None]


def _sql_cell(node: ast.stmt, module: str) -> Cell | None:
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or len(call.args) != 2 or not _is_sql(call.func):
        return None
    target, body = call.args
    if not isinstance(target, ast.Constant) or not isinstance(body, ast.Constant):
        return None
    owner, _, database = str(target.value).partition(".")
    if owner != module or not database:
        raise fail("database-name", name=target.value)
    engine = next((k.value.value for k in call.keywords if k.arg == "engine" and isinstance(k.value, ast.Constant)), "")
    lines = "\n" * (body.lineno - 1) + str(body.value)
    return Cell("", "sql", f"{database}.sql", lines, {}, database, str(engine or "duckdb"))


def _is_sql(function: ast.expr) -> bool:
    return (isinstance(function, ast.Attribute) and function.attr == "sql") or (
        isinstance(function, ast.Name) and function.id == "sql"
    )
