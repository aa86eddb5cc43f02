"""What `%load_ext ftl_nb` costs a shell that is there already, beside importing the shell itself."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from benchmarks.bench import Bench
from benchmarks.measure import Row

_REACH_MS = 150.0
_ROUNDS = 7
_PROGRAM = """
import time
begun = time.perf_counter()
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell()
there = time.perf_counter()
shell.run_line_magic("load_ext", "ftl_nb")
print(there - begun, time.perf_counter() - there)
"""


def measure(bench: Bench) -> list[Row]:
    """Each round is a fresh process; the first, which may write bytecode, does not count."""
    rounds = [_round() for _ in range(_ROUNDS + 1)][1:]
    floor, ours = (statistics.median(r[i] for r in rounds) for i in (0, 1))
    quarters = statistics.quantiles([r[1] for r in rounds], n=4)
    what = "%load_ext ftl_nb, beside importing IPython's shell"
    ok = ours <= _REACH_MS
    return [Row("load_ext", what, "ms", ours, floor, ours / floor, "≤ 150 ms", ok, (quarters[0], quarters[2]))]


def _round() -> tuple[float, float]:
    """Milliseconds of the shell, and of the extension."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    shell, extension = (float(word) * 1000 for word in done.stdout.split())
    return shell, extension
