"""A cell edited, run and its new version asked: in the time of a fork, a compile and a check."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from benchmarks.bench import Bench
from benchmarks.measure import Row, bounded_row, percentile, quartiles

EDITED = """%%ftl_verb --export{where}
def {name}() -> int:
    return {number}
"""
MODULE = """%%ftl_module {name}
{imports}
def _helper() -> int:
    return 1
"""
_numbers = count(1)


def _edit(bench: Bench, name: str, where: str = "") -> float:
    """Seconds from running the edited cell to the new version's answer; any other answer is an error."""
    number = next(_numbers)
    took = bench.notebook.run(EDITED.format(where=where, name=name, number=number), f"_answer = {name}()")
    if bench.notebook.name("_answer") != number:
        raise RuntimeError("an old version answered")
    return took


def measure(bench: Bench) -> list[Row]:
    _edit(bench, "edited", " --module bench")
    took, floor = [], []
    for _ in range(bench.scale.repetitions):
        floor.append(bench.notebook.run("pass"))
        took.append(_edit(bench, "edited", " --module bench"))
    return [bounded_row("edit", "edited verb cell → new version answers, warm, p50", took, 200, floor)]


def measure_unchanged(bench: Bench) -> list[Row]:
    cell = EDITED.format(where=" --module bench", name="same", number=0)
    bench.notebook.run(cell)
    took = [bench.notebook.run(cell) for _ in range(bench.scale.repetitions)]
    return [bounded_row("unchanged", "unchanged cell", took, 20)]


def measure_packages(bench: Bench) -> list[Row]:
    """A module that imports pandas beside one that imports nothing."""
    names = {"heavy": "import pandas", "light": ""}
    for name, imports in names.items():
        bench.notebook.run(MODULE.format(name=name, imports=imports))
        _edit(bench, f"{name}_verb", f" --module {name}")
    pairs = list(_pairs(bench))
    ratios = [heavy / light for heavy, light in pairs]
    ratio = percentile(ratios, 0.5)
    heavy, light = (percentile(side, 0.5) * 1e3 for side in zip(*pairs, strict=True))
    what = "edited cell of a module that imports pandas, beside one that imports nothing"
    return [Row("packages", what, "ms", heavy, light, ratio, "≤ 1.2×", ratio <= 1.2, quartiles(ratios))]


def _pairs(bench: Bench) -> Iterator[tuple[float, float]]:
    for _ in range(bench.scale.repetitions):
        yield _edit(bench, "heavy_verb", " --module heavy"), _edit(bench, "light_verb", " --module light")
