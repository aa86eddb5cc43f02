"""One notebook's session: which module is open, what each cell defines, which names the notebook gets."""

from __future__ import annotations

import builtins
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ftl_nb.binding import dispatch
from ftl_nb.binding.source import Cell, CellKind
from ftl_nb.errors import FtlError, fail

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ftl_nb.client import Session
    from ftl_nb.console import Cluster
    from ftl_nb.widgets import Card


class Notebook:
    """What the magics of one shell share."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.open_module = ""
        self.cell_id = ""
        #: Whether cells are kept for one change instead of being tried.
        self.staging = False
        #: Cells that are staged or pending: they give their names when they land.
        self._waiting: list[tuple[str, Cell]] = []
        self._cluster: Cluster | None = None
        self._modules_of_cells: dict[str, str] = {}
        self._owners_of_names: dict[str, str] = {}
        self.run_here: set[tuple[str, str]] = set()

    @property
    def cluster(self) -> Cluster:
        """The project's cluster, made known on first use."""
        if self._cluster is None:
            from ftl_nb.console import Cluster

            self._cluster = Cluster(kind="notebook", owner=notebook_name(self.shell))
        return self._cluster

    def attach(self) -> None:
        """The first call, or import of a module, in this process goes through this notebook's session."""
        dispatch.on_first_use(lambda: self.cluster.session)

    @property
    def opened(self) -> Session | None:
        """The session where one is open already."""
        connection = self._cluster.connection if self._cluster is not None else None
        return connection.open if connection is not None else None

    def opening(self, module: str) -> None:
        """The cells that follow are meant for `module`, even where its own cell is refused."""
        self.open_module = module

    def module_for(self, given: str) -> str:
        """The module of the cell being run: named, else the one recorded with it, else the one last opened.

        A front end without cell ids runs from top to bottom: there the one last opened is meant every time.
        """
        module = given or self._modules_of_cells.get(self.cell_id, "") or self.open_module
        if not module:
            raise fail("no-module")
        if self.cell_id:
            self._modules_of_cells[self.cell_id] = module
        return module

    def define(
        self,
        kind: CellKind,
        module: str,
        text: str,
        options: Mapping[str, object],
        *,
        database: str = "",
        engine: str = "",
        keep: bool = False,
    ) -> Card:
        """Ships one cell and binds what it gives in the notebook; its card."""
        cell = Cell(self.cell_id, kind, kind, text, options, database, engine)
        try:
            card = self.cluster.define(module, cell, keep=keep, stage=self.staging)
        except FtlError as e:
            if e.slug == "breaks-others":
                self._waiting.append((module, cell))
            raise
        if card.status == "staged":
            self._waiting.append((module, cell))
            return card
        if self._waiting:
            self.take_landed()
        return self._with_names(card, module, cell)

    def take_landed(self) -> None:
        """Cells that were staged or pending and have moved give their names now."""
        waiting, self._waiting = self._waiting, []
        mirror = self.cluster.session.mirror
        for module, cell in waiting:
            if mirror.has_cell(module, cell):
                self._bind(module, cell)
            else:
                self._waiting.append((module, cell))
        if len(self._waiting) < len(waiting):
            self.refresh_names()

    def refresh_names(self) -> None:
        """Names of modules stand for what the modules have now; those that are gone from them go."""
        from ftl_nb.binding.loader import module_object

        for name, module in list(self._owners_of_names.items()):
            value = vars(module_object(module)).get(name)
            if value is not None:
                self.shell.push({name: value})
            else:
                self.shell.user_ns.pop(name, None)
                del self._owners_of_names[name]

    def _with_names(self, card: Card, module: str, cell: Cell) -> Card:
        from dataclasses import replace

        return replace(card, notes=(*card.notes, *self._bind(module, cell)))

    def _bind(self, module: str, cell: Cell) -> list[str]:
        """Binds a cell's names in the notebook; what is worth a line."""
        from ftl_nb.console.names import is_of, names_of

        names = names_of(self.cluster.session, module, cell)
        own = [name for name, value in names.items() if is_of(value, module)]
        notes = [note for name in own if (note := self._clash(name, module))]
        self.shell.push(names)
        self._owners_of_names.update(dict.fromkeys(own, module))
        self.run_here.add((module, cell.text))
        return notes

    def _clash(self, name: str, module: str) -> str:
        if hasattr(builtins, name) and name not in self._owners_of_names:
            return f"{name} is now {module}.{name} in this notebook; Python's own is builtins.{name}"
        other = self._owners_of_names.get(name, module)
        if other == module:
            return ""
        return f"{name} is now {module}.{name} in this notebook; {other}.{name} is still there under that name"


def notebook_name(shell: InteractiveShell) -> str:
    """What this notebook calls itself: its path where the front end tells, else its kernel."""
    path = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    if path:
        return os.path.basename(str(path))
    kernel: Any = getattr(shell, "kernel", None)
    ident = str(getattr(kernel, "ident", "")) if kernel is not None else ""
    return f"kernel {ident[:8]}" if ident else "ipython"
