"""The first module of a session: a fresh kernel in a fresh folder, from its first defining cell to the first answer.

As after an installation the package's bytecode is there. Beside it stands what no cluster of processes over mutual TLS
can start without, twice, for the kernel and for the cluster: a fresh Python that imports gRPC, protobuf and X.509.
"""

from __future__ import annotations

import compileall
import fcntl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ftl_nb
from benchmarks.bench import Bench
from benchmarks.measure import Row, bounded_row
from benchmarks.notebook import ECHO, MODULE

_ANSWER_SECONDS = 60.0


_IMPORTS = "import grpc, google.protobuf.message, cryptography.x509, msgspec"


def measure(bench: Bench) -> list[Row]:
    compileall.compile_dir(Path(ftl_nb.__file__).parent, quiet=1)
    took, floor = [], []
    for _ in range(max(3, bench.scale.repetitions // 2)):
        floor.append(_imports())
        took.append(_first_answer())
    what = "first %%ftl_module of a session → first answer (module, verb, call)"
    return [bounded_row("cold", what, took, 1500, floor)]


def _imports() -> float:
    start = time.perf_counter()
    for _ in range(2):
        subprocess.run([sys.executable, "-c", _IMPORTS], check=True)
    return time.perf_counter() - start


def _first_answer() -> float:
    from jupyter_client.manager import KernelManager

    with tempfile.TemporaryDirectory(prefix="ftl-bench-") as folder:
        manager: Any = KernelManager(kernel_name="python3")
        manager.start_kernel(cwd=folder, extra_arguments=["--log-level=ERROR"])
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
    path = Path(folder) / ".ftl" / "lock"
    if path.exists():
        with path.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
