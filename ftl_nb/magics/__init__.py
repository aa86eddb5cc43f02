"""IPython: the magics, the plain form of cells, completion. Loading costs no heavy import and prints nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftl_nb.binding import statements
from ftl_nb.magics.notebook import Notebook

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_KEY = "_ftl_nb_extension"
_NOTEBOOK = "_ftl_nb_notebook"


def load(shell: InteractiveShell) -> None:
    """Registers everything on a shell, once; a second load changes nothing."""
    if getattr(shell, _KEY, None) is not None:
        return
    from ftl_nb.magics.completion import complete
    from ftl_nb.magics.extension import Extension

    # A reloaded extension goes on with the notebook that there is: its session, its open module.
    notebook = getattr(shell, _NOTEBOOK, None) or Notebook(shell)
    setattr(shell, _NOTEBOOK, notebook)
    notebook.attach()
    extension = Extension(shell, notebook, complete)
    extension.register()
    setattr(shell, _KEY, extension)


def unload(shell: InteractiveShell) -> None:
    """Takes everything away again; the cluster stays."""
    extension = getattr(shell, _KEY, None)
    if extension is not None:
        extension.remove()
        statements.on_sql(None)
        setattr(shell, _KEY, None)
