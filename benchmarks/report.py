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
| verb call, p50 | 1.19, 1.26, 1.22, 1.23, 1.14 | 1.22× | ≤ 1.4× | 5 of 5 |
| verb call, p99 | 1.09, 1.38, 1.30, 1.57, 0.98 | 1.30× | ≤ 2× | 5 of 5 |
| two hops, p50 | 1.20, 1.18, 1.25, 1.22, 1.24 | 1.22× | ≤ 1.5× | 5 of 5 |
| throughput | 0.88, 0.91, 0.92, 0.92, 0.95 | 0.92× | ≥ 0.65× | 5 of 5 |
| SQL `:one`, p50 | 1.24, 1.31, 1.30, 1.20, 1.27 | 1.27× | ≤ 1.5× | 5 of 5 |
| the same, one sequence | 1.00, 0.98, 1.01, 1.01, 0.98 | 1.00× | – | – |

Beside other work the single call costs more of its bare hop: 25 runs in the noisy hours of a day before had 1.25 to
1.53×, with a median of 1.40×, p99 at up to 3.4×, SQL from a verb 1.37 to 1.52×. Ray is optional: two runs with Ray 2.60
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
