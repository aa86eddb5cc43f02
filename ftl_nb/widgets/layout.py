"""Where everything of a drawn graph stands: groups left to right by level, their items in columns inside.

A layout knows names, sizes and links, nothing of schemas. Coordinates are pixels from the top left corner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from ftl_nb.widgets.group import GroupLayout, Item, Link, group_layout
from ftl_nb.widgets.layers import aligned, levels, ordered
from ftl_nb.widgets.routes import Frame, Point, Route, route

GROUP_GAP = 28.0
MARGIN = 8.0
_CHANNEL_GAP, _CHANNEL_GAP_MOST = 44.0, 140.0
_SLOT = 9.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height


@dataclass(frozen=True, slots=True)
class Layout:
    """The drawing's size, the box of each group and each item, and the way of each link, in the order given."""

    width: float
    height: float
    groups: dict[str, Box]
    items: dict[str, Box]
    routes: tuple[Route, ...]


# A place on the sheet of groups: a group's name, or the slot of a passing link (source, target, column).
_Place = str | tuple[str, str, int]


def lay_out(groups: Mapping[str, Sequence[Item]], links: Sequence[Link]) -> Layout:
    """The layout of items in groups; item keys are unique over all groups, links join item keys."""
    home = {item.key: name for name, items in groups.items() for item in items}
    inner = {name: group_layout(name, items, _within(name, home, links)) for name, items in groups.items()}
    outer = sorted({(home[a], home[b]) for a, b in links if home[a] != home[b]})
    sheets = [_sheet(part, [link for link in outer if link[0] in part], inner) for part in _parts(list(groups), outer)]
    frames, slots, width, height = _packed(sheets)
    boxes = {name: Box(x, y, inner[name].width, inner[name].height) for name, (x, y, _) in frames.items()}
    items = {
        k: Box(boxes[g].x + p.x, boxes[g].y + p.y, p.width, p.height)
        for g, gl in inner.items()
        for k, p in gl.places.items()
    }
    framed = {name: Frame(x, y, edge, inner[name]) for name, (x, y, edge) in frames.items()}
    routes = tuple(
        route(framed[home[a]], framed[home[b]], a, b, slots.get((home[a], home[b]), ()), index)
        for index, (a, b) in enumerate(links)
    )
    return Layout(width, height, boxes, items, routes)


def _within(name: str, home: Mapping[str, str], links: Iterable[Link]) -> list[Link]:
    return [link for link in links if home[link[0]] == name == home[link[1]]]


def _parts(names: Sequence[str], links: Sequence[Link]) -> list[list[str]]:
    """The connected parts, each in the order of `names`."""
    part = {name: [name] for name in names}
    for a, b in links:
        if part[a] is not part[b]:
            part[a] += part[b]
            part.update(dict.fromkeys(part[b], part[a]))
    unique = {id(members): members for members in part.values()}
    position = {name: index for index, name in enumerate(names)}
    return [sorted(members, key=position.__getitem__) for members in unique.values()]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One connected part from (0, 0): each group's corner and its column's right border, each link's slots."""

    width: float
    height: float
    frames: dict[str, tuple[float, float, float]]
    slots: dict[Link, tuple[tuple[Point, Point], ...]]


def _sheet(names: Sequence[str], links: Sequence[Link], inner: Mapping[str, GroupLayout]) -> _Sheet:
    columns = _columns(names, links, inner)
    at = {name: index for index, column in enumerate(columns) for name in column}
    chains = {link: _chain(link, at) for link in links}
    layers: list[list[_Place]] = [[*column] for column in columns]
    for chain in chains.values():
        for place in chain[1:-1]:
            layers[place[2] if isinstance(place, tuple) else 0].append(place)
    hops = [hop for chain in chains.values() for hop in pairwise(chain)]
    layers = ordered(layers, hops)
    heights = {p: inner[p].height if isinstance(p, str) else 0.0 for layer in layers for p in layer}
    sizes = {p: height + (GROUP_GAP if isinstance(p, str) else _SLOT) for p, height in heights.items()}
    centres = aligned(layers, hops, sizes)
    top = min(centres[p] - heights[p] / 2 for p in centres)
    centres = {p: centre - top for p, centre in centres.items()}
    spans = _spans(columns, hops, inner, at)
    frames = {name: (spans[at[name]][0], centres[name] - heights[name] / 2, spans[at[name]][1]) for name in names}
    slots = {
        link: tuple(((spans[p[2]][0], centres[p]), (spans[p[2]][1], centres[p])) for p in chain if isinstance(p, tuple))
        for link, chain in chains.items()
    }
    return _Sheet(spans[-1][1], max(centres[p] + heights[p] / 2 for p in centres), frames, slots)


