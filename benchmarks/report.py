"""Rows as a line, as the head of the JSON, and as a page."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime

from benchmarks.measure import Row

_HEAD = """# Benchmarks

Written by `python -m benchmarks --docs docs/benchmarks.md` on {date}, Python {python}, {processors} processors, other
work on the machine at the same time. Each figure stands beside its floor, measured in the same run and in turn with
it, so that the ratio says more than the milliseconds do. `spread` is the lower and upper quartile of what the reach
bounds.

| what | ours | floor | ratio | spread | reach | |
|---|---|---|---|---|---|---|
"""
_FLOORS = """
What the floors are: for calls a bare gRPC server in a process of its own with an echo that decodes and encodes with
msgspec, over the same mutual TLS, with the same number of threads; for two hops two of them, one calling the other;
for SQL one bare hop and then the same statement on a DuckDB of the measuring process; for an edited cell an empty
cell; for the first answer of a session two fresh Pythons that import gRPC, protobuf and X.509, one after the other; for
memory the bare server's own. Throughput is measured with one event loop as client for both, with ready messages.

On a machine that is busy with other things the single call is the first to leave its reach (runs on the same machine
under load: p50 up to 1.5×, p99 up to 2.5×), and the first answer of a session grows with its floor: colder caches weigh
more on Python code than on gRPC's, and a cold start is nothing but processor time.
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
    verdict = {True: "in reach", False: "MISSED", None: "not measured"}[row.ok]
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
