"""The same call to a Ray actor, where ray can be had; `ray_driver` is its driver's process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.measure import Batch, Row, in_turn, ratio_row

_WHAT = "the same verb call beside a Ray actor call, p50"


def measure(bench: Bench) -> list[Row]:
    from benchmarks.call import calls

    if not bench.ray_python:
        note = "not measured: ray is not installed (see --ray-python)"
        return [Row("ray", _WHAT, "ms", None, None, None, "< 1×", None, None, note)]
    with _driver(bench.ray_python) as actor:
        turns = in_turn(calls(bench, "echo"), actor, bench.scale)
    return [ratio_row("ray", _WHAT, turns, 0.5, 1.0)]


@contextmanager
def _driver(python: str) -> Iterator[Batch]:
    driver = subprocess.Popen(
        [python, str(Path(__file__).with_name("ray_driver.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    given, made = driver.stdin, driver.stdout
    if given is None or made is None:
        raise RuntimeError("the pipes of a child are always there")

    def batch(count: int) -> list[float]:
        given.write(f"{count}\n")
        given.flush()
        took: list[float] = json.loads(next(line for line in made if line.startswith("[")))
        return took

    try:
        yield batch
    finally:
        driver.communicate()
