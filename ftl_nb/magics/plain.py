"""The plain form in a notebook: a cell with `ftl.module(...)` or our decorators is taken as a whole, like a magic's.

Before a cell runs its text is looked at. Where it is in plain form, the tree that IPython is about to execute is put
aside for one call that defines the text, so that a refusal fails the cell like any error and the card is its output.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Any

from ftl_nb.binding.names import Function, declared
from ftl_nb.errors import FtlError, fail
from ftl_nb.magics.notebook import Notebook

if TYPE_CHECKING:
    from ftl_nb.compiler import PlainForm

HOOK = "__ftl_define__"
_WORDS = frozenset({"module", "verb", "fixture", "sql"})
_CELL_MAGIC = re.compile(r"(?:\s*#[^\n]*\n)*\s*%%")


class PlainCells(ast.NodeTransformer):
    """The AST transformer, and the event callbacks that tell it which cell is being run."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self.text = ""
        self._found: PlainForm | FtlError | None = None

    def before_cell(self, info: Any) -> None:
        self._notebook.cell_id = getattr(info, "cell_id", None) or ""
        self.text = info.raw_cell or ""
        self._found = self._look(self.text)

    def after_cell(self, result: Any) -> None:
        self._found = None

    def _look(self, text: str) -> PlainForm | FtlError | None:
        if _CELL_MAGIC.match(text) or not _may_be_plain(text):
            return None
        from ftl_nb.compiler import plain_form

        try:
            return plain_form(text, self._aliases()) or not_imported(text, self._notebook.shell.user_ns)
        except FtlError as e:
            return e

    def _aliases(self) -> dict[str, str]:
        """The notebook's names for ftl_nb and for what it exports."""
        import ftl_nb

        ours = {id(ftl_nb): "ftl_nb", id(ftl_nb.verb): "ftl_nb.verb", id(ftl_nb.fixture): "ftl_nb.fixture"}
        ours[id(ftl_nb.module)] = "ftl_nb.module"
        return {name: ours[id(value)] for name, value in self._notebook.shell.user_ns.items() if id(value) in ours}

    def visit_Module(self, node: ast.Module) -> ast.Module:
        if self._found is None:
            return node
        call = ast.parse(f"{HOOK}()").body
        return ast.fix_missing_locations(ast.Module(call, []))

    def define(self) -> Any:
        """Defines the cell that is being run; its card. Raises FtlError."""
        found, self._found = self._found, None
        if isinstance(found, FtlError):
            raise found
        if found is None:
            return None
        from ftl_nb.console.files import sql_cells

        module = self._notebook.module_for(found.module)
        if found.module:
            self._notebook.opening(module)
        for cell in sql_cells(self.text, module):
            self._notebook.define("sql", module, cell.text, {}, database=cell.database, engine=cell.engine)
        return self._notebook.define("module", module, self.text, {})


def not_imported(text: str, names: Container[str]) -> FtlError | None:
    """The error of a cell in plain form whose `ftl` is nothing: neither its text nor the notebook imports ftl_nb."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None  # IPython says so.
    used = next((node for node in _plain_words(tree) if node.id == "ftl"), None)
    if used is None or "ftl" in names or "ftl" in declared(tree).all:
        return None
    from ftl_nb.compiler.syntax import place_of

    return fail("ftl-not-imported", place_of(used, text, "<cell>"))


def _plain_words(tree: ast.Module) -> Iterator[ast.Name]:
    """The names before the dot of what could be our decorators and statements at the top level."""
    for statement in tree.body:
        words = statement.decorator_list if isinstance(statement, Function) else []
        words = [statement.value] if isinstance(statement, ast.Expr) else words
        for word in words:
            target = word.func if isinstance(word, ast.Call) else word
            if isinstance(target, ast.Attribute) and target.attr in _WORDS and isinstance(target.value, ast.Name):
                yield target.value


def _may_be_plain(text: str) -> bool:
    """Cheap: most cells hold none of these words and are not parsed twice."""
    return "module(" in text or "verb" in text or "fixture" in text or "ftl.sql(" in text
