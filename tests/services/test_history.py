"""What the history of changesets keeps, and what it makes of those that a cluster left on their way."""

from __future__ import annotations

import pytest

from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.services.history import KEPT, LOST, History, Past
from ftl_nb.store import SqliteStore

TEXT = ModuleSource("shop", (Cell("1", "module", "shop", "opened = True", {}),))


def past(number: int, state: str = "finalized") -> Past:
    return Past(f"chs-{number}", state, ("shop",), created=number, before={"shop": TEXT, "new": None})


def test_a_changeset_comes_back_whole(store: SqliteStore) -> None:
    written = Past("chs-1", "failed", ("shop",), ("old",), "a.ipynb", 1, 2, "no", ("<till/total>",), {"shop": TEXT})
    History(store).write(written)
    assert History(store).newest() == [written]
    assert History(store).find("chs-1") == written
    assert History(store).find("chs-2") is None


def test_the_newest_come_first_and_the_oldest_go(store: SqliteStore) -> None:
    history = History(store)
    for number in range(KEPT + 20):
        history.write(past(number))
    kept = [p.key for p in history.newest(1000)]
    assert kept[0] == f"chs-{KEPT + 19}"
    assert len(kept) <= KEPT + 1


@pytest.mark.parametrize(
    ("left", "settled", "error"),
    [
        ("preparing", "failed", LOST),
        ("prepared", "failed", LOST),
        ("rolling_back", "failed", LOST),
        ("committed", "finalized", ""),
        ("drained", "finalized", ""),
        ("finalized", "finalized", ""),
        ("failed", "failed", ""),
    ],
)
def test_what_a_cluster_left_on_its_way_is_settled(store: SqliteStore, left: str, settled: str, error: str) -> None:
    History(store).write(past(1, left))
    History(store).settle()
    (found,) = History(store).newest()
    assert (found.state, found.error) == (settled, error)
