"""What every benchmark is made of: batches of timed calls in turn with their floor, percentiles, and the row they give.

Noise of the machine hits both sides alike, since they take turns; a row quotes the median of the rounds' ratios.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

#: Runs that many calls and gives the seconds of each.
Batch = Callable[[int], list[float]]

MILLISECONDS = 1e3


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: rounds and calls a round of the fast rows, repetitions of the slow ones."""

    rounds: int
    calls: int
    repetitions: int


FULL = Scale(rounds=15, calls=200, repetitions=12)
QUICK = Scale(rounds=5, calls=60, repetitions=4)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ratio` is ours to floor; `reach` bounds the ratio or, by `bound`, our own figure.

    `spread` is the lower and upper quartile of what is bounded. `ok` is None where nothing could be measured; `note`
    says why, or on what terms.
    """

    name: str
    what: str
    unit: str
    ours: float | None
    floor: float | None
    ratio: float | None
    reach: str
    ok: bool | None
    spread: tuple[float, float] | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Turns:
    """The rounds of both sides, one batch of seconds each."""

    ours: list[list[float]]
    floor: list[list[float]]

    def ratios(self, quantile: float) -> list[float]:
        pairs = zip(self.ours, self.floor, strict=True)
        return [percentile(a, quantile) / percentile(b, quantile) for a, b in pairs]


def timed(call: Callable[[], object]) -> Batch:
    """A batch of one call after the other."""

    def run(count: int) -> list[float]:
        took = []
        for _ in range(count):
            start = time.perf_counter()
            call()
            took.append(time.perf_counter() - start)
        return took

    return run


def in_turn(ours: Batch, floor: Batch, scale: Scale) -> Turns:
    """Both sides warmed up, then round by round; who goes first alternates."""
    for batch in (floor, ours):
        batch(scale.calls)
    turns = Turns([], [])
    for number in range(scale.rounds):
        sides = [(floor, turns.floor), (ours, turns.ours)]
        for batch, into in sides if number % 2 else reversed(sides):
            into.append(batch(scale.calls))
    return turns


def percentile(samples: Sequence[float], quantile: float) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, round(quantile * (len(ordered) - 1)))]


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    return percentile(values, 0.25), percentile(values, 0.75)


def ratio_row(name: str, what: str, turns: Turns, quantile: float, limit: float, note: str = "") -> Row:
    """A row of two latencies whose ratio is bounded from above by `limit`."""
    ratios = turns.ratios(quantile)
    ratio = statistics.median(ratios)
    ours, floor = (statistics.median(percentile(r, quantile) for r in side) for side in (turns.ours, turns.floor))
    return Row(
        name,
        what,
        "ms",
        ours * MILLISECONDS,
        floor * MILLISECONDS,
        ratio,
        f"≤ {limit:g}×",
        ratio <= limit,
        quartiles(ratios),
        note,
    )


def stated(row: Row) -> Row:
    """The row without a bound: what it costs is said, nothing was set for it."""
    return replace(row, reach="–", ok=None)


def bounded_row(
    name: str, what: str, samples: Sequence[float], limit: float, floor: Sequence[float] = (), note: str = ""
) -> Row:
    """A row whose median is bounded from above by `limit` milliseconds; `samples` and `floor` are seconds."""
    ours = statistics.median(samples)
    below = statistics.median(floor) if floor else None
    low, high = quartiles(samples)
    return Row(
        name,
        what,
        "ms",
        ours * MILLISECONDS,
        below * MILLISECONDS if below else None,
        ours / below if below else None,
        f"≤ {limit:g} ms",
        ours * MILLISECONDS <= limit,
        (low * MILLISECONDS, high * MILLISECONDS),
        note,
    )
