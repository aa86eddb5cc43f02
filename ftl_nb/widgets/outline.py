"""A graph as text: modules, their declarations, and under each what it calls and uses."""

from __future__ import annotations

from collections.abc import Iterator

from ftl_nb.schema import RefKey
from ftl_nb.widgets.graph import Edge, Graph, Node
from ftl_nb.widgets.plain import printable


def outline(graph: Graph) -> str:
    """The tree; references of types are left out, the signatures say them."""
    leaving: dict[RefKey, list[Edge]] = {}
    for edge in graph.edges:
        if edge.kind != "types":
            leaving.setdefault(edge.source, []).append(edge)
    lines = [line for module, nodes in graph.modules().items() for line in _module(module, nodes, leaving)]
    return "\n".join(map(_line, lines)) or "no modules"


def _module(name: str, nodes: list[Node], leaving: dict[RefKey, list[Edge]]) -> Iterator[str]:
    yield name
    for index, node in enumerate(nodes):
        last = index == len(nodes) - 1
        yield ("└─ " if last else "├─ ") + declared(node)
        for word, targets in _arrows(leaving.get(node.key, [])).items():
            yield ("   " if last else "│  ") + f"   {word} → {', '.join(_short(t, name) for t in targets)}"


def declared(node: Node) -> str:
    """One line for a declaration: `export verb checkout(Order) Receipt`."""
    gap = "" if node.signature[:1] in ("", "(") else " "
    return f"{'export ' if node.exported else ''}{node.kind} {node.key.name}{gap}{node.signature}"


def _arrows(edges: list[Edge]) -> dict[str, list[RefKey]]:
    found: dict[str, list[RefKey]] = {}
    for edge in edges:
        found.setdefault(edge.word, []).append(edge.target)
    return found


def _short(key: RefKey, module: str) -> str:
    return key.name if key.module == module else str(key)


def _line(text: str) -> str:
    return printable(text).replace("\n", " ")
