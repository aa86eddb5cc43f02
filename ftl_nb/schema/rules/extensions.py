"""Rules on what this project adds to the language. Their numbers begin with an X."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ftl_nb.schema.errors import Problem
from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes import metadata as meta
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules.base import Context, Found, Rule
from ftl_nb.schema.rules.http import WEBSOCKET

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


def _stream_place(stream: types.Stream, context: Context) -> Found:
    verb = context.decl
    if not (isinstance(verb, decls.Verb) and (stream is verb.request or stream is verb.response)):
        yield "a stream can only be the request or the response of a verb", stream.pos


def _streams(item: meta.MetadataIngress, context: Context) -> Found:
    verb = context.decl
    sides = (verb.request, verb.response) if isinstance(verb, decls.Verb) else ()
    if item.type == WEBSOCKET and not any(isinstance(side, types.Stream) for side in sides):
        yield f"ingress verb {verb.name}: a websocket needs a stream as request or response", item.pos


def _header_names(item: meta.MetadataHeaders, context: Context) -> Found:
    return ((f"header name {quote(name)} is invalid", item.pos) for name in _bad_names(item))


def _header_place(decl: decls.Data | decls.Topic, context: Context) -> Found:
    for item in decl.metadata:
        if isinstance(item, meta.MetadataHeaders):
            yield f"metadata {quote(str(item))} is only valid on realms, modules and verbs", item.pos


def _bad_names(item: meta.MetadataHeaders) -> Iterator[str]:
    return (name for name in (*item.request, *item.response) if not _HEADER.match(name))


def headers(place: str, items: Iterable[meta.Metadata]) -> Iterator[Problem]:
    """X003 and X005 for the metadata of a module or realm."""
    found = [item for item in items if isinstance(item, meta.MetadataHeaders)]
    for item in found:
        yield from (Problem(f"header name {quote(name)} is invalid", item.pos, "X003") for name in _bad_names(item))
    for item in found[1:]:
        yield Problem(f"{place} can not have multiple instances of headers", item.pos, "X005")


RULES = (
    Rule("X001", "A stream is a verb's whole request or response.", (types.Stream,), _stream_place),
    Rule("X004", "Headers stand on realms, modules and verbs.", (decls.Data, decls.Topic), _header_place),
)
ITEM_RULES = (
    Rule("X002", "A WebSocket carries a stream.", (meta.MetadataIngress,), _streams),
    Rule("X003", "A header's name is a token of HTTP.", (meta.MetadataHeaders,), _header_names),
)
