"""A cluster with this process as its client, and a module whose verbs can be caught in the act."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chaos.notebook import Place
from chaos.tree import Found, all_gone, marked
from chaos.waiting import until
from ftl_nb.binding import dispatch
from ftl_nb.binding.source import Cell
from ftl_nb.console import Cluster
from ftl_nb.errors import FtlError

SHOP = """\
import os
import subprocess
import time
from pathlib import Path

import ftl_nb as ftl

ftl.module("shop")


@ftl.verb(export=True)
def double(n: int) -> int:
    return n * 2


@ftl.verb(export=True)
def process() -> int:
    return os.getpid()


@ftl.verb(export=True)
def spin(begun: str) -> int:
    try:
        Path(begun).touch()
        while True:
            pass
    finally:
        Path(begun + ".ended").touch()


@ftl.verb(export=True)
def stick(begun: str) -> int:
    Path(begun).touch()
    time.sleep(600)
    return 0


@ftl.verb(export=True)
def leave_processes() -> int:
    subprocess.run(["sh", "-c", "sleep 3600 & setsid sleep 3600 &"], check=True)
    return os.getpid()
"""
STOCK = """\
-- migrate:up
CREATE TABLE items (sku TEXT PRIMARY KEY);
-- migrate:down
DROP TABLE items;

-- name: CountItems :one
SELECT count(*) AS items FROM items;

-- name: AddItem :exec
INSERT INTO items VALUES (@sku);
"""


@dataclass
class System:
    """`threads` make the calls that something happens to."""

    place: Place
    mark: str
    cluster: Cluster
    threads: ThreadPoolExecutor

    def deploy(self, name: str = "shop", text: str = SHOP) -> None:
        file = self.place.folder / f"{name}.py"
        file.write_text(text)
        self.cluster.deploy(file)

    def deploy_stock(self) -> None:
        self.cluster.define("shop", Cell("stock", "sql", "sql", STOCK, {}, "stock"))

    def call(self, verb: str, request: object = None, timeout: float | None = None) -> Any:
        return self.cluster.call(verb, request, timeout=timeout)

    def call_after_death(self, verb: str, request: object = None) -> Any:
        """The first call after a runner died may be under way before the news of it, and is told so; the next works."""
        try:
            return self.call(verb, request)
        except FtlError as e:
            if e.slug != "runner-lost":
                raise
            return self.call(verb, request)

    def begin(self, verb: str, begun: Path, timeout: float | None = None) -> Future[Any]:
        """A call that is in its verb when this returns."""
        made = self.threads.submit(self.call, verb, str(begun), timeout)
        until(lambda: begun.exists() or made.done())
        return made

    @property
    def processes(self) -> list[Found]:
        return marked(self.mark)

    def process(self, name: str) -> int:
        """The process that calls itself so, waited for."""

        def there() -> list[int]:
            return [p.pid for p in self.processes if p.name.startswith(f"ftl:{name}"[:15])]

        until(there, what=f"a process {name}")
        return there()[0]

    def kill(self, name: str) -> int:
        pid = self.process(name)
        os.kill(pid, signal.SIGKILL)
        return pid


@contextmanager
def running(place: Place) -> Iterator[System]:
    """A client's life; nothing is left of its cluster."""
    mark = uuid4().hex
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as threads:
        for name, value in place.own_environment(mark).items():
            patch.setenv(name, value)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        system = System(place, mark, Cluster(place.folder, owner="chaos"), threads)
        dispatch.on_first_use(lambda: system.cluster.session)
        try:
            yield system
        finally:
            before = system.processes
            system.cluster.close()
            all_gone(mark, before)
            for module in [m for m in sys.modules if m.startswith("ftl_nb.modules.")]:
                del sys.modules[module]
