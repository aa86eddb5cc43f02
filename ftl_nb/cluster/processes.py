"""What Linux offers to own a tree of processes: subreaper, lifeline, the list of children."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 15, 36


def become_subreaper() -> None:
    """Orphans below this process become its children instead of init's (Linux; elsewhere nothing happens)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def call_itself(name: str) -> None:
    """What `ps` and `top` show of this process, cut at 15 characters (Linux)."""
    _prctl(_PR_SET_NAME, f"ftl:{name}".encode())


def _prctl(option: int, value: int | bytes) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def die_with(lifeline: int) -> None:
    """Starts a thread that kills this process when the other end of the pipe `lifeline` is closed."""

    def wait() -> None:
        poll = select.poll()
        poll.register(lifeline, select.POLLHUP)
        poll.poll()
        # First what this process started itself: nobody else would be left to end it.
        kill_below(os.getpid())
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="ftl-lifeline", daemon=True).start()


def children(of: int | None = None) -> list[int]:
    """The direct children of a process (default: this one), dead ones that nobody has waited for included."""
    found: list[int] = []
    if sys.platform == "linux":
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in list(Path(f"/proc/{of or os.getpid()}/task").iterdir()):
                with suppress(FileNotFoundError, ProcessLookupError):
                    found += [int(pid) for pid in (task / "children").read_text().split()]
    return found


def kill_below(pid: int) -> None:
    """SIGKILL to every descendant of a process, parents first: a dead parent starts nothing more."""
    for child in children(pid):
        below = children(child)
        signal_quietly(child, signal.SIGKILL)
        for grandchild in below:
            kill_below(grandchild)
            signal_quietly(grandchild, signal.SIGKILL)


@contextmanager
def watched(pid: int) -> Iterator[Callable[[float], None]]:
    """`with watched(pid) as wait:` lets `wait(seconds)` return when the process has ended (Linux)."""
    try:
        fd = os.pidfd_open(pid) if sys.platform == "linux" else -1
    except ProcessLookupError:
        fd = -1
    try:
        yield lambda seconds: None if fd < 0 else _wait_readable(fd, seconds)
    finally:
        if fd >= 0:
            os.close(fd)


def _wait_readable(fd: int, seconds: float) -> None:
    select.select([fd], (), (), seconds)


def signal_quietly(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a process that may be gone already; 0 is no process."""
    if pid <= 0:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def reap() -> list[tuple[int, int]]:
    """(pid, status) of every child that has ended and was not waited for."""
    ended = []
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            ended.append((pid, status))
    return ended


class SignalPipe:
    """Turns signals into bytes on a pipe, so that a select loop sees them. For the main thread."""

    def __init__(self, *numbers: signal.Signals) -> None:
        self.read, self._write = os.pipe()
        os.set_blocking(self.read, False)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda *_: None)

    def take(self) -> set[int]:
        with suppress(BlockingIOError):
            return set(os.read(self.read, 4096))
        return set()

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        os.close(self.read)
        os.close(self._write)
