"""The cell magics: each is its words and one call of the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from ftl_nb.errors import fail
from ftl_nb.magics import arguments, commands
from ftl_nb.magics.arguments import Help
from ftl_nb.magics.notebook import Notebook

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@magics_class
class FtlMagics(Magics):  # type: ignore[misc]
    """`%%ftl_module`, `%%ftl_verb`, `%%ftl_sql`, `%%ftl_fixture` and `%ftl`."""

    def __init__(self, shell: InteractiveShell, notebook: Notebook) -> None:
        super().__init__(shell)
        self._notebook = notebook

    @no_var_expand
    @cell_magic
    def ftl_module(self, line: str, cell: str) -> Any:
        """Opens a module: its types, resources and helpers; `--help` says more."""
        return _answer(lambda: self._module(line, cell))

    def _module(self, line: str, cell: str) -> Any:
        words = arguments.module_parser().read(line)
        self._notebook.opening(words.name)
        return self._notebook.define("module", words.name, _shipped(cell), {})

    @no_var_expand
    @cell_magic
    def ftl_verb(self, line: str, cell: str) -> Any:
        """Defines one verb; `--help` says more."""
        return _answer(lambda: self._verb(line, cell))

    def _verb(self, line: str, cell: str) -> Any:
        words = arguments.verb_parser().read(line)
        given = {
            "name": words.name,
            "export": "realm" if words.export_realm else "module" if words.export else "",
            "calls": words.calls,
        }
        module = self._notebook.module_for(words.module)
        return self._notebook.define("verb", module, _shipped(cell), {k: v for k, v in given.items() if v})

    @no_var_expand
    @cell_magic
    def ftl_fixture(self, line: str, cell: str) -> Any:
        """Defines a fixture; `--help` says more."""
        return _answer(lambda: self._fixture(line, cell))

    def _fixture(self, line: str, cell: str) -> Any:
        words = arguments.fixture_parser().read(line)
        module = self._notebook.module_for(words.module)
        return self._notebook.define("fixture", module, _shipped(cell), {"manual": True} if words.manual else {})

    @no_var_expand
    @cell_magic
    def ftl_sql(self, line: str, cell: str) -> Any:
        """Adds migrations and queries to a database; `--help` says more."""
        return _answer(lambda: self._sql(line, cell))

    def _sql(self, line: str, cell: str) -> Any:
        words = arguments.sql_parser().read(line)
        return define_sql(self._notebook, words.database, _shipped(cell), words.engine, keep=words.keep)

    @no_var_expand
    @line_magic
    def ftl(self, line: str) -> Any:
        """Asks the cluster: `%ftl --help` lists what."""
        return _answer(lambda: commands.run(self._notebook, line))


def define_sql(notebook: Notebook, target: str, text: str, engine: str, *, keep: bool) -> Any:
    """Ships the text of a SQL cell for `module.database`."""
    module, _, database = target.partition(".")
    if not module or not database.isidentifier():
        raise fail("database-name", name=target)
    return notebook.define("sql", module, text, {}, database=database, engine=engine, keep=keep)


def _shipped(cell: str) -> str:
    """A magic cell's text under its own line numbers: the magic's line is an empty one."""
    return "\n" + cell


def _answer(run: Any) -> Any:
    try:
        return run()
    except Help as text:
        print(text)
        return None
