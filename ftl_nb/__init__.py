"""FTL for notebooks: cells become modules, verbs and SQL queries that run as a system of real processes.

`%load_ext ftl_nb` brings the magics; `import ftl_nb as ftl` has their plain twins, for cells, files and tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ftl_nb.binding import (
    Config,
    Database,
    SqlVerb,
    Verb,
    caller,
    dispatch,
    external,
    fixture,
    inject,
    lease,
    module,
    sql,
    verb,
)
from ftl_nb.errors import FtlError, VerbError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ftl_nb.binding.dispatch import Dispatcher
    from ftl_nb.console import Cluster

__version__ = "0.1.0"

__all__ = [
    "Cluster",
    "Config",
    "Database",
    "FtlError",
    "SqlVerb",
    "Verb",
    "VerbError",
    "caller",
    "external",
    "fixture",
    "inject",
    "lease",
    "module",
    "sql",
    "verb",
]


def _default_session() -> Dispatcher:
    """A script's first call starts, or joins, the cluster of the current folder."""
    global _default_cluster
    if _default_cluster is None:
        from ftl_nb.console import Cluster

        _default_cluster = Cluster()
    return _default_cluster.session


_default_cluster: Cluster | None = None
dispatch.on_first_use(_default_session)


def __getattr__(name: str) -> Any:
    if name == "Cluster":
        from ftl_nb.console import Cluster

        return Cluster
    raise AttributeError(f"module 'ftl_nb' has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext ftl_nb`: registers the magics and prints nothing; the cluster starts on first use."""
    from ftl_nb.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext ftl_nb`: takes the magics away again; the cluster stays."""
    from ftl_nb.magics import unload

    unload(shell)
