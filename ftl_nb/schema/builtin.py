"""The module `builtin`: the types every realm has."""

from functools import cache

from ftl_nb.schema.nodes.base import Visibility
from ftl_nb.schema.nodes.decls import Data, Field, Module, Realm, Schema, TypeParameter
from ftl_nb.schema.nodes.types import Array, Int, Map, Optional, Ref, String, Type

NAME = "builtin"
# The comments are part of the printed schema, and so of its digest: they are the public system's own bytes.
_HEADERS = Map(String(), Array(String()))


@cache
def builtin_module() -> Module:
    """The builtin module: Ref, HttpRequest, HttpResponse, Empty, CatchRequest, FailedEvent."""
    decls = (_ref(), _http_request(), _http_response(), _data("Empty"), _catch_request(), _failed_event())
    return Module(NAME, decls, comments=("Built-in types for FTL.",), builtin=True)


def with_builtins(schema: Schema) -> Schema:
    """The schema with the builtin module first in every internal realm that has none."""
    return Schema(tuple(_with_builtin(realm) for realm in schema.realms), pos=schema.pos)


def _with_builtin(realm: Realm) -> Realm:
    if realm.external or realm.module(NAME):
        return realm
    return Realm(realm.name, (builtin_module(), *realm.modules), pos=realm.pos)


def _ref() -> Data:
    comment = "A reference to a declaration in the schema."
    return _data("Ref", comment, module=String(), name=String())


def _http_request() -> Data:
    return _data(
        "HttpRequest",
        "HTTP request structure used for HTTP ingress verbs.",
        ("Body", "Path", "Query"),
        method=String(),
        path=String(),
        pathParameters=Ref("", "Path"),
        query=Ref("", "Query"),
        headers=_HEADERS,
        body=Ref("", "Body"),
    )


def _http_response() -> Data:
    body = Field("body", Optional(Ref("", "Body")), comments=('Either "body" or "error" must be present, not both.',))
    fields = Field("status", Int()), Field("headers", _HEADERS), body, Field("error", Optional(Ref("", "Error")))
    return Data(
        "HttpResponse",
        fields,
        (TypeParameter("Body"), TypeParameter("Error")),
        Visibility.MODULE,
        comments=("HTTP response structure used for HTTP ingress verbs.",),
    )


def _catch_request() -> Data:
    return _data(
        "CatchRequest",
        "CatchRequest is a request structure for catch verbs.",
        ("Req",),
        verb=Ref(NAME, "Ref"),
        request=Ref("", "Req"),
        requestType=String(),
        error=String(),
    )


def _failed_event() -> Data:
    comment = "FailedEvent is used in dead letter topics."
    return _data("FailedEvent", comment, ("Event",), event=Ref("", "Event"), error=String())


def _data(_name: str, _comment: str = "", _parameters: tuple[str, ...] = (), **fields: Type) -> Data:
    return Data(
        _name,
        tuple(Field(name, type_) for name, type_ in fields.items()),
        tuple(map(TypeParameter, _parameters)),
        Visibility.MODULE,
        comments=(_comment,) if _comment else (),
    )
