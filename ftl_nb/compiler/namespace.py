"""The names of one module over all its cells: what each stands for, and the one namespace of its declarations."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ftl_nb.binding.names import Function, import_targets, stored_names, top_level
from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.bodies import check_bodies
from ftl_nb.compiler.cells import Mark, ParsedCell, full_name, parse
from ftl_nb.errors import FtlError, Place, fail
from ftl_nb.schema.names import camel, is_identifier, snake

DeclKind = Literal["verb", "fixture", "sql", "config", "secret", "database"]
SettingKind = Literal["config", "secret"]
_SAYS: Mapping[DeclKind, str] = {
    "verb": "the verb",
    "fixture": "the fixture",
    "sql": "the SQL verb",
    "config": "the config",
    "secret": "the secret",
    "database": "the database",
}
_SETTINGS: Mapping[str, SettingKind] = {"ftl_nb.Config": "config", "ftl_nb.Secret": "secret"}


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declaration of the module: `name` as in the schema, `binding` the module's own name for it."""

    kind: DeclKind
    name: str
    binding: str
    place: Place | None = None

    @property
    def key(self) -> str:
        return snake(self.name)


@dataclass(frozen=True, slots=True)
class ConfigDecl:
    """`variable = Config[type]("name", default=…)`, or `Secret` of kind "secret"; `type` is the text in the brackets.

    It is `str` when there are none.
    """

    name: str
    variable: str
    type: str
    place: Place
    kind: SettingKind = "config"


@dataclass(slots=True)
class Namespace:
    """`nodes` are the functions, classes and assignments that the module's names stand for.

    `declarations` is keyed by snake case and holds every verb, SQL verb, config, secret and database.
    """

    module: str
    cells: tuple[ParsedCell, ...] = ()
    imports: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, list[ast.AST]] = field(default_factory=dict)
    classes: dict[str, ParsedCell] = field(default_factory=dict)
    marks: dict[str, tuple[ParsedCell, Mark]] = field(default_factory=dict)
    configs: dict[str, ConfigDecl] = field(default_factory=dict)
    declarations: dict[str, Declaration] = field(default_factory=dict)

    def bound(self, name: str) -> Declaration | None:
        """The declaration that a name of the module stands for."""
        return next((d for d in self.declarations.values() if d.binding == name), None)

    def injectable(self, name: str) -> Declaration | None:
        """What a keyword-only parameter of that name gets: by the module's name for it, else by the schema's."""
        return self.bound(name) or self.declarations.get(name)

    def near(self, name: str, asker: str) -> str:
        """A hint for a name that is none of ours; `asker` is the function that asks, which cannot be what it meant."""
        offered = sorted(key for key, d in self.declarations.items() if d.binding != asker)
        inject = "another module's verb is injected by `= ftl.inject(shop.checkout)`"
        close = difflib.get_close_matches(name, offered, n=3, cutoff=0.5)
        if close:
            return f"did you mean {' or '.join(close)}? {inject[0].upper()}{inject[1:]}"
        return f"there is {', '.join(offered) or 'nothing to inject'}; {inject}"


def read_namespace(source: ModuleSource, sql_verbs: Mapping[str, str], databases: Iterable[str]) -> Namespace:
    """Parses the Python cells in order. Raises what `parse` and `check_bodies` raise, and `name-collision`."""
    space = Namespace(source.name)
    for cell in source.python_cells:
        parsed = parse(cell, source.name, space.imports)
        check_bodies(parsed)
        space.cells += (parsed,)
        for statement in top_level(parsed.tree.body):
            _bind(space, parsed, statement)
        for mark in parsed.marks:
            _mark(space, parsed, mark)
    for declaration in _declarations(space, sql_verbs, databases):
        _declare(space, declaration)
    return space


