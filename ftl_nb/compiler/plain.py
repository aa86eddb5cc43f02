"""The plain form: a cell or file that is a module's text by `ftl.module("shop")`, or by a decorator of ours."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ftl_nb.binding.names import Function, imports_of, top_level
from ftl_nb.compiler.cells import Mark, full_name, marks_of, subject_of
from ftl_nb.compiler.syntax import is_magic_line, parse_text, place_of
from ftl_nb.errors import FtlError, Place, fail
from ftl_nb.schema.names import is_module_name

_STATEMENT = "ftl_nb.module"
_INDENT = re.compile(r"^(\s*).*")


@dataclass(frozen=True, slots=True)
class PlainForm:
    """A cell in plain form: its module, and the functions it marks.

    `module` is empty when only decorators say so: then the module that is open is meant. `line` is that of the
    statement, 0 without one.
    """

    module: str
    marks: tuple[Mark, ...]
    line: int = 0

    @property
    def verbs(self) -> tuple[str, ...]:
        return tuple(mark.name for mark in self.marks)


def plain_form(text: str, aliases: Mapping[str, str] | None = None, filename: str = "<cell>") -> PlainForm | None:
    """Whether a notebook cell is in plain form, and what it says; None for an ordinary cell.

    `aliases` are the notebook's names that stand for `ftl_nb` or something in it, with their dotted names
    (`{"ftl": "ftl_nb"}`). A cell that does not parse is left to IPython, unless its magic lines are all that is wrong.
    Raises `cell-magic-line`, `module-statement`, `module-name`, `unknown-option` and `bad-option`.
    """
    known = aliases or {}
    try:
        return _form(parse_text(text, filename), text, known, filename)
    except FtlError as error:
        if error.slug == "syntax" or (error.slug == "cell-magic-line" and not _plain_beside_magics(text, known)):
            return None
        raise


def _form(tree: ast.Module, text: str, aliases: Mapping[str, str], filename: str) -> PlainForm | None:
    known = {**aliases, **imports_of(tree.body)}
    calls = list(_module_calls(tree, known))
    if calls:
        name = _module_name(calls[0], text, filename)
        _refuse_late(calls, tree, text, filename)
        return PlainForm(name, tuple(marks_of(tree, known, text, filename)), calls[0].lineno)
    marks = tuple(marks_of(tree, known, text, filename))
    return PlainForm("", marks) if marks else None


def _module_calls(tree: ast.Module, known: Mapping[str, str]) -> Iterator[ast.Call]:
    for statement in top_level(tree.body):
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and full_name(call.func, known) == _STATEMENT:
            yield call


def _module_name(call: ast.Call, text: str, filename: str) -> str:
    argument = call.args[0] if len(call.args) == 1 and not call.keywords else None
    if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
        raise fail("module-statement", place_of(call, text, filename))
    check_module_name(argument.value, place_of(argument, text, filename))
    return argument.value


def check_module_name(name: str, place: Place | None = None) -> None:
    """Raises `module-name` for a name that Python, the schema language or the file system would not take."""
    if not name.isidentifier() or not name.isascii() or name != name.lower():
        raise fail("module-name", place, name=name, why="it is no lower-case identifier")
    if name.startswith("_"):
        raise fail("module-name", place, name=name, why="it starts with an underscore")
    if not is_module_name(name) or keyword.iskeyword(name):
        raise fail("module-name", place, name=name, why="it is a reserved word")
    if name == "builtin":
        raise fail("module-name", place, name=name, why="the schema has a module of that name already")


def _refuse_late(calls: list[ast.Call], tree: ast.Module, text: str, filename: str) -> None:
    """The statement stands once, behind nothing but the docstring and imports."""
    for index, statement in enumerate(tree.body):
        docstring = index == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if docstring or isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        if isinstance(statement, ast.Expr) and statement.value is calls[0] and len(calls) == 1:
            return
        break
    raise fail("module-statement", place_of(calls[-1], text, filename))


def _plain_beside_magics(text: str, aliases: Mapping[str, str]) -> bool:
    """Whether the cell is in plain form once its magic lines are taken out."""
    lines = (_INDENT.sub(r"\1pass", line, count=1) if is_magic_line(line) else line for line in text.splitlines())
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError):
        return False
    known = {**aliases, **imports_of(tree.body)}
    functions = (s for s in top_level(tree.body) if isinstance(s, Function))
    decorators = (d for f in functions for d in f.decorator_list)
    return any(_module_calls(tree, known)) or any(subject_of(d, known) for d in decorators)
