"""Leases of verbs: exclusive in the whole system, given back at the block's end and at the holder's death."""

from __future__ import annotations

import os
import signal
import time

import pytest

from e2e.driver import Notebook, Output

MODULE = """
import os
import threading
import time
import ftl_nb as ftl

arrived = threading.Event()
"""
VERBS = (
    """
    def token_of(name: str) -> int:
        with ftl.lease("work", name) as lease:
            return lease.token
    """,
    """
    def hold(seconds: float) -> int:
        with ftl.lease("work", "held", ttl=1, wait=20):
            arrived.set()
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                time.sleep(0.01)
        return os.getpid()
    """,
    """
    def wait_until_held() -> int:
        arrived.wait(20)
        return os.getpid()
    """,
    """
    async def hold_async(seconds: float) -> str:
        import asyncio
        async with ftl.lease("work", "async", ttl=1):
            await asyncio.sleep(seconds)
        return "held"
    """,
    """
    def patiently(name: str) -> int:
        with ftl.lease("work", name, wait=30) as lease:
            return lease.token
    """,
)


@pytest.fixture(scope="module", autouse=True)
def _leasing(system: object) -> None:
    notebook: Notebook = system.notebook  # type: ignore[attr-defined]
    notebook.module("leasing", MODULE)
    for text in VERBS:
        notebook.verb(text)


def test_tokens_grow_with_every_holder(notebook: Notebook) -> None:
    first, second = (notebook.value("token_of('a')") for _ in range(2))
    assert second > first


def test_a_held_lease_is_refused_at_once_or_waited_for(notebook: Notebook) -> None:
    notebook.run("import threading; holding = threading.Thread(target=lambda: hold(2.5)); holding.start()").ok  # noqa: B018
    notebook.value("wait_until_held()")
    error = notebook.run("token_of('held')").refusal
    assert error.slug == "lease-held"
    assert "work/held is held by module/leasing" in error.message
    # Longer than its life of a second: it is renewed while its holder works.
    began = time.monotonic()
    notebook.value("patiently('held')")
    assert time.monotonic() - began > 1.0
    notebook.run("holding.join()").ok  # noqa: B018


def test_the_death_of_its_holder_ends_a_lease(notebook: Notebook) -> None:
    notebook.run("arrived_before = wait_until_held()")
    _ = notebook.run(
        "import threading\n"
        "def _held():\n    try:\n        hold(60)\n    except Exception:\n        pass\n"
        "holding = threading.Thread(target=_held); holding.start()"
    ).ok
    pid = notebook.value("wait_until_held()")
    while slug_of(notebook.run("token_of('held')")) != "lease-held":
        pass
    os.kill(pid, signal.SIGKILL)
    # A call that was under way to the dead runner is told so.
    while slug_of(freed := notebook.run("patiently('held')")) == "runner-lost":
        pass
    assert freed.ok.value > 0
    notebook.run("holding.join()").ok  # noqa: B018


def slug_of(output: Output) -> str:
    return output.refusal.slug if output.error is not None else ""


def test_an_async_verb_holds_a_lease_over_its_awaits(notebook: Notebook) -> None:
    assert notebook.value("hold_async(1.5)") == "held"


def test_a_notebook_is_no_module_and_so_takes_none(notebook: Notebook) -> None:
    error = notebook.run("import ftl_nb as ftl\nwith ftl.lease('work'):\n    pass").refusal
    assert error.slug == "lease-invalid"
    assert "take it in a verb" in error.message


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("ftl.lease('work', ttl=0.1)", "a lease lasts at least 1 s, 0.1 s were asked for"),
        ("ftl.lease()", "a lease is named by texts that are not empty and hold no '/'"),
        ("ftl.lease('a/b')", "a lease is named by texts that are not empty and hold no '/'"),
    ],
)
def test_a_lease_that_cannot_be_says_why(notebook: Notebook, call: str, why: str) -> None:
    notebook.verb(f"def odd() -> int:\n    with {call}:\n        return 1\n", "--module leasing")
    error = notebook.run("odd()").refusal
    assert why in error.message
