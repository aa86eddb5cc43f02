"""Which names of the module a function, class or expression reads: the edges of the call graph.

Names that are bound on the way in (parameters, assignments, loops, comprehensions) are not the module's.
A class is read as a whole: its methods count wherever its name does.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ftl_nb.binding.names import Function, bound_names, imports_of
from ftl_nb.compiler.syntax import dotted

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Load:
    """A name that is read, with its attributes: `shop.checkout` is `("shop", "checkout")`.

    `imported` says that the first part is the dotted name of an import inside the function, not a module's name.
    """

    parts: tuple[str, ...]
    node: ast.expr = field(compare=False)
    imported: bool = False


def loads(node: ast.AST) -> Iterator[Load]:
    """What evaluating, or calling, `node` reads from the module's names, in order of the text."""
    yield from _Reader(frozenset(), {}).read(node)


class _Reader:
    """Reads one scope; a scope inside it is read by a reader of its own that knows more bound names."""

    def __init__(self, bound: frozenset[str], imports: dict[str, str]) -> None:
        self._bound = bound
        self._imports = imports

    def read(self, node: ast.AST) -> Iterator[Load]:
        if isinstance(node, Function | ast.Lambda):
            yield from self._function(node)
        elif isinstance(node, _Comprehension):
            yield from self._comprehension(node)
        elif isinstance(node, ast.Attribute | ast.Name):
            yield from self._name(node)
        else:
            yield from self._all(ast.iter_child_nodes(node))

    def _all(self, nodes: Iterable[ast.AST]) -> Iterator[Load]:
        for node in nodes:
            yield from self.read(node)

    def _name(self, node: ast.Attribute | ast.Name) -> Iterator[Load]:
        parts = dotted(node)
        if not parts:
            yield from self._all(ast.iter_child_nodes(node))
        elif parts[0] in self._imports:
            yield Load((self._imports[parts[0]], *parts[1:]), node, imported=True)
        elif parts[0] not in self._bound and _is_read(node):
            yield Load(parts, node)

    def _function(self, node: Function | ast.Lambda) -> Iterator[Load]:
        if not isinstance(node, ast.Lambda):
            yield from self._all(node.decorator_list)
            yield from self._annotations([node.returns] if node.returns else [])
        yield from self._annotations(a.annotation for a in _arguments(node.args) if a.annotation is not None)
        yield from self._all(_defaults(node.args))
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        statements = [] if isinstance(node, ast.Lambda) else node.body
        yield from self._inside(_parameters(node.args) | bound_names(statements), imports_of(statements))._all(body)

    def _annotations(self, nodes: Iterable[ast.expr]) -> Iterator[Load]:
        """A verb called `list` is not called where an annotation means Python's own."""
        yield from (load for load in self._all(nodes) if not hasattr(builtins, load.parts[0]))

    def _comprehension(self, node: _Comprehension) -> Iterator[Load]:
        targets = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        yield from self._inside(targets, {})._all(ast.iter_child_nodes(node))

    def _inside(self, names: set[str], imports: dict[str, str]) -> _Reader:
        kept = {name: target for name, target in self._imports.items() if name not in names}
        return _Reader(self._bound | names, {**kept, **imports})


def _is_read(node: ast.Attribute | ast.Name) -> bool:
    """A store to an attribute reads the name before the dot."""
    return isinstance(node, ast.Attribute) or isinstance(node.ctx, ast.Load)


def _defaults(arguments: ast.arguments) -> Iterator[ast.expr]:
    """Defaults are read where the function is defined, as annotations are."""
    yield from arguments.defaults
    yield from (default for default in arguments.kw_defaults if default is not None)


def _parameters(arguments: ast.arguments) -> set[str]:
    return {argument.arg for argument in _arguments(arguments)}


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None)
