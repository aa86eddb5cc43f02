"""Clients that come and go at awkward moments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

import pytest

from chaos.notebook import Place
from chaos.system import System, running
from chaos.tree import all_gone
from chaos.waiting import SOON, until, until_ended
from ftl_nb.cluster import join
from ftl_nb.cluster.project import Project

pytestmark = pytest.mark.chaos

#: A script that joins at a signal, calls, says what came, and leaves when its input ends.
SCRIPT = """\
import sys
import ftl_nb as ftl
cluster = ftl.Cluster()
print("there", flush=True)
sys.stdin.readline()
print(cluster.call("shop.double", 21), flush=True)
sys.stdin.read()
cluster.close()
"""
DESK = """\
import ftl_nb as ftl

ftl.module("desk")


@ftl.verb(export=True)
def one() -> int:
    return 1
"""
#: A starter that is killed by nobody but itself, after the cluster runs and before it has said hello.
DIES = """\
import os, signal
from ftl_nb.cluster import lifeline, project_of
lifeline._greet = lambda *_: None
try:
    lifeline.join(project_of(), "test", "dies")
except Exception:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def system(place: Place) -> Iterator[System]:
    with running(place) as system:
        yield system


def script(system: System, text: str = SCRIPT) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=system.place.folder,
        env=system.place.environment(system.mark),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def stream(found: IO[str] | None) -> IO[str]:
    assert found is not None
    return found


def say(client: subprocess.Popen[str], word: str) -> None:
    stream(client.stdin).write(word + "\n")
    stream(client.stdin).flush()


def hear(client: subprocess.Popen[str]) -> str:
    return stream(client.stdout).readline().strip()


def end(client: subprocess.Popen[str]) -> None:
    with client:
        stream(client.stdin).close()
        assert client.wait(SOON) == 0


def test_clients_that_start_it_at_the_same_moment_share_one_cluster(system: System) -> None:
    system.deploy()
    before = list(system.processes)
    system.cluster.close()
    all_gone(system.mark, before)
    clients = [script(system) for _ in range(3)]
    assert [hear(client) for client in clients] == ["there"] * 3
    for client in clients:
        say(client, "join")
    assert [hear(client) for client in clients] == ["42"] * 3
    assert len([p for p in system.processes if p.name == "ftl:supervisor"]) == 1
    for client in clients:
        end(client)
    until(lambda: not system.processes, what="all are gone")


def test_the_cluster_stays_while_one_client_does(system: System) -> None:
    system.deploy()
    other = script(system)
    say(other, "join")
    assert [hear(other), hear(other)] == ["there", "42"]
    runner = system.call("shop.process")
    os.kill(other.pid, signal.SIGKILL)
    with other:
        other.wait(SOON)
    assert system.call("shop.process") == runner


def test_the_last_client_of_two_takes_it_along(system: System) -> None:
    system.deploy()
    other = script(system)
    say(other, "join")
    assert [hear(other), hear(other)] == ["there", "42"]
    system.cluster.close()
    before = [p for p in system.processes if p.pid != other.pid]
    assert len(before) >= 4
    end(other)
    until_ended(p.pid for p in before)


def test_a_client_that_joins_while_the_last_one_leaves_gets_a_cluster(system: System) -> None:
    system.deploy()
    for _ in range(5):
        supervisor = system.cluster.session.supervisor
        system.cluster.close()
        assert system.call("shop.double", 21) == 42
        assert system.cluster.session.supervisor != supervisor


def test_a_starter_that_dies_before_it_joins_leaves_nothing_for_long(system: System) -> None:
    client = script(system, DIES)
    with client:
        assert client.wait(SOON) == -signal.SIGKILL
    assert system.processes
    until(lambda: not system.processes, SOON, "the cluster without a client is gone")


def test_a_starter_that_died_is_followed_by_one_that_joins(system: System) -> None:
    client = script(system, DIES)
    with client:
        client.wait(SOON)
    supervisor = system.process("supervisor")
    system.deploy()
    assert system.cluster.session.supervisor == supervisor


def test_a_client_that_is_stopped_holds_nobody_up(system: System) -> None:
    system.deploy()
    other = script(system)
    say(other, "join")
    assert [hear(other), hear(other)] == ["there", "42"]
    os.kill(other.pid, signal.SIGSTOP)
    try:
        system.deploy(
            "desk",
            "import ftl_nb as ftl\nftl.module('desk')\n@ftl.verb(export=True)\ndef one() -> int:\n    return 1\n",
        )
        assert system.call("desk.one") == 1
    finally:
        os.kill(other.pid, signal.SIGCONT)
    end(other)


def test_a_process_that_a_client_forks_is_no_client(system: System) -> None:
    """A kernel's children may outlive it; its cluster does not."""
    made = join(Project(system.place.folder, system.place.state, "play"), "test", "forks")
    supervisor = made.welcome.supervisor
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    made.close()
    try:
        assert until_ended([supervisor]) < SOON
    finally:
        os.close(write)
        os.waitpid(child, 0)
