"""The first module of a session: a fresh kernel in a fresh folder, from its first defining cell to the first answer."""

from __future__ import annotations

import tempfile
import time
from typing import Any

from benchmarks.bench import Bench
from benchmarks.measure import Row, bounded_row
from benchmarks.notebook import ECHO, MODULE

_ANSWER_SECONDS = 60.0
_SHUTDOWN_SECONDS = 10.0


def measure(bench: Bench) -> list[Row]:
    took = [_first_answer() for _ in range(max(3, bench.scale.repetitions // 2))]
    return [bounded_row("cold", "first %%ftl_module of a session → first answer (module, verb, call)", took, 1500)]


def _first_answer() -> float:
    from jupyter_client.manager import KernelManager

    with tempfile.TemporaryDirectory(prefix="ftl-bench-") as folder:
        manager: Any = KernelManager(kernel_name="python3", transport="ipc")
        manager.start_kernel(cwd=folder)
        client = manager.client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=_ANSWER_SECONDS)
            _run(client, "%load_ext ftl_nb")
            start = time.perf_counter()
            for cell in (MODULE, ECHO, "echo(Body('tea', 1))"):
                _run(client, cell)
            return time.perf_counter() - start
        finally:
            client.stop_channels()
            manager.shutdown_kernel()
            _wait_for_end(folder)


def _run(client: Any, cell: str) -> None:
    reply = client.execute_interactive(cell, timeout=_ANSWER_SECONDS, output_hook=lambda message: None)
    if reply["content"]["status"] != "ok":
        raise RuntimeError(reply["content"].get("evalue", "the kernel gave up"))


def _wait_for_end(folder: str) -> None:
    """Until the kernel's cluster has gone too, so that the folder can be removed and the next start is a cold one."""
    import fcntl
    from pathlib import Path

    with (Path(folder) / ".ftl" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
