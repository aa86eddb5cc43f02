"""Levels, order and places."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ftl_nb.widgets.layers import aligned, levels, ordered, spread

NAMES = list("abcdefgh")
LINKS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=20)


def test_callers_stand_left_of_callees() -> None:
    assert levels(list("abcd"), [("a", "b"), ("b", "c"), ("a", "c")]) == {"a": 0, "b": 1, "c": 2, "d": 0}


def test_a_caller_stands_close_to_its_callee() -> None:
    assert levels(list("abcx"), [("a", "b"), ("b", "c"), ("x", "c")])["x"] == 1


@given(LINKS)
def test_no_link_joins_one_level(links: list[tuple[str, str]]) -> None:
    level = levels(NAMES, links)
    assert set(level) == set(NAMES)
    assert min(level.values()) == 0
    assert all(level[a] != level[b] for a, b in links if a != b)


def test_a_long_chain_needs_no_deep_stack() -> None:
    names = [str(i) for i in range(5000)]
    assert levels(names, list(pairwise(names)))["4999"] == 4999


def test_order_takes_a_crossing_out() -> None:
    assert ordered([["a", "b"], ["x", "y"]], [("a", "y"), ("b", "x")]) == [["a", "b"], ["y", "x"]]


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0, 100)), max_size=12))
def test_spread_keeps_order_and_distance(places: list[tuple[float, float]]) -> None:
    sizes = [size for _, size in places]
    centres = spread([want for want, _ in places], sizes)
    assert len(centres) == len(sizes)
    for (a, b), (p, q) in zip(pairwise(centres), pairwise(sizes), strict=True):
        assert b - a >= (p + q) / 2 - 1e-6


def test_what_fits_stands_where_it_is_wanted() -> None:
    assert spread([0.0, 50.0, 200.0], [10.0, 10.0, 10.0]) == [0.0, 50.0, 200.0]
    assert spread([10.0, 10.0], [10.0, 10.0]) == [5.0, 15.0]


def test_neighbours_are_level() -> None:
    centre = aligned([["a"], ["x", "y", "z"]], [("a", "z")], {"a": 10, "x": 10, "y": 10, "z": 10})
    assert centre["a"] == centre["z"]
