"""The plain statements `ftl.module("shop")` and `ftl.sql("shop.stock", …)`, and what files have stated so far.

In a notebook the extension takes a cell that has such a statement as a whole and never executes it as is. In a runner,
and where the notebook executes a module's text, the statements only check themselves. What is left is a `.py` file that
is run or imported: it is recorded here, and the session deploys it at the first use.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ftl_nb.binding import dispatch
from ftl_nb.errors import FtlError, fail

if TYPE_CHECKING:
    from collections.abc import Callable

    from ftl_nb.binding.verbs import VerbOptions

MODULE_VARIABLE = "__ftl_module__"


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """`ftl.sql(...)` in a file: `line` is where its text begins."""

    database: str
    text: str
    engine: str
    line: int


@dataclass(slots=True)
class FileModule:
    """A `.py` file that states which module it is."""

    name: str
    path: Path
    sql: list[SqlStatement] = field(default_factory=list)


@dataclass(slots=True)
class Stated:
    """What files stated and no session has deployed yet."""

    files: dict[str, FileModule] = field(default_factory=dict)

    def take(self) -> list[FileModule]:
        taken, self.files = list(self.files.values()), {}
        return taken


stated = Stated()


def module(name: str) -> None:
    """First after the imports: this whole cell or file is source text of module `name`."""
    if dispatch.module_being_loaded():
        return
    globals_ = _caller().f_globals
    file = globals_.get("__file__")
    if file is None:
        raise FtlError(
            "module-statement",
            "ftl.module(...) outside a file needs the notebook extension.",
            hint="run %load_ext ftl_nb in a cell before",
        )
    if not name.isidentifier():
        raise fail("module-name", name=name, why="it is not an identifier")
    globals_[MODULE_VARIABLE] = name
    stated.files[name] = FileModule(name, Path(file).resolve())
    # The next call connects anew, and so deploys what was stated since.
    dispatch.install(None)


def sql(database: str, text: str, *, engine: str = "duckdb", keep: bool = False) -> Any:
    """Adds migrations and queries to a database, as `%%ftl_sql MODULE.DB` does; in a notebook it returns the card."""
    if dispatch.module_being_loaded():
        return None
    frame = _caller()
    file_module = stated.files.get(str(frame.f_globals.get(MODULE_VARIABLE)))
    if file_module is None:
        if _define_sql is None:
            raise FtlError("no-module", "ftl.sql(...) stands in a module's file, or in a notebook with the extension.")
        return _define_sql(database, text, engine, keep)
    file_module.sql.append(SqlStatement(database, text, engine, frame.f_lineno))
    return None


_define_sql: Callable[[str, str, str, bool], Any] | None = None


def on_sql(define: Callable[[str, str, str, bool], Any] | None) -> None:
    """Registers what `ftl.sql` does in a notebook."""
    global _define_sql
    _define_sql = define


def module_of(function: Callable[..., Any], options: VerbOptions) -> str:
    """The module that a function decorated in a file belongs to."""
    name = options.module or function.__globals__.get(MODULE_VARIABLE)
    if not name:
        raise fail("no-module", hint='state it first: ftl.module("shop")')
    return str(name)


def _caller() -> FrameType:
    return sys._getframe(2)
