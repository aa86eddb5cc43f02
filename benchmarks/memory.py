"""What one more idle runner costs: its private memory beside that of a bare Python gRPC server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.bare import BODY
from benchmarks.bench import Bench
from benchmarks.measure import Row

_REACH = 1.3


def measure(bench: Bench) -> list[Row]:
    """Both have answered calls before, and answer none now."""
    bench.bare.call(BODY)
    ours, floor = private_megabytes(_runner(bench)), private_megabytes(bench.bare.process.pid)
    ratio = ours / floor
    what = "private memory of an idle runner, beside a bare Python gRPC server"
    return [Row("memory", what, "MB", ours, floor, ratio, f"≤ {_REACH}×", ratio <= _REACH, None)]


def private_megabytes(pid: int) -> float:
    """Private_Clean and Private_Dirty of a process."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kilobytes) for kilobytes in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.M)) / 1024


def _runner(bench: Bench) -> int:
    """The runner's process: the verb says it itself."""
    bench.notebook.run(
        "%%ftl_verb --export --module bench\ndef process() -> int:\n    import os\n    return os.getpid()\n"
    )
    pid: Any = bench.notebook.name("process")()
    return int(pid)
