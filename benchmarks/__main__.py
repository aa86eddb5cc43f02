"""`python -m benchmarks`: measures the rows, prints them, writes their JSON and, with `--docs`, their page."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks import (
    call,
    changes,
    cold,
    edit,
    load_ext,
    memory,
    ray_actor,
    report,
    schema_json,
    schema_text,
    sql,
    store,
    throughput,
    timeline,
)
from benchmarks.bench import Bench, running
from benchmarks.measure import FULL, QUICK, Row

RESULTS = Path(__file__).parent / "results"
MEASURES: dict[str, Callable[[Bench], list[Row]]] = {
    "call": call.measure,
    "ray": ray_actor.measure,
    "two_hops": call.measure_two_hops,
    "throughput": throughput.measure,
    "edit": edit.measure,
    "cold": cold.measure,
    "load_ext": load_ext.measure,
    "unchanged": edit.measure_unchanged,
    "packages": edit.measure_packages,
    "sql": sql.measure,
    "memory": memory.measure,
    "schema_text": schema_text.measure,
    "schema_json": schema_json.measure,
    "store": store.measure,
    "timeline": timeline.measure,
    # The last: they leave many modules.
    "changes": changes.measure,
    "redeployments": changes.measure_load,
}


def main(arguments: list[str] | None = None) -> int:
    """The exit status is 1 where a row that could be measured misses its reach."""
    options = _parser().parse_args(arguments)
    rows: list[Row] = []
    with running(QUICK if options.quick else FULL, options.ray_python) as bench:
        for name in options.only or MEASURES:
            for row in MEASURES[name](bench):
                rows.append(row)
                print(report.line(row), file=sys.stderr, flush=True)
    measured = report.measured(rows)
    text = json.dumps({**measured, "rows": [asdict(row) for row in rows]}, indent=2, ensure_ascii=False) + "\n"
    if options.out == "-":
        sys.stdout.write(text)
    else:
        path = Path(options.out) if options.out else RESULTS / "latest.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if options.docs:
        Path(options.docs).write_text(report.page(measured, rows), encoding="utf-8")
    return int(any(row.ok is False for row in rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--out", default="", help="the JSON's file; - for standard output (benchmarks/results/latest.json)"
    )
    parser.add_argument("--docs", default="", help="also write the table as a page of markdown")
    parser.add_argument("--only", action="append", choices=sorted(MEASURES), help="measure this row alone; repeatable")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that it runs, not to quote")
    ray = sys.executable if importlib.util.find_spec("ray") else ""
    parser.add_argument("--ray-python", default=ray, help="an interpreter that has ray, where this one has not")
    return parser


if __name__ == "__main__":
    sys.exit(main())
