"""Rules on the paths of HTTP ingress: what their parameters go into, and that no two verbs share one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ftl_nb.schema.errors import Problem
from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes import metadata as meta
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules.base import Context, Found, Rule
from ftl_nb.schema.rules.http import Argument, of_request

_SCALARS = (types.String, types.Int, types.Bool, types.Float)


def _parameters(item: meta.MetadataIngress) -> list[meta.IngressPathParameter]:
    return [part for part in item.path if isinstance(part, meta.IngressPathParameter)]


def _each_parameter(
    item: meta.MetadataIngress, context: Context, fault: Callable[[Argument, meta.IngressPathParameter], str]
) -> Found:
    if argument := of_request("pathParameters", item, context):
        for part in _parameters(item):
            if message := fault(argument, part):
                yield f"ingress verb {context.decl.name}: {message}", part.pos


def _path_field(item: meta.MetadataIngress, context: Context) -> Found:
    def fault(argument: Argument, part: meta.IngressPathParameter) -> str:
        data = argument.node
        if not isinstance(data, decls.Data) or any(field.name == part.name for field in data.fields):
            return ""
        lacks = f"does not contain a field corresponding to the parameter {quote(part.name)}"
        return f"request pathParameter type {argument.type} {lacks}"

    return _each_parameter(item, context, fault)


def _path_key(item: meta.MetadataIngress, context: Context) -> Found:
    def fault(argument: Argument, part: meta.IngressPathParameter) -> str:
        if not isinstance(argument.node, types.Map) or isinstance(argument.node.key, types.String):
            return ""
        lacks = f"does not contain a field corresponding to the parameter {quote(part.name)}"
        return f"request pathParameter map key time type String {lacks}"

    return _each_parameter(item, context, fault)


def _path_scalar(item: meta.MetadataIngress, context: Context) -> Found:
    several = len(_parameters(item)) > 1

    def fault(argument: Argument, part: meta.IngressPathParameter) -> str:
        if not several or not isinstance(argument.node, _SCALARS):
            return ""
        what = f"cannot use path parameter {quote(part.name)} with request type {argument.type}"
        return f"{what} as it has multiple path parameters, expected Data or Map type"

    return _each_parameter(item, context, fault)


def _path_other(item: meta.MetadataIngress, context: Context) -> Found:
    def fault(argument: Argument, part: meta.IngressPathParameter) -> str:
        if isinstance(argument.node, (decls.Data, types.Map, *_SCALARS)):
            return ""
        what = f"cannot use path parameter {quote(part.name)} with request type {argument.type}"
        return f"{what}, expected Data or Map type"

    return _each_parameter(item, context, fault)


def _unused_argument(item: meta.MetadataIngress, context: Context) -> Found:
    argument = of_request("pathParameters", item, context)
    node = argument.node if argument and not _parameters(item) else None
    if argument and node and not isinstance(node, types.Unit | types.Map):
        what = f"cannot use path parameter type {argument.type}, expected Unit or Map"
        yield f"ingress verb {context.decl.name}: {what} as ingress has no path parameters", node.pos


def duplicates(modules: Iterable[decls.Module]) -> Iterator[Problem]:
    """R064: two verbs of a realm with one method and path; each further one is told of the one before it."""
    before: dict[str, decls.Verb] = {}
    for verb in (decl for module in modules for decl in module.decls if isinstance(decl, decls.Verb)):
        for item in verb.metadata:
            if not isinstance(item, meta.MetadataIngress):
                continue
            key = route(item)
            if first := before.get(key):
                where = f"{first.pos}:{quote(first.name)} and {verb.pos}:{quote(verb.name)}"
                yield Problem(f"duplicate {item.type} ingress {key} for {where}", item.pos, "R064")
            before[key] = verb


def route(item: meta.MetadataIngress) -> str:
    """Method and path, with `{}` for every parameter."""
    parts = (part.text if isinstance(part, meta.IngressPathLiteral) else "{}" for part in item.path)
    return f"{item.method} " + "".join(f"/{part}" for part in parts)


_INGRESS = (meta.MetadataIngress,)
ITEM_RULES = (
    Rule("R059", "A path parameter is a field of the data.", _INGRESS, _path_field),
    Rule("R060", "A path parameter is a text key of the map.", _INGRESS, _path_key),
    Rule("R061", "A scalar stands for one path parameter.", _INGRESS, _path_scalar),
    Rule("R062", "A path with parameters has something to put them in.", _INGRESS, _path_other),
    Rule("R063", "A path without parameters has nothing to put in.", _INGRESS, _unused_argument),
)