def _bind(space: Namespace, cell: ParsedCell, statement: ast.stmt) -> None:
    """The last function, class or import of a name wins; a variable keeps every statement that assigns it."""
    if isinstance(statement, ast.ClassDef):
        _define_class(space, cell, statement)
    if isinstance(statement, Function | ast.ClassDef):
        _forget(space, statement.name)
        space.nodes[statement.name] = [statement]
    for name, target in import_targets(statement).items():
        _forget(space, name)
        space.imports[name] = target
    for name in stored_names(statement):
        space.imports.pop(name, None)
        space.nodes.setdefault(name, []).append(statement)
        if config := _config(space, cell, name, statement):
            space.configs[name] = config


def _define_class(space: Namespace, cell: ParsedCell, statement: ast.ClassDef) -> None:
    """A class of a module is defined in one cell: the verbs of other cells hold the one that they were made with."""
    earlier = space.classes.setdefault(statement.name, cell)
    if earlier is not cell:
        first, second = f"class {statement.name} of {earlier.filename}", f"that of {cell.filename}"
        raise _collision(space, first, second, statement.name, cell.place(statement))


def _forget(space: Namespace, name: str) -> None:
    space.nodes.pop(name, None)
    space.imports.pop(name, None)
    space.configs.pop(name, None)


def _config(space: Namespace, cell: ParsedCell, variable: str, statement: ast.stmt) -> ConfigDecl | None:
    call = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    if not isinstance(call, ast.Call):
        return None
    maker = call.func.value if isinstance(call.func, ast.Subscript) else call.func
    kind = _SETTINGS.get(full_name(maker, space.imports) or "")
    if kind is None:
        return None
    type_text = ast.unparse(call.func.slice) if isinstance(call.func, ast.Subscript) else "str"
    return ConfigDecl(_config_name(call, variable, cell, kind), variable, type_text, cell.place(call), kind)


def _config_name(call: ast.Call, variable: str, cell: ParsedCell, kind: SettingKind) -> str:
    given = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "name"), None)
    if given is None:
        return camel(variable)
    if not isinstance(given, ast.Constant) or not isinstance(given.value, str) or not is_identifier(given.value):
        place, why = cell.place(given), "it takes a literal name of letters, digits and underscores"
        raise fail("bad-option", place, word=f"name of {kind.capitalize()}", value=ast.unparse(given), why=why)
    return camel(given.value)


def _mark(space: Namespace, cell: ParsedCell, mark: Mark) -> None:
    earlier = space.marks.get(mark.name)
    if earlier is not None:
        first = f"{_SAYS[_kind(earlier[1])]} {mark.name} of {earlier[0].filename}"
        raise _collision(space, first, f"that of {cell.filename}", mark.name, cell.place(mark.function))
    space.marks[mark.name] = (cell, mark)


def _declarations(space: Namespace, sql_verbs: Mapping[str, str], databases: Iterable[str]) -> Iterator[Declaration]:
    for name, (cell, mark) in space.marks.items():
        yield Declaration(_kind(mark), schema_name(mark), name, cell.name_place(mark.function))
    for name in sql_verbs:
        yield Declaration("sql", camel(name), snake(name))
    for config in space.configs.values():
        yield Declaration(config.kind, config.name, config.variable, config.place)
    for name in databases:
        yield Declaration("database", camel(name), snake(name))


def _kind(mark: Mark) -> Literal["verb", "fixture"]:
    return "fixture" if mark.options.get("fixture") else "verb"


def schema_name(mark: Mark) -> str:
    """The verb's name in the schema: its `name` option, else the function's in camel case."""
    return str(mark.options["name"]) if "name" in mark.options else camel(mark.name)


def _declare(space: Namespace, new: Declaration) -> None:
    if new.kind in ("sql", "database") and new.binding in (*space.nodes, *space.imports):
        raise _collision(space, f"{_SAYS[new.kind]} {new.name}", "a name of its Python cells", new.binding, None)
    other = space.declarations.setdefault(new.key, new)
    if other is not new:
        first, second = (f"{_SAYS[d.kind]} {d.name}" for d in (other, new))
        raise _collision(space, first, second, new.key, new.place or other.place)


def _collision(space: Namespace, first: str, second: str, name: str, place: Place | None) -> FtlError:
    first = first[0].upper() + first[1:]
    return fail("name-collision", place, first=first, second=second, name=name, module=space.module)