def _columns(names: Sequence[str], links: Sequence[Link], inner: Mapping[str, GroupLayout]) -> list[list[str]]:
    """The groups by level; a level much taller than the whole is wide goes into several columns."""
    level = levels(names, links)
    area = sum((inner[name].width + _CHANNEL_GAP) * (inner[name].height + GROUP_GAP) for name in names)
    most = max(sqrt(area) * 1.1, *(inner[name].height for name in names), 0.0)
    columns: list[list[str]] = []
    for wanted in sorted(set(level.values())):
        height = most + 1
        for name in (n for n in names if level[n] == wanted):
            if height + inner[name].height > most:
                columns.append([])
                height = 0.0
            columns[-1].append(name)
            height += inner[name].height + GROUP_GAP
    return columns


def _chain(link: Link, at: Mapping[str, int]) -> list[_Place]:
    """The link's way through the columns: its source, a slot in each column between, its target."""
    source, target = at[link[0]], at[link[1]]
    step = 1 if target > source else -1
    return [link[0], *((*link, column) for column in range(source + step, target, step)), link[1]]


def _spans(
    columns: Sequence[Sequence[str]],
    hops: Sequence[tuple[_Place, _Place]],
    inner: Mapping[str, GroupLayout],
    at: Mapping[str, int],
) -> list[Point]:
    """The left and right border of each column; the more links cross a channel, the wider it is."""
    spans: list[Point] = []
    x = 0.0
    for index, column in enumerate(columns):
        width = max(inner[name].width for name in column)
        crossing = sum(1 for hop in hops if min(_column(p, at) for p in hop) == index)
        spans.append((x, x + width))
        x += width + min(_CHANNEL_GAP + 4 * crossing, _CHANNEL_GAP_MOST)
    return spans


def _column(place: _Place, at: Mapping[str, int]) -> int:
    return at[place] if isinstance(place, str) else place[2]


def _packed(
    sheets: Sequence[_Sheet],
) -> tuple[dict[str, tuple[float, float, float]], dict[Link, tuple[tuple[Point, Point], ...]], float, float]:
    """All parts on shelves, tall ones first: frames, slots, and the size of the whole."""
    frames: dict[str, tuple[float, float, float]] = {}
    slots: dict[Link, tuple[tuple[Point, Point], ...]] = {}
    area = sum((s.width + GROUP_GAP) * (s.height + GROUP_GAP) for s in sheets)
    most = max([sqrt(area) * 1.4, *(s.width for s in sheets)])
    x = y = shelf = width = 0.0
    for sheet in sorted(sheets, key=lambda s: -s.height):
        if x and x + sheet.width > most:
            x, y, shelf = 0.0, y + shelf + GROUP_GAP, 0.0
        dx, dy = x + MARGIN, y + MARGIN
        frames.update({name: (px + dx, py + dy, edge + dx) for name, (px, py, edge) in sheet.frames.items()})
        slots.update(
            {k: tuple(((a + dx, b + dy), (c + dx, d + dy)) for (a, b), (c, d) in v) for k, v in sheet.slots.items()}
        )
        x, shelf, width = x + sheet.width + GROUP_GAP, max(shelf, sheet.height), max(width, x + sheet.width)
    return frames, slots, width + 2 * MARGIN, y + shelf + 2 * MARGIN
