"""What types are made of: references to declarations with their type arguments filled in, aliases followed."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias as Alias
from typing import TypeVar

from ftl_nb.schema import builtin
from ftl_nb.schema.edges import instantiate
from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes.base import Node
from ftl_nb.schema.traversal import transform

_N = TypeVar("_N", bound=Node)
Named: Alias = decls.Data | decls.Enum | decls.TypeAlias
Concrete: Alias = (
    types.Int
    | types.Float
    | types.String
    | types.Bytes
    | types.Bool
    | types.Time
    | types.Any
    | types.Unit
    | types.Array
    | types.Map
    | types.Optional
    | decls.Data
    | decls.Enum
)
"""A type that is no reference and no alias."""


class ConcreteTypes:
    """The types of one schema. References in what comes out are qualified; each is resolved once."""

    def __init__(self, schema: decls.Schema) -> None:
        self._schema = schema
        self._named: dict[types.Ref, Named] = {}

    def named(self, ref: types.Ref) -> Named:
        """The declaration that a reference means, without type parameters.

        Raises:
            SchemaError: it means nothing, no type, or has another number of arguments than the data has parameters.
        """
        found = self._named.get(ref)
        if found is None:
            found = self._named[ref] = self._resolved(ref)
        return found

    def concrete(self, type_: types.Type) -> Concrete:
        """The type behind references and aliases. Raises SchemaError, for an alias of itself and for a stream too."""
        seen: set[Node] = set()
        while isinstance(type_, types.Ref | decls.TypeAlias):
            if type_ in seen:
                raise SchemaError(Problem(f"{type_} is an alias of itself", type_.pos))
            seen.add(type_)
            type_ = self.named(type_) if isinstance(type_, types.Ref) else type_.type
        if isinstance(type_, types.Stream):
            raise SchemaError(Problem(f"{type_} is no type of a value", type_.pos))
        return type_

    def literal(self, enum: decls.Enum) -> types.String | types.Int:
        """The type of a value enum's variants."""
        of = types.Unit() if enum.type is None else self.concrete(enum.type)
        if not isinstance(of, types.String | types.Int):
            raise SchemaError(Problem(f"the variants of {enum.name} are neither String nor Int", enum.pos))
        return of

    def _resolved(self, ref: types.Ref) -> Named:
        decl = self._schema.resolve(ref) or (builtin.builtin_module().decl(ref.name) if _of_builtin(ref) else None)
        if decl is None:
            raise SchemaError(Problem(f"unknown ref {ref}", ref.pos))
        if not isinstance(decl, decls.Data | decls.Enum | decls.TypeAlias):
            raise SchemaError(Problem(f"expected a type, {ref} is a {decls.DECL_KINDS[type(decl)]}", ref.pos))
        module = builtin.NAME if _of_builtin(ref) else ref.module
        if isinstance(decl, decls.Data):
            return self._instantiated(decl, module, ref)
        if ref.type_parameters:
            raise SchemaError(Problem(f"expected 0 type arguments, got {len(ref.type_parameters)}", ref.pos))
        return _qualified(decl, module)

    def _instantiated(self, data: decls.Data, module: str, ref: types.Ref) -> decls.Data:
        """Names of the data's own module are qualified before the arguments come in, which are so already."""
        names = frozenset(parameter.name for parameter in data.type_parameters)
        return instantiate(_qualified(replace(data, metadata=()), module, names), ref.type_parameters)


def _of_builtin(ref: types.Ref) -> bool:
    """A bare name can only be one of builtin here: those of a module are qualified with it."""
    return ref.module in ("", builtin.NAME)


def _qualified(decl: _N, module: str, parameters: frozenset[str] = frozenset()) -> _N:
    known = builtin.builtin_module()

    def qualify(node: Node) -> Node:
        if not isinstance(node, types.Ref) or node.module or node.name in parameters:
            return node
        return replace(node, module=builtin.NAME if known.decl(node.name) else module)

    return transform(decl, qualify)
