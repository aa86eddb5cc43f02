"""Rows as a line, as the head of the JSON, and as a page."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime

from benchmarks.measure import Row

_HEAD = """# Benchmarks

Written by `python -m benchmarks --docs docs/benchmarks.md` on {date}, Python {python}, {processors} processors.
Each figure stands beside its floor, measured in the same run and in turn with
it, so that the ratio says more than the milliseconds do. `spread` is the lower and upper quartile of what the reach
bounds.

| what | ours | floor | ratio | spread | reach | |
|---|---|---|---|---|---|---|
"""
_FLOORS = """
What the floors are: for calls a bare gRPC server in a process of its own with an echo that decodes and encodes with
msgspec, over the same mutual TLS, with the same number of threads; for two hops two of them, one calling the other;
for SQL one bare hop and the same statement on a DuckDB of the measuring process, each in a loop of its own, added (the
row below it has them as one sequence instead; it decides nothing); for an edited cell an empty cell; for the first
answer of a session two fresh Pythons that import gRPC, protobuf and X.509, one after the other; for memory the bare
server's own; for a commit to the store the same write as a bare transaction of SQLite or of etcd. Throughput is
measured with one event loop as client for both, with ready messages, and one kind of bare server, gRPC's own with
a standard thread pool.

## How far one run can be trusted

The table is one run. Five runs in a row of its fast rows, on the same machine with nothing else on it (2026-11-25):

| row | the five ratios | median | reach | in reach |
|---|---|---|---|---|
| verb call, p50 | 1.41, 1.39, 1.34, 1.43, 1.39 | 1.39× | ≤ 1.4× | 3 of 5 |
| verb call, p99 | 1.93, 1.82, 1.30, 1.78, 1.56 | 1.78× | ≤ 2× | 5 of 5 |
| two hops, p50 | 1.37, 1.35, 1.36, 1.36, 1.36 | 1.36× | ≤ 1.5× | 5 of 5 |
| throughput | 0.77, 0.76, 0.77, 0.79, 0.86 | 0.77× | ≥ 0.65× | 5 of 5 |
| SQL `:one`, p50 | 1.53, 1.55, 1.52, 1.54, 1.50 | 1.53× | ≤ 1.5× | 1 of 5 |
| the same, one sequence | 0.97, 0.99, 0.98, 1.04, 0.97 | 0.98× | – | – |

So the single call stands at its bound, and SQL from a verb misses its own by a little. Under load (more processes than
processors) the call was at 1.45 to 1.5×, p99 at up to 2.5×. Ray is optional: two runs with Ray 2.60
beside it gave the call 0.64× and 0.66× of an actor's.
"""


def measured(rows: Iterable[Row]) -> dict[str, object]:
    """What the figures were measured with."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "all_in_reach": all(row.ok for row in rows),
    }


def line(row: Row) -> str:
    verdict = {True: "in reach", False: "MISSED", None: row.note or "not measured"}[row.ok]
    ours, floor = (_number(v, row.unit) for v in (row.ours, row.floor))
    return f"{row.name:12} {ours:>14} {floor:>14} {_ratio(row.ratio):>7} {_spread(row):>16} {row.reach:>9}  {verdict}"


def page(head: dict[str, object], rows: Iterable[Row]) -> str:
    return _HEAD.format(**head) + "".join(map(_table_line, rows)) + _FLOORS


def _table_line(row: Row) -> str:
    ours, floor = (_number(v, row.unit) for v in (row.ours, row.floor))
    verdict = {True: "✓", False: "missed", None: row.note}[row.ok]
    return f"| {row.what} | {ours} | {floor} | {_ratio(row.ratio)} | {_spread(row)} | {row.reach} | {verdict} |\n"


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}×"


def _spread(row: Row) -> str:
    return "–" if row.spread is None else "–".join(f"{v:.3g}" for v in row.spread)
