"""Processes killed while a changeset is under way: afterwards either nothing of it has moved, or all of it has."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from chaos.notebook import Place
from chaos.system import System, running
from chaos.waiting import SOON, until
from ftl_nb.binding.source import Cell
from ftl_nb.errors import FtlError

pytestmark = pytest.mark.chaos

STOCK = """\
-- migrate:up
CREATE TABLE items (sku TEXT PRIMARY KEY);
INSERT INTO items VALUES ('first');

-- name: CountItems :one
SELECT count(*) AS items FROM items;

-- name: AddItem :exec
INSERT INTO items (sku) VALUES (@sku);
"""
MORE = """\
-- migrate:up
ALTER TABLE items ADD COLUMN price DOUBLE DEFAULT 1;

-- name: TotalPrice :one
SELECT coalesce(sum(price), 0) AS total FROM items;
"""
MODULE = """\
import os, signal, time
from pathlib import Path
import ftl_nb as ftl

HERE = Path({here!r})

@ftl.verb(export=True)
def version() -> int:
    return {version}

@ftl.verb(export=True)
def hold(begun: str) -> int:
    Path(begun).touch()
    while not (HERE / "go").exists():
        time.sleep(0.01)
    return {version}
"""
#: It says that it runs; then it waits to be let go, and may stop the database as the last thing it does.
FIXTURE = """
@ftl.fixture
def fill(*, add_item) -> None:
    add_item({sku!r})
    (HERE / "began").touch()
    while not (HERE / "go").exists():
        time.sleep(0.01)
    if (HERE / "stop").exists():
        os.kill(int((HERE / "stop").read_text()), signal.SIGSTOP)
"""
HEADS = ["supervisor", "control"]


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running(Place.under(tmp_path)) as system:
        system.cluster.define("shop", module(tmp_path, 1))
        system.cluster.define("shop", Cell("stock", "sql", "sql", STOCK, {}, "stock"))
        assert system.call("shop.countItems") == 1
        yield system


def module(here: Path, version: int, fixture: str = "") -> Cell:
    return Cell("module", "module", "module", MODULE.format(here=str(here), version=version) + fixture, {})


def begin(system: System, here: Path) -> Future[Any]:
    """A change of text and database whose fixture waits to be let go."""
    changes = system.cluster.changes

    def change() -> Any:
        system.cluster.define("shop", module(here, 2, FIXTURE.format(sku="second")), stage=True)
        system.cluster.define("shop", Cell("more", "sql", "sql", MORE, {}, "stock"), stage=True)
        return changes.apply()

    made = system.threads.submit(change)
    until(lambda: (here / "began").exists() or made.done())
    return made


def state_of_newest(system: System) -> str:
    return str(system.cluster.changes.list(1).changesets[0].state)  # type: ignore[attr-defined]


def call_settled(system: System, verb: str) -> Any:
    """A call's answer, once the cluster stands again."""
    answers: list[Any] = []

    def answered() -> bool:
        try:
            answers.append(system.call(verb))
        except FtlError:
            return False
        return True

    until(answered)
    return answers[0]


@pytest.mark.parametrize("name", [*HEADS, "runner"])
def test_what_was_not_decided_has_not_moved(system: System, tmp_path: Path, name: str) -> None:
    before = {p.pid for p in system.processes}
    made = begin(system, tmp_path)
    pid = system.process(name)
    if name == "runner":
        pid = next(p.pid for p in system.processes if p.name.startswith("ftl:runner") and p.pid not in before)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(FtlError):
        made.result(timeout=SOON)
    assert call_settled(system, "shop.version") == 1
    assert call_settled(system, "shop.countItems") == 1
    with pytest.raises(FtlError, match="no verb"):
        system.call("shop.totalPrice")
    until(lambda: state_of_newest(system) == "failed")
    # Nothing of it stands in the way of the next.
    (tmp_path / "go").touch()
    system.cluster.changes.apply()
    assert (system.call("shop.version"), system.call("shop.countItems")) == (2, 2)
    files = [f.name for f in (system.place.state / "databases" / "shop" / "stock").glob("*.duckdb")]
    assert len(files) == 1


@pytest.mark.parametrize("name", ["database", "zygote"])
def test_what_was_prepared_survives_who_comes_back(system: System, tmp_path: Path, name: str) -> None:
    made = begin(system, tmp_path)
    before = system.kill(name)
    until(lambda: system.process(name) != before)
    (tmp_path / "go").touch()
    made.result(timeout=SOON)
    assert system.call("shop.version") == 2
    assert call_settled(system, "shop.countItems") == 2
    assert call_settled(system, "shop.totalPrice") == 2


@pytest.mark.parametrize("name", [*HEADS, "database"])
def test_what_was_decided_has_moved_wholly(system: System, tmp_path: Path, name: str) -> None:
    (tmp_path / "stop").write_text(str(system.process("database")))
    made = begin(system, tmp_path)
    (tmp_path / "go").touch()
    until(lambda: state_of_newest(system) == "committed")
    system.kill(name)
    if name == "database":
        made.result(timeout=SOON)
    else:
        with pytest.raises(FtlError):
            made.result(timeout=SOON)
    assert call_settled(system, "shop.version") == 2
    assert call_settled(system, "shop.countItems") == 2
    assert call_settled(system, "shop.totalPrice") == 2
    until(lambda: state_of_newest(system) == "finalized")


def runners(system: System) -> set[int]:
    return {p.pid for p in system.processes if p.name.startswith("ftl:runner")}


@pytest.mark.parametrize("name", [*HEADS, "zygote", "database", "old runner", "new runner"])
def test_what_drains_may_die_with_everybody_else(system: System, tmp_path: Path, name: str) -> None:
    """A call holds the old runner while the new version serves already."""
    old = runners(system)
    held = system.begin("shop.hold", tmp_path / "held")
    system.cluster.define("shop", module(tmp_path, 2))
    assert state_of_newest(system) == "committed"
    (new,) = runners(system) - old
    pids = {"old runner": old, "new runner": {new}}.get(name) or {system.process(name)}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    if name in (*HEADS, "old runner"):
        with pytest.raises(FtlError):
            held.result(timeout=SOON)
    (tmp_path / "go").touch()
    if name not in (*HEADS, "old runner"):
        assert held.result(timeout=SOON) == 1
    assert call_settled(system, "shop.version") == 2
    assert call_settled(system, "shop.countItems") == 1
    until(lambda: state_of_newest(system) == "finalized")
    until(lambda: len(runners(system)) == 1, what="one runner")
    system.cluster.define("shop", module(tmp_path, 3))
    assert call_settled(system, "shop.version") == 3
    until(lambda: len(runners(system)) == 1, what="one runner")
