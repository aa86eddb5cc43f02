"""The system as a graph: modules as groups, declarations as nodes, references as edges, read from the schema."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ftl_nb import schema
from ftl_nb.schema import RefKey
from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element

EdgeKind = Literal["calls", "uses", "types"]


@dataclass(frozen=True, slots=True)
class Node:
    """A declaration: `kind` is its kind word, or `sql` and `fixture` for such verbs; `text` its schema text."""

    key: RefKey
    kind: str
    signature: str = ""
    text: str = ""
    exported: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A reference; `word` says it in a sentence (`calls`, `publishes to`), `kind` is how it is drawn."""

    source: RefKey
    target: RefKey
    kind: EdgeKind
    word: str


@dataclass(frozen=True, slots=True)
class Graph(Display):
    """Nodes in the order of modules and kinds, and the edges between them."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def plain(self) -> str:
        from ftl_nb.widgets.outline import outline

        return outline(self)

    def html(self) -> Element:
        from ftl_nb.widgets.svg import page

        return page(self)

    def svg(self) -> str:
        """The drawing alone, as an SVG document that brings its style."""
        from ftl_nb.widgets.svg import drawing

        return str(drawing(self))

    def mermaid(self) -> str:
        """The graph as a mermaid flowchart."""
        from ftl_nb.widgets.mermaid import flowchart

        return flowchart(self)

    def modules(self) -> dict[str, list[Node]]:
        """The nodes by module."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            found.setdefault(node.key.module, []).append(node)
        return found


def graph(system: schema.Schema, focus: str | None = None) -> Graph:
    """The graph of a schema, or of what stands next to `focus`: a module, or `module.decl`.

    Builtin modules are not drawn. LookupError when there is nothing of that name.
    """
    decls = {
        RefKey(module.name, decl.name): decl
        for realm in system.realms
        for module in realm.modules
        if not module.builtin
        for decl in sorted(module.decls, key=_rank)
    }
    nodes = tuple(_node(key, decl) for key, decl in decls.items())
    edges = tuple(
        dict.fromkeys(
            e for key, decl in decls.items() for e in _edges(key, decl) if {e.source, e.target} <= decls.keys()
        )
    )
    whole = Graph(nodes, edges)
    return whole if focus is None else _focused(whole, focus)


def mermaid(system: schema.Schema) -> str:
    """The schema as a mermaid flowchart."""
    return graph(system).mermaid()


def _focused(whole: Graph, focus: str) -> Graph:
    centre = {node.key for node in whole.nodes if focus in (node.key.module, str(node.key))}
    if not centre:
        raise LookupError(
            f"there is no module or declaration {focus!r}; modules are {', '.join(whole.modules()) or 'none'}"
        )
    edges = tuple(edge for edge in whole.edges if edge.source in centre or edge.target in centre)
    kept = centre.union(*({edge.source, edge.target} for edge in edges))
    return Graph(tuple(node for node in whole.nodes if node.key in kept), edges)


KIND_ORDER = ("verb", "fixture", "sql", "topic", "database", "config", "secret", "data", "enum", "alias")
"""The kind words of views, in the order in which they are drawn and counted."""


def kind_of(decl: schema.Decl) -> str:
    """The kind word that views use for a declaration."""
    if isinstance(decl, schema.Verb):
        found = {type(item) for item in decl.metadata}
        return "sql" if schema.MetadataSQLQuery in found else "fixture" if schema.MetadataFixture in found else "verb"
    return "alias" if isinstance(decl, schema.TypeAlias) else schema.DECL_KINDS[type(decl)]


def _rank(decl: schema.Decl) -> tuple[int, str]:
    return KIND_ORDER.index(kind_of(decl)), decl.name


def _node(key: RefKey, decl: schema.Decl) -> Node:
    exported = bool(getattr(decl, "visibility", schema.Visibility.NONE))
    return Node(key, kind_of(decl), signature(decl, key.module), str(decl), exported)


def signature(decl: schema.Decl, module: str) -> str:
    """What follows the name, with the references to `module` itself unqualified: `(Order) Receipt`, `String`."""
    match decl:
        case schema.Verb():
            request = "" if isinstance(decl.request, schema.Unit) else local_text(decl.request, module)
            return f"({request}) {local_text(decl.response, module)}"
        case schema.Config() | schema.Secret() | schema.TypeAlias():
            return local_text(decl.type, module)
        case schema.Topic():
            return local_text(decl.event, module)
        case schema.Database():
            return decl.type
        case _:
            return ""


def local_text(type_: schema.Type, module: str) -> str:
    """The text of a type as its own module writes it."""
    return str(schema.transform(type_, lambda node: _unqualified(node, module)))


def _unqualified(node: schema.Node, module: str) -> schema.Node:
    if isinstance(node, schema.Ref) and node.module == module:
        return schema.Ref("", node.name, node.type_parameters)
    return node


def _edges(key: RefKey, decl: schema.Decl) -> Iterator[Edge]:
    for item in getattr(decl, "metadata", ()):
        yield from _metadata_edges(key, item)
    for part in schema.children(decl):
        if not type(part).__name__.startswith("Metadata"):
            yield from (Edge(key, _home(key, ref), "types", "has type") for ref in schema.refs(part))


def _metadata_edges(key: RefKey, item: schema.Metadata) -> Iterator[Edge]:
    match item:
        case schema.MetadataCalls():
            yield from _to(key, item.calls, "calls", "calls")
        case schema.MetadataRetry(catch=schema.Ref() as catch):
            yield from _to(key, [catch], "calls", "is caught by")
        case schema.MetadataConfig():
            yield from _to(key, item.config, "uses", "reads")
        case schema.MetadataSecrets():
            yield from _to(key, item.secrets, "uses", "reads")
        case schema.MetadataDatabases():
            yield from _to(key, item.uses, "uses", "uses")
        case schema.MetadataPublisher():
            yield from _to(key, item.topics, "uses", "publishes to")
        case schema.MetadataSubscriber():
            # Events flow from the topic to the verb, so that is the way the edge goes.
            yield Edge(_home(key, item.topic), key, "uses", "is read by")


def _to(key: RefKey, refs: Iterable[schema.Ref], kind: EdgeKind, word: str) -> Iterator[Edge]:
    return (Edge(key, _home(key, ref), kind, word) for ref in refs)


def _home(key: RefKey, ref: schema.Ref) -> RefKey:
    return RefKey(ref.module or key.module, ref.name)


def kinds_in(nodes: Collection[Node]) -> list[str]:
    """The kinds that occur, in drawing order."""
    return [kind for kind in KIND_ORDER if any(node.kind == kind for node in nodes)]
