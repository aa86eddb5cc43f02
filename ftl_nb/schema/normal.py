"""The canonical order of a module: what validation sorts and adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from operator import is_
from typing import Any

from ftl_nb.schema.nodes import decls, metadata, types
from ftl_nb.schema.nodes.base import Node

_DECL_ORDER = {cls: index for index, cls in enumerate(decls.DECL_KINDS)}
_METADATA_ORDER = {cls: index for index, cls in enumerate(metadata.VERB_METADATA_ORDER)}
_LISTS: dict[type[Node], str] = {
    metadata.MetadataCalls: "calls",
    metadata.MetadataConfig: "config",
    metadata.MetadataSecrets: "secrets",
    metadata.MetadataDatabases: "uses",
    metadata.MetadataPublisher: "topics",
}


def sorted_decls(found: Iterable[decls.Decl]) -> tuple[decls.Decl, ...]:
    """Declarations by kind, then name."""
    return tuple(sorted(found, key=lambda decl: (_DECL_ORDER[type(decl)], decl.name)))


def sorted_verb(verb: decls.Verb) -> decls.Verb:
    """The verb with its metadata in order. Their lists are sorted too, but a single metadata keeps its list: in the
    public system the lists are sorted while metadata are compared."""
    if len(verb.metadata) < 2:
        return verb
    items = sorted(map(_sorted_list, verb.metadata), key=lambda item: _METADATA_ORDER[type(item)])
    return verb if all(map(is_, items, verb.metadata)) else replace(verb, metadata=tuple(items))


def _sorted_list(item: metadata.Metadata) -> metadata.Metadata:
    if isinstance(item, metadata.MetadataEgress):
        targets = tuple(sorted(item.targets))
        return item if targets == item.targets else replace(item, targets=targets)
    if (name := _LISTS.get(type(item))) is None:
        return item
    refs: tuple[types.Ref, ...] = getattr(item, name)
    if len(refs) < 2:
        return item
    changes: dict[str, Any] = {name: tuple(sorted(refs, key=lambda ref: (ref.module, ref.name)))}
    return replace(item, **changes)


def dead_letter_name(verb: decls.Verb) -> str:
    """The name of the topic for events a subscriber could not take; empty when it has none."""
    wanted = any(isinstance(item, metadata.MetadataSubscriber) and item.dead_letter for item in verb.metadata)
    return f"{verb.name}Failed" if wanted else ""


def dead_letter_event(verb: decls.Verb) -> types.Ref:
    """The event of that topic."""
    return types.Ref("builtin", "FailedEvent", (verb.request,))


def missing_dead_letters(module: decls.Module) -> tuple[decls.Topic, ...]:
    """The dead letter topics no declaration has the name of. They have no position."""
    wanted = {dead_letter_name(verb): verb for verb in module.decls if isinstance(verb, decls.Verb)}
    missing = (name for name in wanted if name and module.decl(name) is None)
    return tuple(decls.Topic(name, dead_letter_event(wanted[name])) for name in missing)


def publishing_dead_letters(module: str, verb: decls.Verb) -> decls.Verb:
    """The verb with its dead letter topic among the topics it publishes to."""
    if not (name := dead_letter_name(verb)):
        return verb
    topic = types.Ref(module, name)
    for index, item in enumerate(verb.metadata):
        if isinstance(item, metadata.MetadataPublisher):
            if topic in item.topics:
                return verb
            longer = replace(item, topics=(*item.topics, topic))
            return replace(verb, metadata=(*verb.metadata[:index], longer, *verb.metadata[index + 1 :]))
    return replace(verb, metadata=(*verb.metadata, metadata.MetadataPublisher((topic,))))
