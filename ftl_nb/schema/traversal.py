"""Walking and rebuilding trees of nodes, in the order of the public system."""

from collections.abc import Callable, Iterator, Sequence
from operator import is_
from typing import Any, TypeVar, cast

from ftl_nb.schema.nodes import decls, metadata, types
from ftl_nb.schema.nodes.base import Node, replaced

_N = TypeVar("_N", bound=Node)

# Children in walking order; classes not listed have none. Module metadata is not walked.
_CHILDREN: dict[type[Node], tuple[str, ...]] = {
    decls.Schema: ("realms",),
    decls.Realm: ("modules",),
    decls.Module: ("decls",),
    decls.Data: ("type_parameters", "fields", "metadata"),
    decls.Field: ("type", "metadata"),
    decls.Enum: ("variants", "type"),
    decls.EnumVariant: ("value",),
    decls.TypeAlias: ("metadata", "type"),
    decls.Topic: ("metadata", "event"),
    decls.Verb: ("request", "response", "metadata"),
    decls.Database: ("metadata",),
    decls.Config: ("type",),
    decls.Secret: ("type",),
    types.Array: ("element",),
    types.Optional: ("type",),
    types.Stream: ("element",),
    types.Map: ("key", "value"),
    types.Ref: ("type_parameters",),
    types.TypeValue: ("value",),
    metadata.MetadataCalls: ("calls",),
    metadata.MetadataConfig: ("config",),
    metadata.MetadataSecrets: ("secrets",),
    metadata.MetadataDatabases: ("uses",),
    metadata.MetadataPublisher: ("topics",),
    metadata.MetadataIngress: ("path",),
    metadata.MetadataRetry: ("catch",),
    metadata.MetadataSubscriber: ("topic",),
}


LEAVES = frozenset(cls for cls in (*types.PRIMITIVES.values(), *metadata.VERB_METADATA_ORDER) if cls not in _CHILDREN)
"""Classes of types and metadata that have nothing below them."""


def children(node: Node) -> Sequence[Node]:
    """The nodes directly below, in walking order."""
    names = _CHILDREN.get(node.__class__)
    if names is None:
        return ()
    found: list[Node] = []
    for name in names:
        value = getattr(node, name)
        if value.__class__ is tuple:
            found += value
        elif value is not None:
            found.append(value)
    return found


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack += children(current)[::-1]


def visit(node: Node, enter: Callable[[Node, Callable[[], None]], None]) -> None:
    """Call `enter(node, descend)`; the visitor calls `descend()` where (and if) the children are to be visited."""

    def descend() -> None:
        for child in children(node):
            visit(child, enter)

    enter(node, descend)


def transform(node: _N, change: Callable[[Node], Node]) -> _N:
    """The tree rebuilt, children first, with `change` applied to every node; unchanged parts are shared."""
    updates: dict[str, Any] = {}
    for name in _CHILDREN.get(node.__class__, ()):
        old = getattr(node, name)
        if old.__class__ is tuple:
            new = tuple([transform(item, change) for item in old])
            if not all(map(is_, new, old)):
                updates[name] = new
        elif old is not None and (other := transform(old, change)) is not old:
            updates[name] = other
    return cast("_N", change(replaced(node, updates) if updates else node))


def refs(node: Node) -> Iterator[types.Ref]:
    """Every reference at or below the node, metadata included."""
    return (found for found in walk(node) if found.__class__ is types.Ref)
