"""A SQL verb called from a verb: the floor is the same statement on a DuckDB of our own, and one bare hop."""

from __future__ import annotations

from typing import Any

from benchmarks.bare import BODY
from benchmarks.bench import Bench
from benchmarks.measure import Batch, Row, Turns, in_turn, ratio_row, timed

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
    hop, direct = timed(lambda: bench.bare.call(BODY)), _direct()
    floor: Batch = lambda count: [a + b for a, b in zip(sorted(hop(count)), sorted(direct(count)), strict=True)]  # noqa: E731
    turns: Turns = in_turn(bench.notebook.name("time_queries"), floor, bench.scale)
    what = "SQL verb :one from a verb, p50"
    return [ratio_row("sql", what, turns, 0.5, 1.5, "floor: DuckDB direct + one bare hop")]


def _direct() -> Batch:
    import duckdb

    connection: Any = duckdb.connect()
    connection.execute(TABLE)
    connection.execute(INSERT)
    query = "SELECT price FROM items WHERE sku = $sku"
    return timed(lambda: connection.execute(query, {"sku": "sku7"}).fetchone())
