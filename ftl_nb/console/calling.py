"""Verbs called with JSON, by people: `%ftl call`, `ftl-nb call`, `Cluster.call`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ftl_nb.errors import FtlError, fail
from ftl_nb.schema.names import camel

if TYPE_CHECKING:
    from ftl_nb.binding.verbs import Verb
    from ftl_nb.client import Session
    from ftl_nb.schema import Schema, Type
    from ftl_nb.schema import Verb as Decl


def call_json(session: Session, system: Schema, verb: str, body: bytes, timeout: float | None) -> bytes:
    """The JSON answer; a stream is an array of its values, on either side. Raises FtlError.

    Keys that the request does not have are refused: nobody else sees a typing error.
    """
    from ftl_nb.binding.dispatch import CallOptions
    from ftl_nb.schema import Stream
    from ftl_nb.schema import Verb as Decl

    module, _, name = verb.partition(".")
    given = _parsed(body)
    if not name:
        raise fail("usage", detail=f"{verb!r} is not MODULE.VERB", hint_text="write shop.checkout")
    name, options = camel(name), CallOptions(timeout=timeout)
    owner = session.module(module)
    decl = owner.decl(name) if owner else None
    if owner is None or not isinstance(decl, Decl):
        # What is no verb here is left to the call to refuse.
        return session.call(module, name, body, options)
    ref = f"{module}.{name}"
    if not isinstance(decl.request, Stream) and not isinstance(decl.response, Stream):
        return session.call(module, name, _checked(system, ref, decl.request, body), options)
    from ftl_nb.binding.finder import verb_of

    made = verb_of(owner, decl)
    answer = session.stream(made, _request(system, decl, made, given), options)
    return _answer(decl, made, answer)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as e:
        raise fail("json-syntax", detail=str(e)) from None


def _checked(system: Schema, verb: str, asked: Type, value: bytes | Any) -> bytes:
    """The JSON in the form that verbs decode."""
    from ftl_nb.schema import check_json
    from ftl_nb.schema.json import JsonError

    try:
        return json.dumps(check_json(system, asked, value, partial=True)).encode()
    except JsonError as e:
        raise _invalid(e, verb, asked) from None


def _invalid(error: Exception, verb: str, asked: Type) -> FtlError:
    return fail("json-invalid", detail=str(error).replace("\n", "; "), verb=verb, type=str(asked))


def _decoded(decode: Callable[[bytes], Any], body: bytes, verb: str, asked: Type) -> Any:
    from ftl_nb.schema.json import JsonError

    try:
        return decode(body)
    except JsonError as e:
        raise _invalid(e, verb, asked) from None


def _request(system: Schema, decl: Decl, verb: Verb, given: Any) -> Any:
    from ftl_nb.binding.signature import NOTHING
    from ftl_nb.schema import Stream, Unit

    if isinstance(decl.request, Unit):
        return NOTHING
    if not isinstance(decl.request, Stream):
        checked = _checked(system, verb.ref, decl.request, given)
        return _decoded(verb.request_codec.decode, checked, verb.ref, decl.request)
    if not isinstance(given, list):
        raise fail("json-invalid", detail="expected an array", verb=verb.ref, type=str(decl.request))
    return _values(system, verb, decl.request.element, given)


def _values(system: Schema, verb: Verb, asked: Type, given: list[Any]) -> Iterator[Any]:
    from ftl_nb.binding.resources import externals
    from ftl_nb.binding.streams import element
    from ftl_nb.schema.json import codec

    decode = codec(element(verb.signature.request), externals()).decode
    bodies = (_checked(system, verb.ref, asked, value) for value in given)
    return (_decoded(decode, body, verb.ref, asked) for body in bodies)


def _answer(decl: Decl, verb: Verb, answer: Any) -> bytes:
    from ftl_nb.binding.resources import externals
    from ftl_nb.binding.streams import element
    from ftl_nb.schema import Stream
    from ftl_nb.schema.json import codec

    if not isinstance(decl.response, Stream):
        return verb.response_codec.encode(answer)
    encode = codec(element(verb.signature.response), externals()).encode
    return b"[%s]" % b",".join(map(encode, answer))
