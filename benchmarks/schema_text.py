"""A schema of 1,000 modules and 20,000 declarations: read, checked and printed; checked again after one module changed;
and what importing the language costs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from benchmarks.bench import Bench
from benchmarks.measure import MILLISECONDS, QUICK, Row, bounded_row, quartiles
from ftl_nb import schema

_T = TypeVar("_T")
_MODULES = 1_000
_REACH_OF_CHANGE = 0.05
_REACH_OF_IMPORT = 40.0
_ROUNDS = 7
_IMPORT = """
import time
begun = time.perf_counter()
import ftl_nb.schema
print(time.perf_counter() - begun)
"""


def measure(bench: Bench) -> list[Row]:
    """Few rounds: each takes seconds. The change is in a module in the middle, which five others call."""
    modules = _MODULES // 10 if bench.scale is QUICK else _MODULES
    text = _system(modules)
    parsed, parsing = _timed(lambda: schema.parse(text))
    validator = schema.Validator()
    checked, checking = _timed(lambda: validator.validate(parsed).check())
    _, printing = _timed(lambda: str(checked))
    whole = parsing + checking + printing
    what = f"schema of {modules:,} modules, {modules * 20:,} declarations: parsed, validated, printed"
    row = Row("schema_text", what, "ms", whole * MILLISECONDS, None, None, "–", None, None, "no floor")
    return [row, _changed(parsed, validator, checking), _imported()]


def _changed(parsed: schema.Schema, validator: schema.Validator, whole: float) -> Row:
    realm, ratios, took = parsed.realms[0], [], []
    place = len(realm.modules) // 2
    for number in range(_ROUNDS):
        module = realm.modules[place]
        config = schema.Config(f"added{number}", schema.Int())
        modules = (*realm.modules[:place], replace(module, decls=(*module.decls, config)), *realm.modules[place + 1 :])
        _, seconds = _timed(lambda: validator.validate(schema.Schema((replace(realm, modules=modules),))))  # noqa: B023  # called at once
        took.append(seconds)
        ratios.append(seconds / whole)
    ratio, ours = statistics.median(ratios), statistics.median(took) * MILLISECONDS
    what, ok = "the same validated after one module changed, beside the whole", ratio <= _REACH_OF_CHANGE
    floor = whole * MILLISECONDS
    return Row("schema_edit", what, "ms", ours, floor, ratio, f"≤ {_REACH_OF_CHANGE:g}×", ok, quartiles(ratios))


def _imported() -> Row:
    """Each round is a fresh process; the first, which may write bytecode, does not count."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", _IMPORT]
    runs = [
        subprocess.run(command, capture_output=True, text=True, check=True, env=environment) for _ in range(_ROUNDS + 1)
    ]
    return bounded_row("schema_import", "import ftl_nb.schema", [float(r.stdout) for r in runs[1:]], _REACH_OF_IMPORT)


def _timed(call: Callable[[], _T]) -> tuple[_T, float]:
    begun = time.perf_counter()
    value = call()
    return value, time.perf_counter() - begun


def _system(modules: int) -> str:
    return "realm big {\n" + "\n".join(_module(number) for number in range(modules)) + "\n}\n"


def _module(number: int) -> str:
    name = f"mod{number}"
    lines = [
        f"  module {name} {{",
        "    config region String",
        "    secret key String",
        "    database postgres main",
        f"    topic events {name}.Event",
        "      +partitions 4",
        '    enum Tier: String { Gold = "gold" Basic = "basic" }',
        f"    data Event {{ a {name}.D0 b [{name}.D1]? }}",
        *(_data(each) for each in range(7)),
        *(_verb(name, each, f"mod{max(number - each - 1, 0)}") for each in range(5)),
        f"    verb on({name}.Event) Unit",
        f"      +subscribe {name}.events from=latest",
        "      +retry 3 1s",
        "    typealias Money Any",
        "  }",
    ]
    return "\n".join(lines)


def _data(number: int) -> str:
    fields = 'id Int name String? +alias json "n" tags [String] by {String: Float} at Time'
    return f"    // A record.\n    export data D{number} {{ {fields} }}"


def _verb(module: str, number: int, callee: str) -> str:
    lines = [
        f"    export verb v{number}({module}.D{number}) {module}.D{number + 1}",
        f"      +calls {callee}.v{(number + 1) % 5}",
        f"      +database uses {module}.main",
        f"      +config {module}.region",
    ]
    return "\n".join(lines)
