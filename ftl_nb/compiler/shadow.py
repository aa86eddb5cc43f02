"""A module's shadow copy: its Python cells in one file that a type checker understands, line by line the author's own.

What the runner does at run time is written out: injected parameters get their type, a verb becomes its client, the
names of SQL verbs, their rows and databases are there, and the module importing itself means this file. A position
map leads every diagnostic back to its cell, line and column.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ftl_nb import schema
from ftl_nb.binding.names import Function
from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.analysis import Analysis, VerbUse
from ftl_nb.compiler.cells import ParsedCell
from ftl_nb.compiler.clients import CLASS_PREFIX, CLIENT_IMPORTS, DECORATOR_PREFIX, client_lines
from ftl_nb.compiler.injection import Injected
from ftl_nb.compiler.positions import Edit, EditedText
from ftl_nb.compiler.syntax import Spot, characters, source_lines
from ftl_nb.errors import Place
from ftl_nb.schema.names import snake

PACKAGE = "_ftl_shadow"
VIEW_PACKAGE = "_ftl_view"
OWN_VIEW = "own"
_QUERY = "_ftl_query_"
_RESOURCES = "from ftl_nb import Config as _FtlConfig, Database as _FtlDatabase, Secret as _FtlSecret"


@dataclass(frozen=True, slots=True)
class Shadow:
    """One module's generated file; `text` has the cells of `source` in order."""

    module: str
    text: str
    _edited: EditedText

    def place(self, line: int, column: int, end_line: int, end_column: int) -> Place | None:
        """The cell's place behind a 0-based range of the file; None for a line that no cell has."""
        origin = self._edited.origin(line)
        if origin is None:
            return None
        start = origin.column(column)
        end = origin.column(end_column) if end_line == line else len(origin.source_line)
        return Place(origin.filename, origin.line, start + 1, origin.source_line, max(end, start + 1) + 1)


def shadow_of(source: ModuleSource, analysis: Analysis, module: schema.Module | None) -> Shadow:
    """The shadow copy of a module. `module` is its reflected schema, which knows the SQL verbs and their rows."""
    edited = EditedText()
    for line in (*_future_lines(analysis), *CLIENT_IMPORTS, _RESOURCES, *_resource_lines(analysis, module)):
        edited.add(line)
    for verb in analysis.verbs:
        for line in client_lines(analysis.namespace, verb):
            edited.add(line)
    for cell in analysis.cells:
        _add_cell(edited, cell, analysis)
    return Shadow(source.name, edited.text, edited)


def _future_lines(analysis: Analysis) -> Iterator[str]:
    names = {a.name for cell in analysis.cells for node in _future_imports(cell) for a in node.names}
    if names:
        yield f"from __future__ import {', '.join(sorted(names))}"


def _future_imports(cell: ParsedCell) -> Iterator[ast.ImportFrom]:
    yield from (s for s in cell.tree.body if isinstance(s, ast.ImportFrom) and s.module == "__future__")


def _resource_lines(analysis: Analysis, module: schema.Module | None) -> Iterator[str]:
    """The names that a runner adds to those of the cells."""
    declarations = analysis.namespace.declarations.values()
    for declaration in (d for d in declarations if d.kind == "database"):
        yield f"{declaration.binding} = _FtlDatabase({analysis.module!r}, {declaration.name!r})"
    generated = set() if module is None else _generated_names(analysis, module)
    for name in sorted(generated):
        yield f"from ftl_nb.modules.{analysis.module} import {name} as {name}"
    for declaration in (d for d in declarations if d.kind == "sql"):
        if declaration.binding not in generated:
            yield f"{declaration.binding} = _ftl_any()"
        yield f"{_QUERY}{declaration.binding} = {declaration.binding}"


def _generated_names(analysis: Analysis, module: schema.Module) -> set[str]:
    """What the schema has and the cells do not: SQL verbs and the data of their requests and rows."""
    types = {d.name for d in module.decls if isinstance(d, schema.Data | schema.Enum | schema.TypeAlias)}
    queries = {d.binding for d in analysis.namespace.declarations.values() if d.kind == "sql"}
    verbs = {snake(d.name) for d in module.decls if isinstance(d, schema.Verb)} & queries
    return {name for name in types | verbs if name not in (*analysis.namespace.nodes, *analysis.namespace.imports)}


