"""What an ingress verb's request and response are: the builtin HTTP types, and what stands for their parameters.

In the public system these are looked at while a module knows only itself: an argument that another module declares is
left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ftl_nb.schema import builtin
from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes import metadata as meta
from ftl_nb.schema.nodes.base import Node
from ftl_nb.schema.rules.base import Context
from ftl_nb.schema.scope import Scope

WEBSOCKET = "websocket"


class Unknown(Exception):
    """A type that names nothing."""


class Miscounted(Exception):
    """Another number of type arguments than the HTTP type has parameters."""


@dataclass(frozen=True, slots=True)
class Side:
    """The request or the response of an ingress verb, and the builtin data it has to be."""

    verb: decls.Verb
    word: str
    type: types.Type
    builtin: str

    @property
    def says(self) -> str:
        """How a message on it begins."""
        return f"ingress verb {self.verb.name}: {self.word} type {self.type}"


@dataclass(frozen=True, slots=True)
class Argument:
    """The type given for `body`, `pathParameters` or `query`, and what it means, None when that is not known."""

    side: Side
    type: types.Type
    node: Node | None


def sides(item: meta.MetadataIngress, context: Context) -> tuple[Side, ...]:
    """Request and response. A WebSocket has streams instead, with rules of their own."""
    verb = context.decl
    if not isinstance(verb, decls.Verb) or item.type == WEBSOCKET:
        return ()
    return (
        Side(verb, "request", verb.request, "HttpRequest"),
        Side(verb, "response", verb.response, "HttpResponse"),
    )


def given(side: Side, scope: Scope) -> Mapping[str, types.Type] | None:
    """The type argument of each field that has a parameter's type; None when the side is not the HTTP type.

    Raises:
        Unknown: a reference names nothing.
        Miscounted: another number of type arguments.
    """
    type_, seen = side.type, set[types.RefKey]()
    while isinstance(type_, types.Ref) and type_.key not in seen:
        seen.add(type_.key)
        found = scope.written(type_)
        if found is None:
            raise Unknown(f"unknown reference {type_}")
        if not isinstance(found.node, decls.TypeAlias):
            is_http = isinstance(found.node, decls.Data) and (found.module, type_.name) == (builtin.NAME, side.builtin)
            return _arguments(found.node, type_) if is_http and isinstance(found.node, decls.Data) else None
        type_ = found.node.type
    return None


def _arguments(data: decls.Data, ref: types.Ref) -> Mapping[str, types.Type]:
    names = [parameter.name for parameter in data.type_parameters]
    if len(names) != len(ref.type_parameters):
        raise Miscounted(f"{ref.pos}: expected {len(names)} type arguments, got {len(ref.type_parameters)}")
    found = dict(zip(names, ref.type_parameters, strict=True))
    bare = ((field.name, _bare(field.type)) for field in data.fields)
    return {field: found[name] for field, name in bare if name in found}


def _bare(type_: types.Type) -> str:
    type_ = type_.type if isinstance(type_, types.Optional) else type_
    return type_.name if isinstance(type_, types.Ref) and not type_.module else ""


def argument(side: Side, field: str, context: Context) -> Argument | None:
    """None where there is nothing to look at: the side is wrong, or another module declares the argument."""
    try:
        found = given(side, context.scope)
    except (Unknown, Miscounted):
        return None  # R048 and R049 say so
    if found is None:
        return None
    type_ = found[field]
    if isinstance(type_, types.Ref) and type_.module not in ("", context.module.name):
        return None
    return Argument(side, type_, meaning(type_, context.scope))


def arguments(item: meta.MetadataIngress, context: Context) -> Iterator[Argument]:
    """Every argument there is to look at: those of the request, then the body of the response."""
    for side in sides(item, context):
        for field in ("body", "pathParameters", "query") if side.word == "request" else ("body",):
            if found := argument(side, field, context):
                yield found


def of_request(field: str, item: meta.MetadataIngress, context: Context) -> Argument | None:
    """An argument of the request whose meaning is known."""
    both = sides(item, context)
    found = argument(both[0], field, context) if both else None
    return found if found and found.node else None


def meaning(type_: types.Type, scope: Scope) -> Node | None:
    """What a type means. A primitive is the scope's own, which stands nowhere."""
    if isinstance(type_, types.Ref):
        found = scope.written(type_)
        return found.node if found else None
    primitive = types.PRIMITIVES.get(type(type_).__name__)
    return primitive() if primitive else type_


def plain(node: Node, scope: Scope) -> Node | None:
    """What an alias stands for; None when it stands for a type of a host language."""
    seen: set[int] = set()
    while isinstance(node, decls.TypeAlias) and id(node) not in seen:
        seen.add(id(node))
        if any(isinstance(item, meta.MetadataTypeMap) for item in node.metadata):
            return None
        node = meaning(node.type, scope) or node.type
    return node
