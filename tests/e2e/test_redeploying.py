"""Modules redeployed while others call them: no call is lost, none meets versions that were not checked together."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from e2e.driver import Notebook, System
from ftl_nb.binding.source import Cell
from ftl_nb.console import Cluster

ROUNDS = 20
CALLERS = 4
#: The name of the answer's field is a part of the version, so that a mix would fail or tell of itself.
GOODS = """
from dataclasses import dataclass
import ftl_nb as ftl

@dataclass
class Price:
    {field}: int
    version: int

@ftl.verb(export=True)
def price_of(sku: str) -> Price:
    return Price({version}, {version})
"""
TILL = """
import ftl_nb as ftl
from ftl_nb.modules import goods

@ftl.verb(export=True)
def total(n: int) -> list[int]:
    first = goods.price_of("tea")
    second = goods.price_of("tea")
    return [{version}, first.{field}, second.version]
"""


def goods(version: int, field: str = "amount") -> Cell:
    return Cell("goods", "module", "module", GOODS.format(version=version, field=field), {})


def till(version: int, field: str = "amount") -> Cell:
    return Cell("till", "module", "module", TILL.format(version=version, field=field), {})


@pytest.fixture
def cluster(notebook: Notebook) -> Cluster:
    """With `goods` and `till` at version 0."""
    notebook.cluster.reset()
    notebook.cluster.define("goods", goods(0))
    notebook.cluster.define("till", till(0))
    return notebook.cluster


@contextmanager
def under_load(cluster: Cluster) -> Iterator[Counter[tuple[int, ...]]]:
    """The answers of callers that never pause. At the end each of them must have got every answer it asked for."""
    answers: Counter[tuple[int, ...]] = Counter()
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            answers[tuple(cluster.call("till.total", 1))] += 1

    with ThreadPoolExecutor(CALLERS) as threads:
        callers = [threads.submit(ask) for _ in range(CALLERS)]
        try:
            yield answers
        finally:
            over.set()
        for caller in callers:
            caller.result()


def test_a_module_that_others_call_is_redeployed_without_a_call_lost(cluster: Cluster) -> None:
    with under_load(cluster) as answers:
        for version in range(1, ROUNDS + 1):
            cluster.define("goods", goods(version))
            assert cluster.call("goods.priceOf", "tea")["version"] == version
    assert {a[0] for a in answers} == {0}
    assert all(first <= second for _, first, second in answers)


def test_modules_that_change_together_are_never_met_in_a_mix(cluster: Cluster) -> None:
    with under_load(cluster) as answers:
        for version in range(1, ROUNDS + 1):
            cluster.define("goods", goods(version, f"amount{version}"), stage=True)
            cluster.define("till", till(version, f"amount{version}"), stage=True)
            cluster.changes.apply()
            assert cluster.call("till.total", 1) == [version, version, version]
    mixed = [answer for answer in answers if len(set(answer)) != 1]
    assert mixed == []
    assert len(answers) > ROUNDS // 2


def growing(version: int) -> Cell:
    """Each has another field that its readers need not know, and has lost that of the one before."""
    text = goods(version).text.replace("version: int", f"version: int\n    more{version}: int = 0")
    return Cell("goods", "module", "module", text, {})


def test_a_dependant_that_moves_along_is_never_met_in_a_mix(cluster: Cluster) -> None:
    """`till` still fits each version, and is started anew against it."""
    cluster.define("goods", growing(0))
    with under_load(cluster) as answers:
        for version in range(1, ROUNDS + 1):
            cluster.define("goods", growing(version))
    assert [answer for answer in answers if answer[1] != answer[2]] == []


def test_a_call_that_is_under_way_ends_with_the_versions_it_began_with(cluster: Cluster, system: System) -> None:
    slow = (
        TILL.replace("second = goods", "wait()\n    second = goods")
        + f"""
def wait() -> None:
    import time
    from pathlib import Path

    here = Path({str(system.folder)!r})
    (here / "began").touch()
    while not (here / "go").exists():
        time.sleep(0.01)
"""
    )
    cluster.define("till", Cell("till", "module", "module", slow.format(version=0, field="amount"), {}))
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(cluster.call, "till.total", 1)
        while not (system.folder / "began").exists():
            threading.Event().wait(0.01)
        cluster.define("goods", goods(1, "value"), stage=True)
        cluster.define("till", till(1, "value"), stage=True)
        cluster.changes.apply()
        cluster.define("goods", goods(2, "value"))
        assert cluster.call("till.total", 1) == [1, 2, 2]
        (system.folder / "go").touch()
        assert call.result(20) == [0, 0, 0]
