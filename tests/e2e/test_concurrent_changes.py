"""Two notebooks that change the system at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e.driver import Kernel, Notebook, Output, System

SOON = 30.0
#: Says that it runs, and waits to be let go: its changeset is under way meanwhile.
FIXTURE = """%%ftl_fixture --module {module}
def {name}() -> None:
    import time
    from pathlib import Path

    here = Path({here!r})
    (here / "began").touch()
    while not (here / "go").exists():
        time.sleep(0.01)
"""
GOODS = """%%ftl_module goods
from dataclasses import dataclass

@dataclass
class Item:
    price: {price}
"""
PRICE = """%%ftl_verb --export --module goods
def price_of(sku: str) -> Item:
    return Item({value})
"""


@pytest.fixture
def other(system: System) -> Kernel:
    return system.kernel("second.ipynb")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as made:
        yield made


def under_way(other: Kernel, threads: ThreadPoolExecutor, here: Path, cells: str) -> Future[Output]:
    """A change of the second notebook whose fixture waits for the file `go`."""
    began = threads.submit(other.run, cells)
    deadline = time.monotonic() + SOON
    while not (here / "began").exists() and not began.done() and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert not began.done(), began.result().shown
    return began


def go_on(here: Path, change: Future[Output]) -> Output:
    (here / "go").touch()
    return change.result(SOON)


def test_a_change_of_another_module_does_not_wait(
    notebook: Notebook, other: Kernel, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    other.run("%%ftl_module slow\nopened = True\n").ok  # noqa: B018
    change = under_way(other, threads, tmp_path, FIXTURE.format(module="slow", name="fill", here=str(tmp_path)))
    assert notebook.module("quick").status == "deployed"
    assert notebook.verb("def double(n: int) -> int:\n    return n * 2\n").status == "deployed"
    assert notebook.value("double(4)") == 8
    assert not change.done()
    go_on(tmp_path, change).ok  # noqa: B018
    assert "fill" in notebook.run("%ftl schema slow").ok.text


def test_the_same_module_is_refused_with_who_changes_it(
    notebook: Notebook, other: Kernel, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    head = 'import ftl_nb as ftl\nftl.module("fresh")\n\n'
    fixture = FIXTURE.replace("%%ftl_fixture --module {module}", "@ftl.fixture").format(name="fill", here=str(tmp_path))
    change = under_way(other, threads, tmp_path, head + fixture)
    refused = notebook.run("%%ftl_module fresh\nopened = True\n").refusal
    assert refused.slug == "changeset-conflict"
    assert "by second.ipynb (chs-" in refused.message
    go_on(tmp_path, change).ok  # noqa: B018
    assert notebook.run("%%ftl_module fresh\nopened = True\n").refusal.slug == "module-owned"


def test_a_change_is_checked_against_what_moved_while_it_was_under_way(
    notebook: Notebook, other: Kernel, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    other.run(GOODS.format(price="float")).ok  # noqa: B018
    other.run(PRICE.format(value=2.5)).ok  # noqa: B018
    other.run("%ftl stage").ok  # noqa: B018
    other.run(GOODS.format(price="str")).ok  # noqa: B018
    other.run(PRICE.format(value="'2.50'")).ok  # noqa: B018
    other.run(FIXTURE.format(module="goods", name="fill", here=str(tmp_path))).ok  # noqa: B018
    change = under_way(other, threads, tmp_path, "%ftl apply")
    notebook.module("till", "from ftl_nb.modules import goods")
    notebook.verb("def half(sku: str) -> float:\n    return goods.price_of(sku).price / 2\n", "--export --module till")
    overtaken = go_on(tmp_path, change).refusal
    assert overtaken.slug == "breaks-others"
    assert "till.half" in overtaken.message
    assert notebook.value("half('tea')") == 1.25
