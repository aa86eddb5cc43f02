"""Strong consistency, tested: clients of a store read, commit and watch at once while what serves it is harmed.

Every history goes to porcupine. `FTL_STORE_SECONDS` says how long each is (make chaos), `FTL_STORE_SEED` repeats one.
"""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ftl_nb.store import open_store
from store.etcd import Etcd, Member
from store.history import (
    CHECKER,
    CLIENTS,
    GROUPS,
    Client,
    Event,
    check_log,
    linearizable,
    log_of,
    logged,
    operations,
)

SECONDS = float(os.environ.get("FTL_STORE_SECONDS", "8"))
pytestmark = pytest.mark.timeout(100 + 5 * SECONDS)


@pytest.fixture(scope="session")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.fail("the checker of histories needs Go: make servers")
    built = tmp_path_factory.mktemp("checker") / "checker"
    done = subprocess.run(["go", "build", "-o", str(built), "."], cwd=CHECKER, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return built


@pytest.fixture
def seed() -> str:
    """Printed where the test fails."""
    seed = os.environ.get("FTL_STORE_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"FTL_STORE_SEED={seed}")
    return seed


def a(kind: str, call: int, end: int, revision: int = 0, client: int = 0, **more: object) -> Event:
    return {"client": client, "group": "g", "read": kind == "read", "call": call, "return": end} | (
        {"revision": revision} | more
    )


def held(revision: int, value: str = "v") -> dict[str, Event]:
    return {"0": {"revision": revision, "value": value}}


FIRST = a("commit", 1, 2, 1, writes={"0": "v"})
AT_FIRST = [{"key": 0, "revision": 1}]
HISTORIES = {
    "read your write": ("Ok", [FIRST, a("read", 3, 4, 1, cells=held(1))]),
    "stale read": ("Illegal", [FIRST, a("read", 3, 4, 0, cells={})]),
    "stale while it happens": ("Ok", [a("commit", 1, 9, 1, writes={"0": "v"}), a("read", 3, 4, 0, 1, cells={})]),
    "went back": (
        "Illegal",
        [
            a("commit", 1, 9, 1, writes={"0": "v"}),
            a("read", 3, 4, 1, 1, cells=held(1)),
            a("read", 5, 6, 0, 2, cells={}),
        ],
    ),
    "both won": (
        "Illegal",
        [FIRST, *(a("commit", 3, 9, 2 + n, n, conditions=AT_FIRST, writes={"0": f"{n}"}) for n in range(2))],
    ),
    "one lost": (
        "Ok",
        [
            FIRST,
            a("commit", 3, 9, 2, 1, conditions=AT_FIRST, writes={"0": "w"}),
            a("commit", 3, 9, 0, 2, conditions=AT_FIRST, writes={"0": "x"}, conflict={"key": 0, "revision": 2}),
        ],
    ),
    "lost to nobody": (
        "Illegal",
        [FIRST, a("commit", 3, 4, conditions=AT_FIRST, writes={"0": "x"}, conflict={"key": 0, "revision": 2})],
    ),
    "revision went back": ("Illegal", [a("commit", 1, 2, 5, writes={"0": "v"}), a("commit", 3, 4, 4, writes={})]),
    "deleted": (
        "Ok",
        [FIRST, a("commit", 3, 4, 2, writes={"0": None, "1": "w"}), a("read", 5, 6, 2, cells={"1": held(2, "w")["0"]})],
    ),
}


@pytest.mark.parametrize(("verdict", "history"), HISTORIES.values(), ids=HISTORIES)
def test_the_checker_tells_right_from_wrong(checker: Path, verdict: str, history: list[Event]) -> None:
    assert linearizable(checker, history) == verdict


def checked(checker: Path, events: list[Event], log: list[Event], folder: Path) -> list[Event]:
    history = operations(events, log)
    check_log(log, history)
    picture = folder / "history.html"
    assert linearizable(checker, history, picture) == "Ok", f"a picture of the history is {picture}"
    return history


def read_until_killed(place: Path, seed: str, incarnation: int, since: int, seconds: float) -> list[Event]:
    """What clients in a process of their own said until it was killed, at no matter which point."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, str(CHECKER.parent / "history.py"), str(place), seed, str(incarnation), str(since)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        lines += process.stdout.readlines()
    return [json.loads(line) for line in lines if line.endswith("\n")]


def test_the_embedded_store_is_linearizable_when_its_process_is_killed(
    checker: Path, tmp_path: Path, seed: str
) -> None:
    place, draw = tmp_path / "state", random.Random(seed)
    events: list[Event] = []
    seen: list[Event] = []
    give_up = time.monotonic() + SECONDS
    for incarnation in count():
        if time.monotonic() > give_up:
            break
        since = seen[-1]["commit"] + 1 if seen else 1
        heard = read_until_killed(place, seed, incarnation, since, draw.uniform(0.05, 1.0))
        events += heard
        seen += [event for event in heard if "commit" in event]
    with open_store(place) as store:
        until = store.revision
    log = log_of(place, until)
    assert seen == log[: len(seen)], "a watch lost something over a death"
    history = checked(checker, events, log, tmp_path)
    assert len({o["client"] // CLIENTS for o in history}) > 2
    assert len(log) > 50


def test_a_stale_read_planted_in_a_real_history_is_found(checker: Path, tmp_path: Path, seed: str) -> None:
    events = read_until_killed(tmp_path / "state", seed, 0, 1, 1.0)
    with open_store(tmp_path / "state") as store:
        until = store.revision
    history = checked(checker, events, log_of(tmp_path / "state", until), tmp_path)
    planted = copy.deepcopy(history)
    commits = [o for o in planted if not o["read"] and "conflict" not in o and o["return"] < 2**62]
    reads = [o for o in planted if o["read"]]
    stale, before = next(
        (late, early)
        for early in reads
        for commit in commits
        for late in reversed(reads)
        if late["group"] == early["group"] == commit["group"]
        and early["return"] < commit["call"]
        and commit["return"] < late["call"]
        and early["cells"] != late["cells"]
    )
    stale["cells"] = before["cells"]
    assert linearizable(checker, planted) == "Illegal"


class Harm:
    """Kills and freezes members, one at a time and now and then two, so that nothing can be committed."""

    def __init__(self, etcd: Etcd, seed: str) -> None:
        self._etcd = etcd
        self._random = random.Random(f"{seed}/harm")
        self.done = {"kill": 0, "pause": 0}

    def run(self, seconds: float) -> None:
        give_up, pause = time.monotonic() + seconds, threading.Event()
        while time.monotonic() < give_up:
            pause.wait(self._random.uniform(0.2, 0.8))
            members = self._random.sample(self._etcd.members, self._random.choice((1, 1, 1, 2)))
            kind = self._random.choice(("kill", "pause"))
            self.done[kind] += 1
            for member in members:
                self._begin(kind, member)
            pause.wait(self._random.uniform(0.2, 1.5))
            for member in members:
                member.start() if kind == "kill" else member.resume()

    def _begin(self, kind: str, member: Member) -> None:
        member.kill() if kind == "kill" else member.pause()


@pytest.fixture
def harmed(tmp_path: Path) -> Iterator[Etcd]:
    """Three members of this test alone."""
    with Etcd(tmp_path) as etcd:
        yield etcd.wait()


class Run:
    """Clients, each with its own first member, and two watches, while `harm` is done."""

    def __init__(self, etcd: Etcd, seed: str) -> None:
        self._etcd, self._seed = etcd, seed
        self.events: list[Event] = []
        self.watched: list[list[Event]] = [[], []]
        self.log: list[Event] = []
        self._stopped = threading.Event()

    def address(self, number: int) -> str:
        return self._etcd.address("history", number % len(self._etcd.members), patience=5)

    def during(self, harm: Harm, seconds: float) -> None:
        stores = [open_store(self.address(number)) for number in range(CLIENTS)]
        followed = [open_store(self.address(number)) for number in range(2)]
        watches = [store.watch("", 1) for store in followed]
        clients = [Client(store, n, self._seed, self.events.append) for n, store in enumerate(stores)]
        threads = [threading.Thread(target=client.run, args=(self._stopped,)) for client in clients]
        watching = [
            threading.Thread(target=lambda into, watch: into.extend(map(logged, watch)), args=pair)
            for pair in zip(self.watched, watches, strict=True)
        ]
        for thread in [*threads, *watching]:
            thread.start()
        harm.run(seconds)
        self._stopped.set()
        for thread in threads:
            thread.join(60)
        self._wait_for_watches()
        for store in [*stores, *followed]:
            store.close()
        for thread in watching:
            thread.join(60)
            assert not thread.is_alive()

    def _wait_for_watches(self) -> None:
        """Until both have seen the last commit."""
        address = self._etcd.address("history", patience=60)
        self.log = log = log_of(address, newest(address))
        give_up, pause = time.monotonic() + 60, threading.Event()
        while time.monotonic() < give_up and any(watched[-1:] != log[-1:] for watched in self.watched):
            pause.wait(0.05)


def newest(address: str) -> int:
    """The revision of the last commit: every one of a client puts a key."""
    with open_store(address) as store:
        items, _ = store.range("")
    return max(item.revision for item in items)


def test_the_store_on_etcd_is_linearizable_while_its_members_die_and_freeze(
    checker: Path, harmed: Etcd, tmp_path: Path, seed: str
) -> None:
    harm, run = Harm(harmed, seed), Run(harmed, seed)
    run.during(harm, SECONDS)
    assert run.watched[0] == run.watched[1] == run.log, "a watch lost something, or gave it twice"
    history = checked(checker, run.events, run.log, tmp_path)
    assert {o["group"] for o in history} == {f"g{n}" for n in range(GROUPS)}
    print(f"{len(history)} operations, {len(run.log)} commits, {harm.done}")
    assert len(run.log) > 50
