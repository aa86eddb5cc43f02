"""FTL for notebooks: cells become modules, verbs and SQL queries that run as a system of real processes.

`%load_ext ftl_nb` brings the magics; `import ftl_nb as ftl` has their plain twins, for cells, files and tests.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ftl_nb.binding import ArrowReadable as ArrowReadable
    from ftl_nb.binding import ArrowStream as ArrowStream
    from ftl_nb.binding import Config as Config
    from ftl_nb.binding import Database as Database
    from ftl_nb.binding import Secret as Secret
    from ftl_nb.binding import SqlVerb as SqlVerb
    from ftl_nb.binding import Stream as Stream
    from ftl_nb.binding import Verb as Verb
    from ftl_nb.binding import caller as caller
    from ftl_nb.binding import external as external
    from ftl_nb.binding import fixture as fixture
    from ftl_nb.binding import inject as inject
    from ftl_nb.binding import lease as lease
    from ftl_nb.binding import module as module
    from ftl_nb.binding import sql as sql
    from ftl_nb.binding import verb as verb
    from ftl_nb.binding.dispatch import Dispatcher
    from ftl_nb.console import Cluster as Cluster
    from ftl_nb.console import timeline as timeline
    from ftl_nb.errors import FtlError as FtlError
    from ftl_nb.errors import VerbError as VerbError
    from ftl_nb.streams import StreamResult as StreamResult

__version__ = "0.1.0"

#: Loaded on first use: a room, such as `ftl_nb.schema`, can be imported alone.
_WHERE = {
    **dict.fromkeys(
        ("ArrowReadable", "ArrowStream", "Config", "Database", "Secret", "SqlVerb", "Stream", "Verb"), "ftl_nb.binding"
    ),
    **dict.fromkeys(("caller", "external", "fixture", "inject", "lease", "module", "sql", "verb"), "ftl_nb.binding"),
    **dict.fromkeys(("FtlError", "VerbError"), "ftl_nb.errors"),
    **dict.fromkeys(("Cluster", "timeline"), "ftl_nb.console"),
    "StreamResult": "ftl_nb.streams",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ftl_nb' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    if _WHERE[name] == "ftl_nb.binding" or name == "timeline":
        from ftl_nb.binding import dispatch

        dispatch.by_default(default_session)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})


_default_cluster: Cluster | None = None


def default_session() -> Dispatcher:
    """The session of a script, which joins, or starts, the cluster of the current folder."""
    global _default_cluster
    if _default_cluster is None:
        from ftl_nb.console import Cluster

        _default_cluster = Cluster()
    return _default_cluster.session


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext ftl_nb`: registers the magics and prints nothing; the cluster starts on first use."""
    from ftl_nb.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext ftl_nb`: takes the magics away again; the cluster stays."""
    from ftl_nb.magics import unload

    unload(shell)
