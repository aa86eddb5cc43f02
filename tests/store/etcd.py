"""A real etcd of three members on loopback, and what can happen to them."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from ftl_nb.errors import FtlError
from ftl_nb.store import Store, open_store

_UP_SECONDS = 30.0
_TIMES = ("--heartbeat-interval", "50", "--election-timeout", "500")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


@dataclass(slots=True)
class Member:
    """`tls` are the options of its client side, where it speaks TLS."""

    folder: Path
    name: str
    client: int
    peer: int
    cluster: str
    tls: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Over what it had before, where it was there before."""
        scheme = "https" if self.tls else "http"
        client, peer = f"{scheme}://127.0.0.1:{self.client}", f"http://127.0.0.1:{self.peer}"
        options = {
            "name": self.name,
            "data-dir": str(self.folder / self.name),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": self.cluster,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["etcd", *words, *_TIMES, *self.tls], stdout=log, stderr=log, cwd=self.folder
            )

    def kill(self) -> None:
        """SIGKILL: etcd takes seconds over anything softer once a member is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)


class Etcd:
    """Starts when it is entered, and is gone when it is left."""

    def __init__(self, folder: Path, members: int = 3, tls: Sequence[str] = ()) -> None:
        if shutil.which("etcd") is None:
            raise AssertionError("the tests of the store need etcd: make servers")
        ports = free_ports(2 * members)
        pairs = list(zip(ports[:members], ports[members:], strict=True))
        cluster = ",".join(f"m{n}=http://127.0.0.1:{peer}" for n, (_, peer) in enumerate(pairs))
        self.members = [Member(folder, f"m{n}", client, peer, cluster, tls) for n, (client, peer) in enumerate(pairs)]
        self._stores = 0

    def address(self, prefix: str, first: int = 0, patience: float = 10) -> str:
        """Of a store at `prefix`, whose member `first` is tried before the others."""
        members = self.members[first:] + self.members[:first]
        return f"etcd://{','.join(f'127.0.0.1:{m.client}' for m in members)}/{prefix}?patience={patience:g}"

    def fresh(self) -> str:
        """The address of a store that was never used."""
        self._stores += 1
        return self.address(f"store/{self._stores}")

    def __enter__(self) -> Self:
        for member in self.members:
            member.start()
        return self

    def wait(self) -> Self:
        """Until it answers."""
        eventually(lambda: open_store(self.address("ready"))).close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for member in self.members:
            member.kill()


def eventually(open_one: Callable[[], Store]) -> Store:
    """A store as soon as it can be opened."""
    give_up, pause = time.monotonic() + _UP_SECONDS, threading.Event()
    while True:
        try:
            return open_one()
        except FtlError:
            if time.monotonic() > give_up:
                raise
            pause.wait(0.1)
