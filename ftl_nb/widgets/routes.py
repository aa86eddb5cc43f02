"""The way of one link: out of its group through the lane beside its row, past other groups in slots, in again.

A link never crosses an item's box: inside a group it keeps to gutters and lanes, between groups to slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftl_nb.widgets.group import GUTTER, ROW, GroupLayout, Place

Point = tuple[float, float]
Route = tuple[Point, ...]
_LOOP = 12.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A group's layout at its place; `edge` is the right border of the column of groups that it stands in."""

    x: float
    y: float
    edge: float
    group: GroupLayout


@dataclass(frozen=True, slots=True)
class _End:
    """One end of a link: the item's centre line and borders, on the side (1 right, -1 left) where the link leaves."""

    side: int
    x: float
    y: float
    outermost: bool
    border: float


def route(
    source: Frame, target: Frame, start: str, end: str, slots: Sequence[tuple[Point, Point]], index: int
) -> Route:
    """The points of a link from item `start` to item `end`."""
    shift = float(index % 3 - 1) * 2
    if start == end:
        return _loop(source, source.group.places[start])
    if source is target:
        return _inside(source, start, end, shift)
    side = 1 if target.x > source.x else -1
    out, into = _end(source, start, side), _end(target, end, -side)
    ways = [(a, b) if side > 0 else (b, a) for a, b in slots]
    middle = [point for way in ways for point in way]
    before = middle[0][1] if middle else into.y
    after = middle[-1][1] if middle else out.y
    return (*_leave(out, before, shift), *middle, *reversed(_leave(into, after, shift)))


def _end(frame: Frame, key: str, side: int) -> _End:
    place = frame.group.places[key]
    x, y = frame.x + place.x, frame.y + place.y + place.height / 2
    outermost = place.column == (frame.group.columns - 1 if side > 0 else 0)
    border = frame.edge if side > 0 else frame.x
    return _End(side, x + (place.width if side > 0 else 0.0), y, outermost, border)


def _leave(end: _End, towards: float, shift: float) -> list[Point]:
    """From the item to the channel beside its group."""
    if end.outermost:
        return [(end.x, end.y), (end.border, end.y)]
    lane = _lane(end.y, towards, shift)
    return [(end.x, end.y), (end.x + end.side * GUTTER * 0.8, lane), (end.border, lane)]


def _lane(y: float, towards: float, shift: float) -> float:
    return y + (ROW / 2 if towards >= y else -ROW / 2) + shift


def _inside(frame: Frame, start: str, end: str, shift: float) -> Route:
    a, b = frame.group.places[start], frame.group.places[end]
    side = 1 if b.column > a.column else -1
    out, into = _end(frame, start, side), _end(frame, end, -side)
    if abs(a.column - b.column) == 1:
        return ((out.x, out.y), (into.x, into.y))
    lane = _lane(out.y, into.y, shift)
    gutter = GUTTER * 0.8 * side
    return ((out.x, out.y), (out.x + gutter, lane), (into.x - gutter, lane), (into.x, into.y))


def _loop(frame: Frame, place: Place) -> Route:
    x, y = frame.x + place.x + place.width, frame.y + place.y
    return ((x, y + 6), (x + _LOOP, y + 6), (x + _LOOP, y + place.height - 6), (x, y + place.height - 6))
