"""What concurrent clients of a store do and are told, as events with the times of one clock; and how it is checked.

`python history.py PLACE SEED INCARNATION SINCE` lets clients loose on the store there until it is killed, and prints
their events.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ftl_nb.errors import FtlError
from ftl_nb.store import Commit, Condition, Conflict, Delete, Item, Put, Store, Write, open_store

CLIENTS, GROUPS, KEYS = 5, 3, 3
CHECKER = Path(__file__).parent / "checker"
#: One of a client's operation: begun (`call`), ended (`return`, with what came of it), or a commit that a watch gave.
Event = dict[str, Any]
Emit = Callable[[Event], None]


class Client:
    """Reads, and commits on what it read last, which is often no longer so."""

    def __init__(self, store: Store, number: int, seed: str, emit: Emit) -> None:
        self._store, self._number, self._emit = store, number, emit
        self._random = random.Random(f"{seed}/{number}")
        self._seen: dict[str, int] = {}
        self._count = 0

    def run(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            self.step()

    def step(self) -> None:
        self._count += 1
        group = f"g{self._random.randrange(GROUPS)}"
        name = f"{self._number}.{self._count}"
        event: Event = {"name": name, "client": self._number, "group": group, "read": self._random.random() < 0.5}
        if not event["read"]:
            event |= self._asked(group, name)
        self._emit({**event, "call": time.monotonic_ns()})
        try:
            told = self._do(event)
        except FtlError as error:
            told = {"error": error.slug}
        self._emit({"name": name, "return": time.monotonic_ns(), **told})

    def _asked(self, group: str, name: str) -> Event:
        chosen = self._random.sample(range(KEYS), self._random.randint(1, KEYS))
        conditions = [{"key": k, "revision": self._seen.get(f"{group}/{k}", 0)} for k in chosen]
        writes: dict[str, str | None] = {str(k): f"{name}/{k}" for k in chosen}
        if len(chosen) > 1 and self._random.random() < 0.5:
            writes[str(chosen[-1])] = None
        return {"conditions": conditions if self._random.random() < 0.7 else [], "writes": writes}

    def _do(self, event: Event) -> Event:
        group = event["group"]
        if event["read"]:
            items, revision = self._store.range(f"{group}/")
            self._seen |= {f"{group}/{k}": 0 for k in range(KEYS)} | {item.key: item.revision for item in items}
            return {"cells": {item.key[-1]: cell(item) for item in items}, "revision": revision}
        conditions = [Condition(f"{group}/{asked['key']}", asked["revision"]) for asked in event["conditions"]]
        result = self._store.commit(conditions, [write(f"{group}/{k}", v) for k, v in event["writes"].items()])
        if isinstance(result, Conflict):
            return {"conflict": {"key": int(result.condition.key[-1]), "revision": result.found}}
        self._seen |= {f"{group}/{k}": result if v else 0 for k, v in event["writes"].items()}
        return {"revision": result}


def write(key: str, value: str | None) -> Write:
    return Delete(key) if value is None else Put(key, value.encode())


def cell(item: Item) -> dict[str, object]:
    return {"revision": item.revision, "value": item.value.decode()}


def logged(commit: Commit) -> Event:
    """A commit that a watch gave, as an event."""
    cells = {change.key: cell(change.item) if change.item else None for change in commit.changes}
    return {"commit": commit.revision, "cells": cells}


def log_of(place: str | Path, until: int) -> list[Event]:
    """All commits, as a watch from the beginning gives them."""
    with open_store(place) as store, store.watch("", 1) as watch:
        log: list[Event] = []
        while until and (not log or log[-1]["commit"] < until):
            log.append(logged(next(watch)))
        return log


def operations(events: Iterable[Event], log: Sequence[Event]) -> list[Event]:
    """What the checker is given. A commit that nobody was told of happened if the log has it, at any time since."""
    begun: dict[str, Event] = {}
    told: dict[str, Event] = {}
    for event in events:
        if "commit" not in event:
            (begun if "call" in event else told)[event["name"]] = event
    at = {cell["value"]: c["commit"] for c in log for cell in c["cells"].values() if cell}
    out = []
    for name, event in begun.items():
        end = told.get(name, {"error": "store-outcome-unknown"})
        if end.get("error") == "store-outcome-unknown":
            end = {"return": 2**62, "revision": _happened(event, at)}
        elif "error" in end:
            assert end["error"] == "store-away", end
            assert not _happened(event, at), f"{name} failed, and happened"
            continue
        if "conflict" in end or end["revision"] or (event["read"] and "cells" in end):
            out.append({**event, **end})
    return out


def _happened(event: Event, at: dict[str, int]) -> int:
    """The revision of a commit in the log, 0 where it is not there."""
    values = [value for value in event.get("writes", {}).values() if value]
    return next((at[value] for value in values if value in at), 0)


def check_log(log: Sequence[Event], history: Sequence[Event]) -> None:
    """Each commit once, in order, with what was written, and no other."""
    revisions = [entry["commit"] for entry in log]
    assert revisions == sorted(set(revisions)), "a watch gave commits out of order, or twice"
    written = {entry["commit"]: entry["cells"] for entry in log}
    committed = {o["revision"]: o for o in history if not o["read"] and "conflict" not in o}
    assert committed.keys() == written.keys(), "a watch lost commits, or made some up"
    there: dict[str, bool] = defaultdict(bool)
    for revision, operation in sorted(committed.items()):
        expected: dict[str, object] = {}
        for k, value in operation["writes"].items():
            key = f"{operation['group']}/{k}"
            if value or there[key]:
                expected[key] = {"revision": revision, "value": value} if value else None
            there[key] = value is not None
        assert written[revision] == expected


def linearizable(checker: Path, history: Sequence[Event], picture: Path | None = None) -> str:
    """Ok, Illegal or Unknown."""
    keep = ("client", "group", "read", "call", "return", "cells", "conditions", "writes", "revision", "conflict")
    given = json.dumps([{key: o[key] for key in keep if key in o} for o in history])
    words = [str(checker), *([str(picture)] if picture else [])]
    return subprocess.run(words, input=given, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    place, seed, incarnation, since = sys.argv[1:]
    store, lock = open_store(place), threading.Lock()

    def emit(event: Event) -> None:
        line = json.dumps(event) + "\n"
        with lock:
            sys.stdout.write(line)
            sys.stdout.flush()

    def follow() -> None:
        for commit in store.watch("", int(since)):
            emit(logged(commit))

    threading.Thread(target=follow, daemon=True).start()
    numbers = range(int(incarnation) * CLIENTS, (int(incarnation) + 1) * CLIENTS)
    for client in (Client(store, number, seed, emit) for number in numbers):
        threading.Thread(target=client.run, args=(threading.Event(),)).start()


if __name__ == "__main__":
    main()
