"""A holder learns that its lease is lost, even where the service says nothing at all."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.notebook import Place
from chaos.system import System, running
from chaos.waiting import SOON
from ftl_nb.errors import FtlError

pytestmark = pytest.mark.chaos

HOLDERS = """\
import asyncio
import time
from pathlib import Path
import ftl_nb as ftl

ftl.module("holders")

@ftl.verb(export=True)
def hold(begun: str) -> int:
    with ftl.lease("work", ttl=1) as lease:
        Path(begun).touch()
        while True:
            time.sleep(0.01)

@ftl.verb(export=True)
async def hold_async(begun: str) -> int:
    async with ftl.lease("work", ttl=1):
        Path(begun).touch()
        await asyncio.sleep(60)
    return 1

@ftl.verb(export=True)
def free() -> int:
    with ftl.lease("work", wait=30) as lease:
        return lease.token
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(Place.under(tmp_path_factory.mktemp("chaos"))) as system:
        system.deploy("holders", HOLDERS)
        yield system


@pytest.mark.parametrize("verb", ["hold", "holdAsync"])
def test_a_service_that_is_frozen_costs_the_holder_its_lease(system: System, tmp_path: Path, verb: str) -> None:
    begun = tmp_path / "begun"
    call = system.begin(f"holders.{verb}", begun)
    control = system.process("control")
    os.kill(control, signal.SIGSTOP)
    try:
        with pytest.raises(FtlError, match="The lease work was lost") as caught:
            call.result(timeout=SOON)
    finally:
        os.kill(control, signal.SIGCONT)
    assert caught.value.slug == "lease-lost"
    assert system.call("holders.free") > 0