def _add_cell(edited: EditedText, cell: ParsedCell, analysis: Analysis) -> None:
    lines = source_lines(cell.cell.text)
    edits: dict[int, list[Edit]] = defaultdict(list)
    for edit in (*_future_edits(cell, lines), *_self_import_edits(cell, lines, analysis.module)):
        edits[edit.line].append(edit)
    above: dict[int, str] = {}
    for verb in analysis.verbs:
        owner, mark = analysis.namespace.marks[verb.function]
        if owner is cell:
            first = _first_line(mark.function)
            indent = lines[first - 1][: mark.function.col_offset]
            above[first] = f"{indent}@{DECORATOR_PREFIX}{verb.function}"
            for edit in _injection_edits(lines, verb, mark.function, analysis):
                edits[edit.line].append(edit)
    for number, line in enumerate(lines, 1):
        if number in above:
            edited.add(above[number])
        edited.add_line(cell.filename, number, line, edits[number])


def _first_line(function: Function) -> int:
    return min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])


def _future_edits(cell: ParsedCell, lines: list[str]) -> Iterator[Edit]:
    """A future import stands at the head of the file; `pass` is what stays in its place."""
    for node in _future_imports(cell):
        last = node.end_lineno or node.lineno
        for number in range(node.lineno, last + 1):
            line = lines[number - 1]
            start = characters(line, node.col_offset) if number == node.lineno else 0
            end = characters(line, node.end_col_offset or 0) if number == last else len(line)
            text = "pass" if number == node.lineno else ""
            yield Edit(number, start, end - start, text.ljust(end - start))


def _self_import_edits(cell: ParsedCell, lines: list[str], module: str) -> Iterator[Edit]:
    """The module's own types are those of this file, and not those of its stub."""
    for node in (n for n in ast.walk(cell.tree) if isinstance(n, ast.ImportFrom) and not n.level):
        line = lines[node.lineno - 1]
        start = line.find(node.module or "\0", characters(line, node.col_offset) + len("from"))
        if start < 0:
            continue
        if node.module == "ftl_nb.modules" and any(alias.name == module for alias in node.names):
            yield Edit(node.lineno, start, len(node.module), f"{VIEW_PACKAGE}.{module}")
        elif node.module == f"ftl_nb.modules.{module}":
            yield Edit(node.lineno, start, len(node.module), f"{VIEW_PACKAGE}.{module}.{OWN_VIEW}")


def _injection_edits(lines: list[str], verb: VerbUse, function: Function, analysis: Analysis) -> Iterator[Edit]:
    for argument, parameter in zip(function.args.kwonlyargs, verb.injected, strict=True):
        if not parameter.annotated and (text := _injected_type(parameter, analysis)):
            line, column = _end(argument, lines)
            yield Edit(line, column, 0, text)


def _end(node: Spot, lines: list[str]) -> tuple[int, int]:
    line = node.end_lineno or node.lineno
    return line, characters(lines[line - 1], node.end_col_offset or 0)


def _injected_type(parameter: Injected, analysis: Analysis) -> str:
    """What is written behind the parameter's name: an annotation, or for a SQL verb a default that has its type.

    Nothing for another module's verb: `inject` gives the type of what it is given.
    """
    declaration = parameter.declaration
    if declaration is None:
        return ""
    if declaration.kind == "database":
        return ": _FtlDatabase"
    if declaration.kind in ("config", "secret"):
        config = analysis.namespace.configs[declaration.binding]
        return f": '_Ftl{config.kind.capitalize()}[{config.type}]'" if "'" not in config.type else ""
    if declaration.kind == "sql":
        return "" if parameter.defaulted else f"={_QUERY}{declaration.binding}"
    return f": '{CLASS_PREFIX}{declaration.binding}'"
