"""A SQL verb called from a verb: the floor is the same statement on a DuckDB of our own, and one bare hop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.bare import BODY
from benchmarks.bench import Bench
from benchmarks.measure import Row, in_turn, ratio_row, timed

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
    direct = _direct()
    # One after the other each time: neither finds the processor's caches as warm as a loop of its own would.
    floor = timed(lambda: (bench.bare.call(BODY), direct()))
    turns = in_turn(bench.notebook.name("time_queries"), floor, bench.scale)
    return [ratio_row("sql", "SQL verb :one from a verb, p50", turns, 0.5, 1.5)]


def _direct() -> Callable[[], object]:
    import duckdb

    connection: Any = duckdb.connect()
    connection.execute(TABLE)
    connection.execute(INSERT)
    query = "SELECT price FROM items WHERE sku = $sku"
    return lambda: connection.execute(query, {"sku": "sku7"}).fetchone()
