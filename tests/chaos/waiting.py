"""Every deadline of these tests, and the only ways in which they wait."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

#: What the contract gives a cluster to be gone in.
GONE = 2.0
#: A kernel's start, a cell, a cluster's start on a loaded machine of two cores.
KERNEL = 60.0
CELL = 60.0
SOON = 20.0
_TICK = 0.01


def until(holds: Callable[[], object], seconds: float = SOON, what: str = "") -> float:
    """Asks again and again until `holds()` is true; the seconds it took. Fails after `seconds`."""
    started = time.monotonic()
    tick = threading.Event()
    while not holds():
        took = time.monotonic() - started
        assert took < seconds, f"after {seconds:g} s still not: {what or holds}"
        tick.wait(_TICK)
    return time.monotonic() - started


def until_ended(pids: Iterable[int], seconds: float = GONE) -> float:
    """Waits on pidfds until every process has ended (a zombie has); the seconds it took. Fails naming the living."""
    started = time.monotonic()
    waiting = {fd: pid for pid in pids if (fd := _pidfd(pid)) is not None}
    poll = select.poll()
    for fd in waiting:
        poll.register(fd, select.POLLIN)
    try:
        while waiting:
            left = seconds - (time.monotonic() - started)
            ready = poll.poll(max(left, 0) * 1000)
            assert ready, f"after {seconds:g} s still alive: {', '.join(map(named, waiting.values()))}"
            for fd, _ in ready:
                poll.unregister(fd)
                os.close(fd)
                del waiting[fd]
    finally:
        for fd in waiting:
            os.close(fd)
    return time.monotonic() - started


def _pidfd(pid: int) -> int | None:
    with suppress(ProcessLookupError):
        return os.pidfd_open(pid)
    return None


def named(pid: int) -> str:
    """A process for a message: its id, state and command line."""
    with suppress(OSError):
        proc = Path(f"/proc/{pid}")
        command = proc.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return f"{pid} ({proc.joinpath('stat').read_text().rpartition(')')[2].split()[0]}) {command[-120:]}"
    return f"{pid} (gone)"
