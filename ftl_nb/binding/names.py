"""The names that a stretch of Python binds, by kind, and where its imports come from."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Declared:
    """The names one cell binds at top level, each kind in order of first binding."""

    functions: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every name, kind by kind."""
        return (*self.functions, *self.classes, *self.variables, *self.imports)

    @property
    def public(self) -> tuple[str, ...]:
        """Functions, classes and variables without a leading underscore."""
        return tuple(n for n in (*self.functions, *self.classes, *self.variables) if not n.startswith("_"))


def declared(tree: ast.Module) -> Declared:
    """What the module's top level binds, through `if`, `try`, `for`, `with` and `match` too."""
    statements = list(top_level(tree.body))
    functions = [s.name for s in statements if isinstance(s, Function)]
    classes = [s.name for s in statements if isinstance(s, ast.ClassDef)]
    imports = [name for s in statements for name in import_targets(s)]
    taken = {*functions, *classes, *imports}
    variables = [name for s in statements for name in stored_names(s) if name not in taken]
    return Declared(*(tuple(dict.fromkeys(names)) for names in (functions, classes, variables, imports)))


def top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement that runs in the scope of `body`, compound ones before what they hold."""
    for statement in body:
        yield statement
        if isinstance(statement, Scope):
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from top_level(getattr(statement, field, ()))
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from top_level(part.body)


def stored_names(statement: ast.stmt) -> Iterator[str]:
    """The variables that one statement itself assigns; not those of the statements it holds."""
    if isinstance(statement, Scope):
        return
    for node in _expressions(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.ExceptHandler) and node.name:
            yield node.name


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `node` that belong to its own scope and are no statements."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.Lambda):
            continue
        if isinstance(child, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            yield from (n.target for n in ast.walk(child) if isinstance(n, ast.NamedExpr))
            continue
        yield child
        yield from _expressions(child)


def bound_names(body: Iterable[ast.stmt]) -> set[str]:
    """Every name that running `body` binds in its own scope, but for those it declares global."""
    names: set[str] = set()
    outer: set[str] = set()
    for statement in top_level(body):
        if isinstance(statement, ast.Global | ast.Nonlocal):
            outer.update(statement.names)
        elif isinstance(statement, Function | ast.ClassDef):
            names.add(statement.name)
        else:
            names.update(stored_names(statement), import_targets(statement))
    return names - outer


def import_targets(statement: ast.stmt) -> Mapping[str, str]:
    """The names an import statement binds, each with the dotted name it stands for; empty for any other statement."""
    if isinstance(statement, ast.Import):
        return dict(_import_alias(alias) for alias in statement.names)
    if isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        return {a.asname or a.name: f"{statement.module}.{a.name}" for a in statement.names if a.name != "*"}
    return {}


def _import_alias(alias: ast.alias) -> tuple[str, str]:
    if alias.asname:
        return alias.asname, alias.name
    root = alias.name.partition(".")[0]
    return root, root


def imports_of(body: Iterable[ast.stmt]) -> dict[str, str]:
    """Name to dotted name, over every import in the scope of `body`."""
    found: dict[str, str] = {}
    for statement in top_level(body):
        found.update(import_targets(statement))
    return found
