"""What the verbs of a module use, found in its text alone.

A verb uses what its function reads, and what everything that function reads in turn reads: helper functions,
classes, lambdas and values of the module, in whichever cell they stand. Reading a name is using it, so a verb that is
handed on and called elsewhere counts. What is looked up by a computed name is not seen; the runner refuses it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ftl_nb.binding.names import Declared
from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.cells import Mark, ParsedCell
from ftl_nb.compiler.injection import Injected, injected_parameters
from ftl_nb.compiler.namespace import ConfigDecl, Namespace, read_namespace, schema_name
from ftl_nb.compiler.packages import third_party_imports
from ftl_nb.compiler.reach import DeclRef, Reach
from ftl_nb.errors import Place
from ftl_nb.schema.names import camel


@dataclass(frozen=True, slots=True)
class VerbUse:
    """A verb or fixture: its names, its options and, each sorted by name, what it uses.

    `calls` has SQL verbs and other modules' verbs too. `digest` changes with everything of the module that a call
    of it can reach: functions, classes, values, and the text of the databases.
    """

    name: str
    function: str
    kind: str
    cell: str
    place: Place
    options: Mapping[str, object]
    injected: tuple[Injected, ...]
    calls: tuple[DeclRef, ...]
    configs: tuple[DeclRef, ...]
    secrets: tuple[DeclRef, ...]
    databases: tuple[DeclRef, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """One module as its text says it is; verbs and fixtures in order of the text, secrets among the configs."""

    module: str
    cells: tuple[ParsedCell, ...] = field(repr=False)
    verbs: tuple[VerbUse, ...]
    configs: tuple[ConfigDecl, ...]
    packages: tuple[str, ...]
    modules: tuple[str, ...]
    namespace: Namespace = field(repr=False)

    def verb(self, name: str) -> VerbUse | None:
        """By its schema name or its function's."""
        return next((v for v in self.verbs if name in (v.name, v.function)), None)

    @property
    def names(self) -> Mapping[str, Declared]:
        """What each cell declares, by label."""
        return {cell.cell.label: cell.names for cell in self.cells}


def analyse(
    source: ModuleSource,
    sql_verbs: Mapping[str, str] | None = None,
    databases: Iterable[str] | None = None,
) -> Analysis:
    """Reads a module's Python cells; nothing is executed.

    `sql_verbs` maps the name of each SQL verb, in snake or camel case, to its database; `databases` are the module's
    databases, by default those of its SQL cells. Raises FtlError: what `parse` and `check_bodies` raise,
    `name-collision`, `unknown-injection`, `injection-shadows-field`.
    """
    queries = {camel(name): camel(database) for name, database in (sql_verbs or {}).items()}
    if databases is None:
        databases = dict.fromkeys(cell.database for cell in source.sql_cells if cell.database)
    space = read_namespace(source, queries, databases)
    injected = {name: injected_parameters(space, cell, mark) for name, (cell, mark) in space.marks.items()}
    reach = Reach(space, injected, queries, source)
    verbs = tuple(_verb_use(reach, cell, mark, injected[name]) for name, (cell, mark) in space.marks.items())
    return Analysis(
        module=source.name,
        cells=space.cells,
        verbs=verbs,
        configs=tuple(space.configs.values()),
        packages=third_party_imports(cell.tree for cell in space.cells),
        modules=tuple(sorted({module for cell in space.cells for module in _modules_read(cell)} - {source.name})),
        namespace=space,
    )


def _verb_use(reach: Reach, cell: ParsedCell, mark: Mark, injected: tuple[Injected, ...]) -> VerbUse:
    found = reach.of(mark)
    return VerbUse(
        name=schema_name(mark),
        function=mark.name,
        kind="fixture" if mark.options.get("fixture") else "verb",
        cell=cell.cell.label,
        place=cell.name_place(mark.function),
        options=mark.options,
        injected=injected,
        calls=tuple(sorted(found.calls)),
        configs=tuple(sorted(found.configs)),
        secrets=tuple(sorted(found.secrets)),
        databases=tuple(sorted(found.databases)),
        digest=reach.digest(mark),
    )


def _modules_read(cell: ParsedCell) -> Iterator[str]:
    """The modules of ours that a cell imports anywhere in it."""
    for node in ast.walk(cell.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "ftl_nb.modules":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ftl_nb.modules."):
            yield (node.module or "").split(".")[2]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[2] for a in node.names if a.name.startswith("ftl_nb.modules."))
