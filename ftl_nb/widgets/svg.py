"""A graph as SVG: one drawing that is readable on light and dark paper, in a notebook and as a file.

A front end that does not trust a notebook takes the SVG tags away and keeps their text. So the drawing stands in a
`<pre>`, and its texts are in an order, and on lines, that read as a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ftl_nb.schema import RefKey
from ftl_nb.widgets.graph import Edge, Graph, Node, kinds_in
from ftl_nb.widgets.group import Item
from ftl_nb.widgets.html import Element, el, number, spaced
from ftl_nb.widgets.layout import Box, Layout, lay_out
from ftl_nb.widgets.outline import declared
from ftl_nb.widgets.plain import clip, printable, width
from ftl_nb.widgets.routes import Route
from ftl_nb.widgets.theme import MONO, kind_rules, stylesheet, view

_TAGS = {"database": "db"}
_TAG_WIDTH = 52.0
# Advance of a monospace glyph at the label's 12 px, rounded up over the usual faces.
_CELL = 7.4
_LABEL_CELLS, _TITLE_CELLS = 32, 40
_CSS = f"""
.ftl-graph text{{font:12px {MONO};fill:var(--ftl-ink)}}
.ftl-graph .ftl-title{{font-weight:700;font-size:13px}}
.ftl-graph .ftl-group{{fill:var(--ftl-panel);stroke:var(--ftl-line)}}
.ftl-graph .ftl-box{{fill:var(--ftl-paper);stroke-width:1}}
.ftl-graph .ftl-tag{{font-size:9.5px}}
.ftl-graph .ftl-export text{{font-weight:700}}.ftl-graph .ftl-export .ftl-box{{stroke-width:2}}
.ftl-graph .ftl-edge path{{fill:none;stroke-width:1.4;stroke-linecap:round;stroke-linejoin:round}}
.ftl-graph .ftl-edge .ftl-grip{{stroke:transparent;stroke-width:9}}
.ftl-graph .ftl-edge:hover .ftl-way{{stroke-width:3}}
.ftl-graph .ftl-calls path{{stroke:var(--ftl-verb)}}
.ftl-graph .ftl-uses path{{stroke:var(--ftl-database)}}.ftl-graph .ftl-uses .ftl-way{{stroke-dasharray:6 4}}
.ftl-graph .ftl-types path{{stroke:var(--ftl-muted)}}.ftl-graph .ftl-types .ftl-way{{stroke-dasharray:1 3.5}}
""" + kind_rules(".ftl-graph .ftl-$ .ftl-box{stroke:var(--ftl-$)}.ftl-graph .ftl-$ .ftl-tag{fill:var(--ftl-$)}")
_PAGE_CSS = """
.ftl-nb .ftl-sheet{overflow:auto;max-height:80vh}
.ftl-nb .ftl-legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin-top:4px;font-size:12px}
.ftl-nb .ftl-legend svg{vertical-align:middle;margin-right:4px}
""" + kind_rules(".ftl-nb .ftl-legend .ftl-$ i{color:var(--ftl-$);font-style:normal;font-weight:700}")
_KIND_WORDS = {"sql": "SQL verb", "alias": "type alias"}
_EDGE_WORDS = {"calls": "calls", "uses": "uses", "types": "has type"}
# A drawing wider than the page shrinks to this part of its size, then scrolls.
_LEAST_SCALE = 0.6


def page(graph: Graph) -> Element:
    """The drawing in a frame that scrolls, and its legend."""
    if not graph.nodes:
        return view("", "graph-page", el("p", "no modules", class_="ftl-muted"))
    return view(_PAGE_CSS, "graph-page", el("pre", drawing(graph), class_="ftl-sheet"), _legend(graph))


def drawing(graph: Graph) -> Element:
    """The `<svg>` element."""
    layout = _layout(graph)
    w, h = number(layout.width), number(layout.height)
    return el(
        "svg",
        stylesheet(_CSS),
        el("title", f"{len(graph.modules())} modules, {len(graph.nodes)} declarations, {len(graph.edges)} references"),
        *(_rect(box, 8, "ftl-group") for box in layout.groups.values()),
        *(_edge(edge, way) for edge, way in zip(graph.edges, layout.routes, strict=True)),
        *(_module(name, nodes, layout) for name, nodes in graph.modules().items()),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {w} {h}",
        width=w,
        height=h,
        role="img",
        class_="ftl-nb ftl-graph",
        style=f"display:block;padding:0;max-width:100%;height:auto;min-width:{number(layout.width * _LEAST_SCALE)}px",
    )


def _layout(graph: Graph) -> Layout:
    groups = {name: [_item(node) for node in nodes] for name, nodes in graph.modules().items()}
    return lay_out(groups, [(str(edge.source), str(edge.target)) for edge in graph.edges])


def _item(node: Node) -> Item:
    tail = node.kind not in ("verb", "fixture", "sql")
    return Item(str(node.key), _TAG_WIDTH + 8 + _CELL * width(_label(node.key)), tail)


def _label(key: RefKey) -> str:
    return clip(printable(key.name), _LABEL_CELLS)


def _module(name: str, nodes: list[Node], layout: Layout) -> Element:
    box = layout.groups[name]
    title = el("text", clip(printable(name), _TITLE_CELLS), x=box.x + 10, y=box.y + 19, class_="ftl-title")
    return el("g", "\n", title, *(_node(node, layout.items[str(node.key)]) for node in nodes))


def _node(node: Node, box: Box) -> Element:
    baseline = box.y + box.height / 2 + 4
    return el(
        "g",
        "\n  ",
        _rect(box, 4, "ftl-box"),
        el("text", _TAGS.get(node.kind, node.kind), x=box.x + 6, y=baseline, class_="ftl-tag"),
        " ",
        el("text", _label(node.key), x=box.x + _TAG_WIDTH, y=baseline),
        "\n",
        el("title", node.text or declared(node)),
        class_=f"ftl-{node.kind}{' ftl-export' if node.exported else ''}",
    )


def _rect(box: Box, radius: int, name: str) -> Element:
    return el("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=radius, class_=name)


def _edge(edge: Edge, way: Route) -> Element:
    line = "".join(_curve(way))
    return el(
        "g",
        "\n",
        el("title", f"{edge.source} {edge.word} {edge.target}"),
        el("path", d=line, class_="ftl-grip"),
        el("path", d=line, class_="ftl-way"),
        el("path", d=_tip(way)),
        class_=f"ftl-edge ftl-{edge.kind}",
    )


def _curve(way: Route) -> Iterator[str]:
    """Straight where two points are level or one above the other, else a curve that is level at both ends."""
    yield f"M{_point(*way[0])}"
    for (ax, ay), (bx, by) in pairwise(way):
        if ay == by or ax == bx:
            yield f"L{_point(bx, by)}"
        else:
            middle = (ax + bx) / 2
            yield f"C{_point(middle, ay)} {_point(middle, by)} {_point(bx, by)}"


def _tip(way: Route) -> str:
    (ax, _), (bx, by) = way[-2:]
    back = bx + (-5 if bx > ax else 5)
    return f"M{_point(back, by - 3.5)}L{_point(bx, by)}L{_point(back, by + 3.5)}"


def _point(x: float, y: float) -> str:
    return f"{number(x)} {number(y)}"


def _legend(graph: Graph) -> Element:
    kinds = [
        el("span", el("i", "▪ "), _KIND_WORDS.get(kind, kind), class_=f"ftl-{kind}") for kind in kinds_in(graph.nodes)
    ]
    used = {edge.kind for edge in graph.edges}
    edges = [_edge_sample(kind, word) for kind, word in _EDGE_WORDS.items() if kind in used]
    exported = el("span", el("strong", "bold"), " exported") if any(node.exported for node in graph.nodes) else None
    return el("div", *spaced([*kinds, *edges, exported]), class_="ftl-legend ftl-muted")


def _edge_sample(kind: str, word: str) -> Element:
    way = ((1.0, 5.0), (30.0, 5.0))
    line = el(
        "g",
        el("path", d="".join(_curve(way)), class_="ftl-way"),
        el("path", d=_tip(way)),
        class_=f"ftl-edge ftl-{kind}",
    )
    return el("span", el("svg", line, width=32, height=10, aria_hidden="true", class_="ftl-graph"), word)
