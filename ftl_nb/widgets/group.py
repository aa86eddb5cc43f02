"""The inside of one group: its items on a grid of columns (by level) and rows, with a lane for links between rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from ftl_nb.widgets.layers import aligned, levels, ordered

TITLE = 30.0
PADDING = 10.0
ITEM_HEIGHT = 22.0
ROW = 31.0
GUTTER = 34.0
_TITLE_CELL = 8.0

Link = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """A box to place: its width in pixels, and whether it stands on the right when nothing links to it inside."""

    key: str
    width: float
    tail: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """An item's column and its box, relative to its group."""

    column: int
    x: float
    y: float
    width: float
    height: float = ITEM_HEIGHT


@dataclass(frozen=True, slots=True)
class GroupLayout:
    """A group's size, its items' places, and how many columns it has."""

    width: float
    height: float
    places: dict[str, Place]
    columns: int


def group_layout(title: str, items: Sequence[Item], links: Sequence[Link]) -> GroupLayout:
    """The layout of one group; `links` are those between its own items."""
    columns = ordered(_columns(items, links), [link for link in links if link[0] != link[1]])
    rows = _rows(columns, links)
    widths = {item.key: item.width for item in items}
    places: dict[str, Place] = {}
    x = PADDING
    for index, column in enumerate(columns):
        width = max(widths[key] for key in column)
        places |= {key: Place(index, x, TITLE + rows[key] * ROW, width) for key in column}
        x += width + GUTTER
    width = max(x - GUTTER + PADDING, 2 * PADDING + _TITLE_CELL * len(title))
    deepest = max((rows[key] for key in rows), default=-1)
    return GroupLayout(width, TITLE + max(0, deepest * ROW + ITEM_HEIGHT) + PADDING, places, len(columns))


def _columns(items: Sequence[Item], links: Sequence[Link]) -> list[list[str]]:
    level = levels([item.key for item in items], links)
    linked = {key for link in links for key in link if link[0] != link[1]}
    last = max(level.values(), default=0)
    level |= {item.key: last for item in items if item.tail and item.key not in linked}
    most = max(8, ceil(sqrt(len(items)) * 1.6))
    columns: list[list[str]] = []
    for wanted in sorted(set(level.values())):
        members = [item.key for item in items if level[item.key] == wanted]
        columns += [members[i : i + most] for i in range(0, len(members), most)]
    return columns


def _rows(columns: Sequence[Sequence[str]], links: Sequence[Link]) -> dict[str, int]:
    """The row of each item: near its neighbours, in order, within as many rows as the longest column has."""
    if not columns:
        return {}
    between = [link for link in links if link[0] != link[1]]
    centres = aligned(columns, between, {key: 1.0 for column in columns for key in column})
    top = min(centres.values())
    centres = {key: centre - top for key, centre in centres.items()}
    depth = max(map(len, columns))
    return {key: row for column in columns for key, row in _whole(column, centres, depth).items()}


def _whole(column: Sequence[str], centres: Mapping[str, float], depth: int) -> dict[str, int]:
    # Centre minus index never falls along a column, so rounding it keeps the rows apart.
    slack = depth - len(column)
    return {key: index + min(slack, max(0, round(centres[key] - index))) for index, key in enumerate(column)}
