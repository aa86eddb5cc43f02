"""The control plane's connection to the supervisor: forks processes, hears of their deaths, gets certificates."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from ftl_nb.cluster import wire
from ftl_nb.errors import fail
from ftl_nb.rpc import Identity, Leaf

#: An import that hangs in the zygote is given up before this.
_ANSWER_SECONDS = 60.0

OnExit = Callable[[int, int, str], None]
OnAnswer = Callable[[dict[str, Any]], None]
OnClient = Callable[[str, str], None]
OnClientGone = Callable[[str], None]


class SupervisorLink:
    """Thread-safe. These run on the link's own thread: `on_exit(pid, status, name)`, `on_client(identity path, owner)`
    for each client that joins, `on_client_gone(identity path)`.
    """

    def __init__(self, path: str, token: str) -> None:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.connect(path)
        self._token = token
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[Future[dict[str, Any]], OnAnswer]] = {}
        self.on_exit: OnExit = lambda pid, status, name: None
        self.on_client: OnClient = lambda identity, owner: None
        self.on_client_gone: OnClientGone = lambda identity: None

    def start(self, port: int) -> None:
        """Tells the supervisor that the control plane serves at `port`."""
        self._send({"op": "control", "token": self._token, "port": port})
        threading.Thread(target=self._read, name="ftl-supervisor", daemon=True).start()

    def fork(self, spec: dict[str, Any], name: str, on_pid: Callable[[int], None]) -> None:
        """Forks a process that lives `spec`; `name` is its log's. Raises FtlError `runner-start`.

        `on_pid` is told its pid before `on_exit` can be told of its end.
        """
        answer = self._ask({"op": "fork", "spec": spec, "name": name}, lambda forked: on_pid(forked["pid"]))
        if not answer["pid"]:
            raise fail("runner-start", module=name, detail="no process could be forked")

    def leaf(self, identity: Identity) -> Leaf:
        """A fresh certificate for a process of the cluster."""
        return Leaf.from_dict(self._ask({"op": "leaf", "identity": str(identity)})["leaf"])

    def kill(self, pid: int) -> None:
        self._send({"op": "kill", "pid": pid})

    def preload(self, packages: tuple[str, ...]) -> None:
        """Has the zygote import packages ahead of the next fork."""
        if packages:
            self._send({"op": "preload", "packages": list(packages)})

    def _send(self, message: dict[str, Any]) -> None:
        with self._lock:
            wire.send(self._sock, message)

    def _ask(self, message: dict[str, Any], first: OnAnswer = lambda answer: None) -> dict[str, Any]:
        """`first` runs on the link's own thread, before any later message is read."""
        number = next(self._numbers)
        future: Future[dict[str, Any]] = Future()
        self._waiting[number] = future, first
        try:
            self._send({**message, "id": number})
            return future.result(timeout=_ANSWER_SECONDS)
        except (OSError, FutureTimeout) as e:
            raise fail("cluster-gone", detail=f"its supervisor does not answer ({type(e).__name__})") from None
        finally:
            self._waiting.pop(number, None)

    def _read(self) -> None:
        while (message := wire.receive(self._sock)) is not None:
            if message["op"] == "exited":
                self.on_exit(message["pid"], message["status"], message["name"])
            elif message["op"] == "client_here":
                self.on_client(message["identity"], message["owner"])
            elif message["op"] == "client_gone":
                self.on_client_gone(message["identity"])
            elif (waiting := self._waiting.get(message["id"])) is not None:
                future, first = waiting
                first(message)
                future.set_result(message)
