"""The processes of one cluster, found by a mark in the environment that every one of them inherits."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chaos.waiting import GONE, named, until, until_ended

MARK = "FTL_CHAOS_MARK"


@dataclass(frozen=True, slots=True)
class Found:
    """One living process; `name` is what it calls itself."""

    pid: int
    parent: int
    name: str
    command: str


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    with suppress(OSError):
        return _stat(pid)[0] not in ("Z", "X")
    return False


def marked(mark: str) -> list[Found]:
    """Every living process whose environment has the mark."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for proc in Path("/proc").iterdir():
        if not proc.name.isdigit():
            continue
        with suppress(OSError):
            if wanted in proc.joinpath("environ").read_bytes().split(b"\0"):
                state, parent = _stat(int(proc.name))
                if state not in ("Z", "X"):
                    command = proc.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    name = proc.joinpath("comm").read_text().strip()
                    found.append(Found(int(proc.name), parent, name, command.strip()))
    return found


def _stat(pid: int) -> tuple[str, int]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[1])


def all_gone(mark: str, before: list[Found], seconds: float = GONE) -> float:
    """Waits until what was seen before has ended and nothing with the mark is left; the seconds it took."""
    started = time.monotonic()
    until_ended((one.pid for one in before), seconds)
    left = seconds - (time.monotonic() - started)
    until(lambda: not marked(mark), max(left, 0.01), ", ".join(named(p.pid) for p in marked(mark)))
    return time.monotonic() - started
