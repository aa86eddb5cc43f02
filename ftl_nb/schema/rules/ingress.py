"""Rules on the types of HTTP ingress: request and response, body, path and query parameters."""

from __future__ import annotations

from collections.abc import Iterator

from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes import metadata as meta
from ftl_nb.schema.nodes.base import Node, Position
from ftl_nb.schema.rules.base import Context, Found, Rule
from ftl_nb.schema.rules.http import Miscounted, Side, Unknown, argument, arguments, given, of_request, plain, sides

_BODIES = (
    types.Bytes,
    types.String,
    decls.Data,
    types.Unit,
    types.Float,
    types.Int,
    types.Bool,
    types.Map,
    types.Array,
)
_SCALARS = (types.String, types.Int, types.Bool, types.Float)
_BODY_WORDS = "must have a body of bytes, string, data structure, unit, float, int, bool, map, or array not"


def _kind(side: Side, context: Context) -> Found:
    try:
        if given(side, context.scope) is None:
            yield f"{side.says} must be builtin.{side.builtin}", side.type.pos
    except (Unknown, Miscounted):
        return  # R048 and R049 say so


def _is_request(item: meta.MetadataIngress, context: Context) -> Found:
    for side in sides(item, context)[:1]:
        yield from _kind(side, context)


def _is_response(item: meta.MetadataIngress, context: Context) -> Found:
    for side in sides(item, context)[1:]:
        yield from _kind(side, context)


def _known(item: meta.MetadataIngress, context: Context) -> Found:
    return _failing(item, context, Unknown)


def _counted(item: meta.MetadataIngress, context: Context) -> Found:
    return _failing(item, context, Miscounted)


def _failing(item: meta.MetadataIngress, context: Context, kind: type[Exception]) -> Found:
    for side in sides(item, context):
        try:
            given(side, context.scope)
        except (Unknown, Miscounted) as error:
            if isinstance(error, kind):
                yield f"{side.says}: {error}", side.type.pos


def _known_arguments(item: meta.MetadataIngress, context: Context) -> Found:
    for found in arguments(item, context):
        if found.node is None:
            side = found.side
            what = f"couldn't resolve {side.word} body type {found.type}"
            yield f"ingress verb {side.verb.name}: {what}", side.type.pos


# Bodies


def _get_body(item: meta.MetadataIngress, context: Context) -> Found:
    body = of_request("body", item, context)
    if body and item.method == "GET" and not isinstance(body.node, types.Unit):
        what = f"GET request type {body.side.type} must have a body of unit not {body.node}"
        yield f"ingress verb {body.side.verb.name}: {what}", body.side.type.pos


def _bodies(item: meta.MetadataIngress, context: Context) -> Iterator[tuple[Side, Node]]:
    """The sides whose bodies are to be looked at, and what each body is behind aliases."""
    for side in sides(item, context):
        body = argument(side, "body", context)
        is_of_get = side.word == "request" and item.method == "GET"
        node = plain(body.node, context.scope) if body and body.node and not is_of_get else None
        if node is not None:
            yield side, node


def _body_type(item: meta.MetadataIngress, context: Context) -> Found:
    for side, node in _bodies(item, context):
        if not isinstance(node, (*_BODIES, decls.Enum)):
            yield f"{side.says} {_BODY_WORDS} {node}", side.type.pos


def _body_enum(item: meta.MetadataIngress, context: Context) -> Found:
    for side, node in _bodies(item, context):
        if isinstance(node, decls.Enum) and node.type is not None:
            yield f"{side.says} {_BODY_WORDS} enum {node.name}", side.type.pos


# Path and query arguments


def _behind(field: str, item: meta.MetadataIngress, context: Context) -> Iterator[tuple[Node, str, Position]]:
    """The argument behind aliases, how a message on it begins, and where that stands."""
    found = of_request(field, item, context)
    node = plain(found.node, context.scope) if found and found.node else None
    if found and node is not None:
        yield node, found.side.says, found.side.type.pos


def _path_map(item: meta.MetadataIngress, context: Context) -> Found:
    for node, says, pos in _behind("pathParameters", item, context):
        if isinstance(node, types.Map) and not isinstance(node.value, types.String):
            yield f"{says} path params can only support maps of strings, not {node}", pos


def _path_type(item: meta.MetadataIngress, context: Context) -> Found:
    for node, says, pos in _behind("pathParameters", item, context):
        if not isinstance(node, (*_SCALARS, decls.Data, types.Unit, types.Map)):
            yield f"{says} must have a param of data structure, unit or map not {node}", pos


def _query_map(item: meta.MetadataIngress, context: Context) -> Found:
    for node, says, pos in _behind("query", item, context):
        if isinstance(node, types.Map) and not isinstance(node.value, types.String | types.Array):
            yield f"{says} query params can only support maps of strings or string arrays, not {node}", pos


def _query_arrays(item: meta.MetadataIngress, context: Context) -> Found:
    for node, says, pos in _behind("query", item, context):
        arrays = isinstance(node, types.Map) and isinstance(node.value, types.Array)
        if isinstance(node, types.Map) and arrays and node.value != types.Array(types.String()):
            words = "query params can only support maps of strings or string arrays, or data types not"
            yield f"{says} {words} {node}", pos


def _query_type(item: meta.MetadataIngress, context: Context) -> Found:
    for node, says, pos in _behind("query", item, context):
        if not isinstance(node, decls.Data | types.Unit | types.Map):
            yield f"{says} must have a param of data structure, unit or map not {node}", pos


_INGRESS = (meta.MetadataIngress,)
ITEM_RULES = (
    Rule("R046", "An ingress verb takes a builtin.HttpRequest.", _INGRESS, _is_request),
    Rule("R047", "An ingress verb gives a builtin.HttpResponse.", _INGRESS, _is_response),
    Rule("R048", "The request and response of an ingress verb are known.", _INGRESS, _known),
    Rule("R049", "The HTTP types get their type arguments.", _INGRESS, _counted),
    Rule("R050", "The type arguments of the HTTP types are known.", _INGRESS, _known_arguments),
    Rule("R051", "A GET has no body.", _INGRESS, _get_body),
    Rule("R052", "A body is of a type that HTTP can carry.", _INGRESS, _body_type),
    Rule("R053", "A body is no value enum.", _INGRESS, _body_enum),
    Rule("R054", "A map of path parameters holds texts.", _INGRESS, _path_map),
    Rule("R055", "Path parameters are a data, a scalar, a map or nothing.", _INGRESS, _path_type),
    Rule("R056", "A map of query parameters holds texts or arrays.", _INGRESS, _query_map),
    Rule("R057", "Arrays of query parameters hold texts.", _INGRESS, _query_arrays),
    Rule("R058", "Query parameters are a data, a map or nothing.", _INGRESS, _query_type),
)
