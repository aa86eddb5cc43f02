"""What a name means: type parameters, modules, builtin declarations and primitives, searched from the inside out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from ftl_nb.schema import builtin
from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes.base import Node
from ftl_nb.schema.text.parser import parse_module


@cache
def builtin_with_positions() -> decls.Module:
    """The builtin module read from its own text, so that its declarations have the positions messages name.

    The public text begins with an empty line.
    """
    return parse_module(f"\n{builtin.builtin_module()}")


@cache
def _builtin_names() -> frozenset[str]:
    return frozenset(decl.name for decl in builtin_with_positions().decls)


@dataclass(frozen=True, slots=True)
class Found:
    """What a reference means; `module` is empty for a primitive, a module or a type parameter."""

    node: Node
    module: str = ""


class ModuleState:
    """A module whose declarations are replaced one by one while it is checked; a new one keeps the name of the old."""

    __slots__ = ("_first", "decls", "name", "node")

    def __init__(self, node: decls.Module) -> None:
        self.node = node
        self.name = node.name
        self.decls: list[decls.Decl] = list(node.decls)
        self._first: dict[str, int] = {}

    def decl(self, name: str) -> decls.Decl | None:
        """The first declaration of that name, of any kind."""
        if not self._first:
            for index, decl in enumerate(self.decls):
                self._first.setdefault(decl.name, index)
        index_ = self._first.get(name)
        return None if index_ is None else self.decls[index_]


class Known:
    """The modules known at some place, the current state of each; it remembers the names that were asked for."""

    __slots__ = ("_states", "asked")

    def __init__(self, states: Iterable[ModuleState] = ()) -> None:
        self._states: dict[str, ModuleState] = {}
        self.asked: set[str] = set()
        for state in states:
            self._states.setdefault(state.name, state)

    def get(self, name: str) -> ModuleState | None:
        """The state of a module."""
        self.asked.add(name)
        return self._states.get(name)

    def put(self, state: ModuleState) -> None:
        """The state in place of the module's former one."""
        self._states[state.name] = state


@dataclass(frozen=True, slots=True)
class Scope:
    """The names in sight at some place, while no declaration is replaced: what a name means is looked up once."""

    module: ModuleState
    modules: Known
    parameters: tuple[decls.TypeParameter, ...] = ()
    _found: dict[tuple[str, str], Found | None] = field(default_factory=dict, compare=False, repr=False)

    def inside(self, data: decls.Data) -> Scope:
        """The scope inside a data declaration."""
        return Scope(self.module, self.modules, (*self.parameters, *data.type_parameters))

    def resolve(self, ref: types.Ref) -> Found | None:
        """What the reference means; a bare name means a declaration of the own module only when nothing else has it."""
        key = ref.module, ref.name
        if key not in self._found:
            self._found[key] = self._qualified(ref) if ref.module else self._bare(ref.name) or self.own(ref.name)
        return self._found[key]

    def written(self, ref: types.Ref) -> Found | None:
        """What the reference means as it stands: a bare name means no declaration of the own module."""
        return self._qualified(ref) if ref.module else self._bare(ref.name)

    def own(self, name: str) -> Found | None:
        """A declaration of the own module."""
        decl = self.module.decl(name)
        return Found(decl, self.module.name) if decl else None

    def settled(self, ref: types.Ref) -> bool:
        """Whether `qualify` leaves the reference as it is, whatever is declared."""
        return bool(ref.module) and ref.module not in _builtin_names()

    def qualify(self, ref: types.Ref, builtins: bool) -> types.Ref:
        """The reference with its module filled in; `builtins` says whether bare names of builtin get theirs too."""
        found = self.resolve(ref)
        if found is None or not found.module or found.module == ref.module:
            return ref
        if not ref.module and found.module == builtin.NAME != self.module.name and not builtins:
            return ref
        return types.Ref(found.module, ref.name, ref.type_parameters, pos=ref.pos)

    def verb(self, ref: types.Ref) -> decls.Verb | None:
        """The verb a reference means."""
        found = self.resolve(ref)
        return found.node if found and isinstance(found.node, decls.Verb) else None

    def _bare(self, name: str) -> Found | None:
        if parameter := next((p for p in reversed(self.parameters) if p.name == name), None):
            return Found(parameter)
        if module := self.modules.get(name):
            return Found(module.node)
        if name == builtin.NAME:
            return Found(builtin_with_positions())
        if decl := builtin_with_positions().decl(name):
            return Found(decl, builtin.NAME)
        primitive = types.PRIMITIVES.get(name)
        return Found(primitive()) if primitive else None

    def _qualified(self, ref: types.Ref) -> Found | None:
        module = self.modules.get(ref.module)
        if module and (decl := module.decl(ref.name)):
            return Found(decl, ref.module)
        known = builtin_with_positions()
        if ref.module == builtin.NAME or known.decl(ref.module):
            decl = known.decl(ref.name)
            return Found(decl, builtin.NAME) if decl else None
        return None


def without_aliases(type_: types.Type, scope: Scope) -> types.Type:
    """The type behind type aliases; of a loop of aliases, the alias where it closes."""
    seen: set[types.RefKey] = set()
    while isinstance(type_, types.Ref) and type_.key not in seen:
        seen.add(type_.key)
        found = scope.resolve(type_)
        if not found or not isinstance(found.node, decls.TypeAlias):
            break
        type_ = found.node.type
    return type_
