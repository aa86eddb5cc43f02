"""Rules on verbs: their metadata, calls, data sources and egress."""

import re
from collections.abc import Iterator

from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes import metadata as meta
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules.base import Context, Found, Rule, Stage
from ftl_nb.schema.scope import Scope

_CONFIG_PLACE = re.compile(r"\$\{(\w+)\}", re.ASCII)


def _once(item: meta.Metadata, context: Context) -> Found:
    before: list[meta.Metadata] = []
    for other in getattr(context.decl, "metadata", ()):
        if other is item:
            break
        before.append(other)
    if not isinstance(item, meta.MetadataSubscriber) and any(type(other) is type(item) for other in before):
        kind = type(item).__name__.removeprefix("Metadata").lower()
        yield f"verb can not have multiple instances of {kind}", item.pos


def _no_column(item: meta.MetadataSQLColumn, context: Context) -> Found:
    yield f"metadata {quote(str(item))} is not valid on verbs", item.pos


def _egress_config(item: meta.MetadataEgress, context: Context) -> Found:
    configs = {decl.name for decl in context.module.decls if isinstance(decl, decls.Config)}
    for target in item.targets:
        for name in _CONFIG_PLACE.findall(target):
            if name not in configs:
                yield f"egress target {quote(target)} references unknown config {quote(name)}", item.pos


def _known_call(item: meta.MetadataCalls, context: Context) -> Found:
    unknown = (ref for ref in item.calls if context.scope.resolve(ref) is None)
    return ((f"unknown call {quote(str(ref))}", ref.pos) for ref in unknown)


def _calls_verbs(item: meta.MetadataCalls, context: Context) -> Found:
    for ref in item.calls:
        found = context.scope.resolve(ref)
        if found and not isinstance(found.node, decls.Verb):
            yield f"expected verb, got *schema.{type(found.node).__name__}", ref.pos


def calls(verb: decls.Verb) -> Iterator[types.Ref]:
    """What a verb calls."""
    return (ref for item in verb.metadata if isinstance(item, meta.MetadataCalls) for ref in item.calls)


def sources(verb: decls.Verb, scope: Scope) -> set[types.RefKey]:
    """The databases a verb uses, itself or through the verbs it calls."""
    found: set[types.RefKey] = set()
    seen: set[types.RefKey] = set()
    waiting = [verb]
    while waiting:
        current = waiting.pop()
        uses = (item.uses for item in current.metadata if isinstance(item, meta.MetadataDatabases))
        found.update(ref.key for refs in uses for ref in refs)
        for ref in calls(current):
            if ref.key not in seen and (callee := scope.verb(ref)):
                seen.add(ref.key)
                waiting.append(callee)
    return found


def _has(verb: decls.Verb, cls: type) -> bool:
    return any(isinstance(item, cls) for item in verb.metadata)


def _query_source(verb: decls.Verb, context: Context) -> Found:
    if _has(verb, meta.MetadataSQLQuery) and not sources(verb, context.scope):
        yield "query verb must specify a corresponding datasource", verb.pos


def _query_sources(verb: decls.Verb, context: Context) -> Found:
    if _has(verb, meta.MetadataSQLQuery) and len(sources(verb, context.scope)) > 1:
        yield "query verbs can only access a single datasource", verb.pos


def _transaction_source(verb: decls.Verb, context: Context) -> Found:
    if _has(verb, meta.MetadataTransaction) and not sources(verb, context.scope):
        yield "transaction verbs must access a datasource", verb.pos


def _transaction_sources(verb: decls.Verb, context: Context) -> Found:
    if _has(verb, meta.MetadataTransaction) and len(sources(verb, context.scope)) > 1:
        yield "transaction verbs can only access a single datasource", verb.pos


def _nested(verb: decls.Verb, context: Context) -> Found:
    if not _has(verb, meta.MetadataTransaction):
        return
    callees = (callee for ref in calls(verb) if (callee := context.scope.verb(ref)))
    if any(_has(callee, meta.MetadataTransaction) for callee in callees):
        yield "transaction verbs cannot inject nested transactions", verb.pos


_VERB = (decls.Verb,)
RULES = (
    Rule("R026", "What a verb calls is known.", (meta.MetadataCalls,), _known_call, Stage.REALM),
    Rule("R027", "What a verb calls is a verb.", (meta.MetadataCalls,), _calls_verbs, Stage.REALM),
    Rule("R034", "A query has a database.", _VERB, _query_source, Stage.REALM),
    Rule("R035", "A query has one database.", _VERB, _query_sources, Stage.REALM),
    Rule("R083", "A transaction has a database.", _VERB, _transaction_source, Stage.REALM),
    Rule("R084", "A transaction has one database.", _VERB, _transaction_sources, Stage.REALM),
    Rule("R085", "A transaction calls no transaction.", _VERB, _nested, Stage.REALM),
)
ITEM_RULES = (
    Rule("R024", "A verb has one metadata of a kind.", meta.VERB_METADATA_ORDER, _once),
    Rule("R025", "A column does not stand on a verb.", (meta.MetadataSQLColumn,), _no_column),
    Rule("R087", "An egress target names configs of its module.", (meta.MetadataEgress,), _egress_config),
)
"""Rules on one metadata of a verb, checked in the canonical order of the verb's metadata."""
