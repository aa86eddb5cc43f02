"""What loading the extension puts into a shell, and takes out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ftl_nb.binding import statements
from ftl_nb.magics.cells import FtlMagics, define_sql
from ftl_nb.magics.notebook import Notebook
from ftl_nb.magics.plain import HOOK, PlainCells

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_MAGICS = {"cell": ("ftl_module", "ftl_verb", "ftl_fixture", "ftl_sql"), "line": ("ftl",)}
Complete = Callable[[Notebook, str], list[str]]


def with_body(lines: list[str]) -> list[str]:
    """A magic of ours comes first in its cell and has a body: IPython refuses any other.

    Comments and empty lines above it go below, so that every other line keeps its number; in SQL, which has no `#`,
    they are empty lines.
    """
    first = next((n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
    if not lines or not lines[first].startswith("%%ftl_"):
        return lines
    above = ["\n"] * first if lines[first].startswith("%%ftl_sql") else lines[:first]
    return [lines[first].rstrip("\n") + "\n", *above, *(lines[first + 1 :] or ["\n"])]


class Extension:
    """One shell's registrations."""

    def __init__(self, shell: InteractiveShell, notebook: Notebook, complete: Complete) -> None:
        self._shell: Any = shell
        self.notebook = notebook
        self._plain = PlainCells(notebook)
        self._matcher = _matcher(notebook, complete)

    def register(self) -> None:
        shell = self._shell
        shell.register_magics(FtlMagics(shell, self.notebook))
        shell.events.register("pre_run_cell", self._plain.before_cell)
        shell.events.register("post_run_cell", self._plain.after_cell)
        shell.ast_transformers.append(self._plain)
        shell.input_transformers_cleanup.insert(0, with_body)
        shell.push({HOOK: self._plain.define}, interactive=False)
        shell.Completer.custom_matchers.append(self._matcher)
        statements.on_sql(self._sql)

    def remove(self) -> None:
        shell = self._shell
        for kind, names in _MAGICS.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
        shell.events.unregister("pre_run_cell", self._plain.before_cell)
        shell.events.unregister("post_run_cell", self._plain.after_cell)
        shell.ast_transformers.remove(self._plain)
        shell.input_transformers_cleanup.remove(with_body)
        shell.Completer.custom_matchers.remove(self._matcher)
        shell.user_ns.pop(HOOK, None)

    def _sql(self, target: str, text: str, engine: str, keep: bool) -> Any:
        """`ftl.sql(...)` as a statement of a cell: the text under the lines that it has there."""
        cell = self._plain.text
        before = cell.find(text)
        lines = cell[:before].count("\n") if before >= 0 else 0
        return define_sql(self.notebook, target, "\n" * lines + text, engine, keep=keep)


def _matcher(notebook: Notebook, complete: Complete) -> Any:
    """What IPython's completer asks: on a line of ours what it offers is all that is offered."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher()  # type: ignore[untyped-decorator]
    def ftl(context: Any) -> dict[str, Any]:
        line = context.text_until_cursor
        offered = [SimpleCompletion(text, type="magic") for text in complete(notebook, line)]
        fragment = "" if line.endswith(" ") else line.split(" ")[-1]
        return {"completions": offered, "matched_fragment": fragment, "suppress": bool(offered)}

    return ftl
