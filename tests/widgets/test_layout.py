"""Nothing of a drawing overlaps, whatever the graph."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from ftl_nb.widgets.group import Item
from ftl_nb.widgets.layout import Box, Layout, lay_out

Case = tuple[dict[str, list[Item]], list[tuple[str, str]]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=9))
    groups = {
        f"g{g}": [Item(f"g{g}.{i}", float(draw(st.integers(30, 300))), draw(st.booleans())) for i in range(count)]
        for g, count in enumerate(sizes)
    }
    keys = st.sampled_from([item.key for items in groups.values() for item in items])
    return groups, draw(st.lists(st.tuples(keys, keys), max_size=30, unique=True))


def _inside(inner: Box, outer: Box) -> bool:
    across = outer.x <= inner.x and inner.x + inner.width <= outer.x + outer.width
    return across and outer.y <= inner.y and inner.y + inner.height <= outer.y + outer.height


def _level_parts(layout: Layout) -> list[tuple[float, float, float]]:
    """Every level part of a route: its two ends and its height."""
    points = (pair for way in layout.routes for pair in pairwise(way))
    return [(min(a, c), max(a, c), b) for (a, b), (c, d) in points if b == d]


@given(cases())
def test_boxes_do_not_overlap(case: Case) -> None:
    layout = lay_out(*case)
    sheet = Box(0, 0, layout.width, layout.height)
    assert not any(a.overlaps(b) for a, b in combinations(layout.groups.values(), 2))
    assert not any(a.overlaps(b) for a, b in combinations(layout.items.values(), 2))
    assert all(_inside(box, layout.groups[key.split(".")[0]]) for key, box in layout.items.items())
    assert all(_inside(box, sheet) for box in layout.groups.values())


@given(cases())
def test_routes_join_their_items(case: Case) -> None:
    layout = lay_out(*case)
    assert len(layout.routes) == len(case[1])
    for (source, target), way in zip(case[1], layout.routes, strict=True):
        for key, (x, y) in ((source, way[0]), (target, way[-1])):
            box = layout.items[key]
            assert x in (box.x, box.x + box.width)
            assert box.y < y < box.y + box.height


@given(cases())
def test_level_parts_of_routes_pass_between_the_boxes(case: Case) -> None:
    layout = lay_out(*case)
    for left, right, y in _level_parts(layout):
        hit = [b for b in layout.items.values() if b.y < y < b.y + b.height and b.x < right and left < b.x + b.width]
        assert not hit


def test_a_wide_level_goes_into_several_columns() -> None:
    groups = {"gate": [Item("gate.x", 80)]} | {f"m{i}": [Item(f"m{i}.x", 80)] for i in range(39)}
    layout = lay_out(groups, [("gate.x", f"m{i}.x") for i in range(39)])
    assert layout.height < 1.5 * layout.width


def test_unlinked_groups_fill_a_page_not_a_column() -> None:
    layout = lay_out({f"m{i}": [Item(f"m{i}.x", 80)] for i in range(40)}, [])
    assert 0.5 < layout.height / layout.width < 2


def test_nothing_to_draw() -> None:
    assert lay_out({}, []).groups == {}
