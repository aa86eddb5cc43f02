"""What is interrupted or cancelled here ends there: `aio` by its task, `map` as a whole."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.driver import Notebook, System

#: A verb that would go on for a minute, and writes down how it ended.
SLOW = """
    import ftl_nb as ftl
    ftl.module("slow")
    import threading

    @ftl.verb(export=True)
    def linger(mark: str) -> str:
        try:
            open(mark + ".began", "w").close()
            for _ in range(600):
                threading.Event().wait(0.1)
        finally:
            open(mark + ".ended", "w").close()
        return mark

    @ftl.verb
    async def race(mark: str) -> str:
        import asyncio
        try:
            await asyncio.wait_for(linger.aio(mark), 0.5)
        except TimeoutError:
            return "gave up"
        return "waited"

    @ftl.verb
    def crowd(mark: str) -> int:
        return len(linger.map([f"{mark}{n}" for n in range(3)]))
"""


@pytest.fixture(scope="module")
def slow(system: System) -> Notebook:
    system.notebook.run(SLOW).ok  # noqa: B018
    return system.notebook


def until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    tick, deadline = threading.Event(), time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        tick.wait(0.01)


def ended(mark: Path, seconds: float = 10.0) -> None:
    until(lambda: mark.with_suffix(".ended").exists(), seconds, f"the end of {mark.name}")


def began(mark: Path) -> bool:
    return mark.with_suffix(".began").exists()


def interrupted_when(mark: Path) -> threading.Thread:
    """Interrupts the main thread once the verb with this mark runs."""

    def wait() -> None:
        until(lambda: began(mark), 20.0, f"the beginning of {mark.name}")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_cancelled_aio_ends_its_call(slow: Notebook, tmp_path: Path) -> None:
    mark = tmp_path / "aio"

    async def give_up() -> None:
        task = asyncio.ensure_future(slow["linger"].aio(str(mark)))
        while not began(mark):
            await asyncio.sleep(0.01)
        task.cancel()
        await task

    started = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(give_up())
    ended(mark)
    assert time.monotonic() - started < 20


def test_an_aio_that_a_verb_gives_up_ends_its_call(slow: Notebook, tmp_path: Path) -> None:
    mark = tmp_path / "race"
    assert slow["race"](str(mark)) == "gave up"
    ended(mark)


def test_an_interrupted_map_ends_all_its_calls(slow: Notebook, tmp_path: Path) -> None:
    marks = [tmp_path / f"map{n}" for n in range(3)]
    thread = interrupted_when(marks[-1])
    with pytest.raises(KeyboardInterrupt):
        slow["linger"].map([str(m) for m in marks])
    thread.join()
    for mark in marks:
        ended(mark)


def test_the_end_of_a_verb_ends_what_it_maps(slow: Notebook, tmp_path: Path) -> None:
    thread = interrupted_when(tmp_path / "crowd2")
    with pytest.raises(KeyboardInterrupt):
        slow["crowd"](str(tmp_path / "crowd"))
    thread.join()
    for n in range(3):
        ended(tmp_path / f"crowd{n}")
