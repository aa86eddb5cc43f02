"""A graph as a mermaid flowchart: text that Markdown front ends draw."""

from __future__ import annotations

from ftl_nb.widgets.graph import Graph, Node
from ftl_nb.widgets.plain import printable

_ARROWS = {"calls": "-->", "uses": "-.->", "types": "--o"}
_SHAPES = {
    "verb": ("([", "])"),
    "fixture": ("([", "])"),
    "sql": ("([", "])"),
    "database": ("[(", ")]"),
    "topic": ("[[", "]]"),
}
_QUOTED = {ord(c): f"#{ord(c)};" for c in '"#<>&`\\\n\t'}


def flowchart(graph: Graph) -> str:
    """`flowchart LR` with a subgraph a module; no line end at the end."""
    ids = {node.key: f"n{index}" for index, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for index, (module, nodes) in enumerate(graph.modules().items()):
        lines += [f'  subgraph m{index}["{_quoted(module)}"]', *(f"    {_node(ids[n.key], n)}" for n in nodes), "  end"]
    lines += [f"  {ids[edge.source]} {_ARROWS[edge.kind]} {ids[edge.target]}" for edge in graph.edges]
    return "\n".join(lines)


def _node(name: str, node: Node) -> str:
    start, end = _SHAPES.get(node.kind, ("[", "]"))
    return f'{name}{start}"{_quoted(f"{node.kind} {node.key.name}")}"{end}'


def _quoted(text: str) -> str:
    return printable(text).translate(_QUOTED)
