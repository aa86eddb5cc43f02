"""A notebook to measure: an IPython shell in this process, in a project folder of its own."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from ftl_nb.rpc.view import SchemaView

MODULE = """%%ftl_module bench
from dataclasses import dataclass
@dataclass
class Body:
    text: str
    number: int
"""
ECHO = """%%ftl_verb --export
def echo(body: Body) -> Body:
    return body
"""


class Notebook:
    """One shell with the extension loaded; the cluster starts with the first defining cell and ends with the block."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ftl-bench-")
        self._before = Path.cwd()
        self._state = os.environ.pop("FTL_STATE_DIR", None)
        self._shell: Any = None

    def __enter__(self) -> Self:
        from IPython.core.interactiveshell import InteractiveShell
        from IPython.utils.capture import capture_output
        from traitlets.config import Config

        self._capture = capture_output
        os.chdir(self._folder.name)
        settings = Config({"HistoryManager": {"enabled": False}})
        self._shell = InteractiveShell.instance(config=settings, colors="nocolor")
        self.run("%load_ext ftl_nb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run("%ftl down")
        self.run("%unload_ext ftl_nb")
        os.chdir(self._before)
        if self._state is not None:
            os.environ["FTL_STATE_DIR"] = self._state
        self._folder.cleanup()

    def run(self, *cells: str) -> float:
        """Runs cells; the seconds they took. What a cell raises is raised."""
        start = time.perf_counter()
        with self._capture():
            results = [self._shell.run_cell(cell) for cell in cells]
        took = time.perf_counter() - start
        for result in results:
            result.raise_error()
        return took

    def name(self, name: str) -> Any:
        """What a name of the notebook is bound to."""
        return self._shell.user_ns[name]

    @property
    def view(self) -> SchemaView:
        """The schema as the notebook's session sees it."""
        from ftl_nb.binding import dispatch

        session: Any = dispatch.current("bench.echo")
        view: SchemaView = session.view
        return view
