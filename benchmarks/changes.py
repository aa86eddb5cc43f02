"""Changesets beside what they cannot do without: the forks and checks that a plan of the same change makes.

And what callers see of a hundred redeployments: how many calls are lost, and how many come late.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

from benchmarks.bench import Bench
from benchmarks.measure import QUICK, Row, percentile, quartiles
from ftl_nb.errors import FtlError

CELL = """%%ftl_verb --export --module {module}
def answer() -> int:
    return {number}
"""
_MANY = 50
_ROUNDS_OF_MANY = 5
_REDEPLOYMENTS = 100
_CALLERS = 2
_LATE = 5
_REACH = 1.3
_numbers = count(1)


def measure(bench: Bench) -> list[Row]:
    rounds = bench.scale.repetitions
    return [_beside_plan(bench, "change_one", 1, rounds), _beside_plan(bench, "change_many", _MANY, _ROUNDS_OF_MANY)]


def _beside_plan(bench: Bench, name: str, modules: int, rounds: int) -> Row:
    """Each round stages a new version of every module, plans it and applies it."""
    _stage(bench, name, modules)
    bench.notebook.run("%ftl apply")
    plans, applied = [], []
    for _ in range(rounds):
        _stage(bench, name, modules)
        plans.append(bench.notebook.run("%ftl plan"))
        applied.append(bench.notebook.run("%ftl apply"))
    ratios = [ours / floor for ours, floor in zip(applied, plans, strict=True)]
    ratio, what = (
        percentile(ratios, 0.5),
        "changeset of one module" if modules == 1 else f"changeset of {modules} modules",
    )
    ours, floor = (percentile(side, 0.5) * 1e3 for side in (applied, plans))
    note = "beside its forks and checks"
    return Row(name, what, "ms", ours, floor, ratio, f"≤ {_REACH:g}×", ratio <= _REACH, quartiles(ratios), note)


def _stage(bench: Bench, name: str, modules: int) -> None:
    """Until they are applied."""
    bench.notebook.run("%ftl stage")
    _define(bench, name, modules)


def _define(bench: Bench, name: str, modules: int = 1) -> None:
    number = next(_numbers)
    bench.notebook.run(*(CELL.format(module=f"{name}_{index}", number=number) for index in range(modules)))


def measure_load(bench: Bench) -> list[Row]:
    """Callers that never pause, while the module they call is redeployed again and again."""
    redeployments = _REDEPLOYMENTS // 10 if bench.scale is QUICK else _REDEPLOYMENTS
    _define(bench, "loaded")
    call = bench.notebook.name("answer")
    with _under_load(call) as calls:
        for _ in range(redeployments):
            _define(bench, "loaded")
    took = [seconds for seconds, is_lost in calls if not is_lost]
    lost, middle = len(calls) - len(took), percentile(took, 0.5)
    late = sum(seconds > _LATE * middle for seconds in took)
    during = f"{redeployments} redeployments under load, {len(calls):,} calls"
    share = 100 * late / len(took)
    return [
        Row("changes_lost", f"calls lost in {during}", "calls", float(lost), None, None, "0", lost == 0, None),
        Row("changes_late", f"calls slower than {_LATE} × p50 in them", "%", share, None, None, "–", None, None),
    ]


@contextmanager
def _under_load(call: Callable[[], object]) -> Iterator[list[tuple[float, bool]]]:
    """The seconds of every call, and whether it was lost."""
    calls: list[tuple[float, bool]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            begun, is_lost = time.perf_counter(), False
            try:
                call()
            except FtlError:
                is_lost = True
            calls.append((time.perf_counter() - begun, is_lost))

    with ThreadPoolExecutor(_CALLERS) as threads:
        callers = [threads.submit(ask) for _ in range(_CALLERS)]
        try:
            yield calls
        finally:
            over.set()
        for caller in callers:
            caller.result()
