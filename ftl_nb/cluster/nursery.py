"""The zygote as its supervisor sees it: asked for processes, replaced when it dies, kept from imports that harm it."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from ftl_nb.cluster import processes
from ftl_nb.cluster.peer import Peer
from ftl_nb.cluster.wire import Malformed, Message

#: An import ahead of the forks that takes longer is left to the runner.
IMPORT_SECONDS = 20.0
_TRIES = 3


@dataclass(slots=True)
class _Fork:
    """A process that was asked for and is not there yet. `number` is the asker's."""

    number: int
    name: str
    message: Message
    tries: int = 0


class Nursery:
    """Every process of the cluster but the supervisor. `enter` is run in a forked zygote, and never returns.

    `on_forked(number, name, pid)` follows each `fork`; pid 0 says that there is no process. `on_exit(pid, status,
    name)` follows each end; the status of one that nobody could wait for is -1. `on_hopeless` says that no zygote lives
    long enough to be ready.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        enter: Callable[[socket.socket], None],
        *,
        import_seconds: float = IMPORT_SECONDS,
    ) -> None:
        self._selector = selector
        self._enter = enter
        self._import_seconds = import_seconds
        self.names: dict[int, str] = {}
        self.zygote = 0
        self.unsafe: set[str] = set()
        self._link: Peer | None = None
        self._forks: dict[int, _Fork] = {}
        self._fork_count = 0
        self._imported: list[str] = []
        self._importing: deque[str] = deque()
        self._import_started = 0.0
        self._early_deaths = 0
        self.on_forked: Callable[[int, str, int], None] = lambda number, name, pid: None
        self.on_exit: Callable[[int, int, str], None] = lambda pid, status, name: None
        self.on_hopeless: Callable[[], None] = lambda: None

    # --- what is asked -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Forks a zygote."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._live(theirs)
        theirs.close()
        self.zygote, self._link = pid, Peer(ours, self._selector, "zygote")

    def _live(self, link: socket.socket) -> NoReturn:
        """In the forked child: whatever happens, it never comes back into the supervisor's code."""
        code = 1
        try:
            self._enter(link)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def fork(self, number: int, name: str, spec: Message) -> None:
        """Asks for a process that lives `spec`."""
        self._fork_count += 1
        fork = _Fork(number, name, {"op": "fork", "id": self._fork_count, "spec": spec})
        self._forks[self._fork_count] = fork
        self._send(fork)

    def _send(self, fork: _Fork) -> None:
        fork.tries += 1
        self._tell(fork.message)

    def _tell(self, message: Message) -> None:
        if self._link is not None:
            self._link.send(message)

    def preload(self, packages: list[str]) -> None:
        """Asks for imports ahead of the forks that come after; one at a time, so that it is known which one harms."""
        for name in packages:
            if name in self.unsafe or name in self._importing or name in self._imported:
                continue
            if not self._importing:
                self._import_started = time.monotonic()
            self._importing.append(name)
            self._tell({"op": "preload", "package": name})

    def kill(self, pid: int) -> None:
        """Ends one of the processes that were forked; no other."""
        if pid in self.names:
            processes.signal_quietly(pid, signal.SIGKILL)

    # --- what happens --------------------------------------------------------------------------------------------

    def patience(self) -> float | None:
        """Seconds until `check` has something to do, None where nothing is awaited."""
        if not self._importing:
            return None
        return max(0.0, self._import_started + self._import_seconds - time.monotonic())

    def check(self) -> None:
        """Ends a zygote that hangs in an import."""
        if self.patience() == 0.0:
            processes.signal_quietly(self.zygote, signal.SIGKILL)

    def on_readable(self) -> None:
        """The zygote has said something."""
        if self._link is None:
            return
        try:
            messages, alive = self._link.read()
        except Malformed:
            messages, alive = [], False
        for message in messages:
            getattr(self, f"_{message['op']}")(message)
        if not alive:
            self._link.close()
            processes.signal_quietly(self.zygote, signal.SIGKILL)

    def _ready(self, message: Message) -> None:
        self._early_deaths = 0

    def _forked(self, message: Message) -> None:
        fork = self._forks.pop(message["id"])
        if message["pid"]:
            self.names[message["pid"]] = fork.name
        self.on_forked(fork.number, fork.name, message["pid"])

    def _exited(self, message: Message) -> None:
        self._ended(message["pid"], message["status"])

    def _preloaded(self, message: Message) -> None:
        name = self._importing.popleft()
        self._import_started = time.monotonic()
        if message["unsafe"]:
            self._suspect(name, "leaves a thread behind")
            processes.signal_quietly(self.zygote, signal.SIGKILL)
        else:
            self._imported.append(name)

    def _suspect(self, name: str, why: str) -> None:
        self.unsafe.add(name)
        print(f"the package {name} {why}: it is imported after the fork from now on", file=sys.stderr, flush=True)

    def reap(self) -> None:
        """Waits for whoever has ended: children of a zygote before, strays, the zygote itself."""
        died = False
        for pid, status in processes.reap():
            if pid == self.zygote:
                died = True
            else:
                self._ended(pid, status)
        if died:
            self._zygote_died()
        self.kill_strays()

    def _ended(self, pid: int, status: int) -> None:
        name = self.names.pop(pid, "")
        if name:
            self.kill_strays()
            self.on_exit(pid, status, name)

    def kill_strays(self) -> None:
        """What a dead process left behind came to us as an orphan."""
        for pid in processes.children():
            if pid != self.zygote and pid not in self.names:
                processes.signal_quietly(pid, signal.SIGKILL)

    # --- a new zygote --------------------------------------------------------------------------------------------

    def _zygote_died(self) -> None:
        """Its children live on as ours; what it was importing is suspected; what was asked of it is asked again."""
        self._hear_it_out()
        self.zygote = 0
        self.kill_strays()
        self._find_lost()
        if self._importing:
            self._suspect(self._importing[0], "ended the zygote or held it up")
        self._early_deaths += 1
        if self._early_deaths > _TRIES:
            self.on_hopeless()
            return
        print("the zygote ended and is started again", file=sys.stderr, flush=True)
        self.start()
        again = [*self._imported, *self._importing]
        self._imported, self._importing = [], deque()
        self.preload(again)
        self._ask_again()

    def _hear_it_out(self) -> None:
        """What it said before it died counts."""
        if self._link is None:
            return
        try:
            messages = self._link.read_rest()
        except Malformed:
            messages = []
        self._link.close()
        for message in messages:
            getattr(self, f"_{message['op']}")(message)

    def _find_lost(self) -> None:
        """Processes that ended while the zygote did, which nobody can wait for any more."""
        there = set(processes.children())
        for pid in [p for p in self.names if p not in there]:
            self._ended(pid, -1)

    def _ask_again(self) -> None:
        for key, fork in list(self._forks.items()):
            if fork.tries < _TRIES:
                self._send(fork)
            else:
                del self._forks[key]
                self.on_forked(fork.number, fork.name, 0)
