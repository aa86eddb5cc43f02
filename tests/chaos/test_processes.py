"""Each process of a cluster is killed; what was deployed answers again at the next use, without waiting in the test."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.notebook import Place
from chaos.system import System, running
from chaos.tree import all_gone
from chaos.waiting import SOON, until, until_ended
from ftl_nb.errors import FtlError

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One deployment for all of these tests: each leaves a cluster that works, or none."""
    with running(Place.under(tmp_path_factory.mktemp("chaos"))) as system:
        system.deploy()
        system.deploy_stock()
        yield system


@pytest.mark.parametrize("name", ["supervisor", "control"])
def test_a_cluster_without_its_head_is_gone_and_comes_back(system: System, name: str) -> None:
    assert system.call("shop.double", 4) == 8
    system.call("shop.leaveProcesses")
    before = system.processes
    system.kill(name)
    all_gone(system.mark, before)
    assert system.call("shop.double", 21) == 42


@pytest.mark.parametrize("name", ["supervisor", "control"])
def test_a_call_is_told_that_the_cluster_went(system: System, tmp_path: Path, name: str) -> None:
    call = system.begin("shop.spin", tmp_path / "begun")
    system.kill(name)
    with pytest.raises(FtlError, match="cluster is gone") as caught:
        call.result(timeout=SOON)
    assert caught.value.code == "FTL-R602"
    assert caught.value.hint
    assert system.call("shop.double", 21) == 42


def test_the_cluster_goes_on_without_its_zygote(system: System, tmp_path: Path) -> None:
    runner = system.call("shop.process")
    zygote = system.kill("zygote")
    until_ended([zygote])
    assert system.call("shop.process") == runner
    assert system.process("zygote") != zygote
    # Its child of before is still watched, and the new one forks the next.
    os.kill(runner, signal.SIGKILL)
    until_ended([runner])
    assert system.call_after_death("shop.process") != runner


def test_a_call_fails_with_its_runner_and_the_next_one_works(system: System, tmp_path: Path) -> None:
    runner = system.call("shop.process")
    call = system.begin("shop.spin", tmp_path / "begun")
    os.kill(runner, signal.SIGKILL)
    with pytest.raises(FtlError, match="runner of shop died") as caught:
        call.result(timeout=SOON)
    assert caught.value.code == "FTL-V505"
    assert system.call("shop.process") != runner


def sleeping(system: System) -> list[int]:
    return [p.pid for p in system.processes if p.name == "sleep"]


def test_what_a_verb_started_ends_with_its_runner(system: System) -> None:
    runner = system.call("shop.leaveProcesses")
    until(lambda: len(sleeping(system)) == 2, what="both processes")
    left = sleeping(system)
    os.kill(runner, signal.SIGKILL)
    until_ended(left)
    assert system.call_after_death("shop.double", 21) == 42


def test_a_database_comes_back_with_its_rows(system: System) -> None:
    system.call("shop.addItem", "tea")
    rows = system.call("shop.countItems")
    until_ended([system.kill("database")])
    assert system.call_after_death("shop.countItems") == rows


def test_a_verb_that_never_returns_is_ended_at_its_deadline(system: System, tmp_path: Path) -> None:
    runner, begun = system.call("shop.process"), tmp_path / "begun"
    with pytest.raises(FtlError) as caught:
        system.call("shop.spin", str(begun), timeout=0.5)
    assert caught.value.code == "FTL-V503"
    assert "with_timeout" in caught.value.hint
    assert system.call("shop.process") == runner
    until(Path(f"{begun}.ended").exists)


def test_a_runner_that_cannot_end_a_call_gives_way(system: System, tmp_path: Path) -> None:
    runner = system.call("shop.process")
    with pytest.raises(FtlError, match="did not answer"):
        system.call("shop.stick", str(tmp_path / "begun"), timeout=0.5)
    until_ended([runner], SOON)
    assert system.call_after_death("shop.process") != runner
