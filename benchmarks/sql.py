"""A SQL verb called from a verb: the floor is the same statement on a DuckDB of our own, and one bare hop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks.bare import BODY
from benchmarks.bench import Bench
from benchmarks.measure import Batch, Row, in_turn, ratio_row, timed

TABLE = "CREATE TABLE items (sku TEXT PRIMARY KEY, price DOUBLE NOT NULL)"
INSERT = "INSERT INTO items SELECT 'sku' || i, i FROM range(1000) t(i)"
DATABASE = f"""%%ftl_sql bench.stock
-- migrate:up
{TABLE};
{INSERT};

-- name: PriceOf :one
SELECT price FROM items WHERE sku = @sku;
"""
CALLER = """%%ftl_verb --export --module bench
def time_queries(count: int, *, price_of) -> list[float]:
    import time
    took = []
    for _ in range(count):
        start = time.perf_counter()
        price_of("sku7")
        took.append(time.perf_counter() - start)
    return took
"""


def measure(bench: Bench) -> list[Row]:
    bench.notebook.run(DATABASE, CALLER)
    direct, ours = _direct(), bench.notebook.name("time_queries")
    hop, statement = timed(lambda: bench.bare.call(BODY)), timed(direct)
    what = "SQL verb :one from a verb, p50"
    return [
        ratio_row("sql", what, in_turn(ours, _sum(hop, statement), bench.scale), 0.5, 1.5),
        _in_sequence(ours, direct, bench),
    ]


def _sum(hop: Batch, statement: Batch) -> Batch:
    """The floor that decides: each part timed in a loop of its own, and the two added."""
    return lambda count: [a + b for a, b in zip(sorted(hop(count)), sorted(statement(count)), strict=True)]


def _in_sequence(ours: Batch, direct: Callable[[], object], bench: Bench) -> Row:
    """For comparison: hop and statement as one sequence find the processor's caches as cold as a verb's do."""
    turns = in_turn(ours, timed(lambda: (bench.bare.call(BODY), direct())), bench.scale)
    row = ratio_row("sql_sequence", "the same beside hop and statement timed as one sequence", turns, 0.5, 1.5)
    return replace(row, reach="–", ok=None, note="for comparison")


def _direct() -> Callable[[], object]:
    import duckdb

    connection: Any = duckdb.connect()
    connection.execute(TABLE)
    connection.execute(INSERT)
    query = "SELECT price FROM items WHERE sku = $sku"
    return lambda: connection.execute(query, {"sku": "sku7"}).fetchone()
