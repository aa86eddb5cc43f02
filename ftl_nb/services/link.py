"""The control plane's connection to the supervisor: forks processes, hears of their deaths, gets certificates."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from ftl_nb.cluster import wire
from ftl_nb.rpc import Identity, Leaf

OnExit = Callable[[int, int, str], None]
OnClientGone = Callable[[str], None]


class SupervisorLink:
    """Thread-safe. `on_exit(pid, status, name)` and `on_client_gone(identity path)` run on the link's own thread."""

    def __init__(self, path: str, token: str) -> None:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.connect(path)
        self._token = token
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self.on_exit: OnExit = lambda pid, status, name: None
        self.on_client_gone: OnClientGone = lambda identity: None

    def start(self, port: int) -> None:
        """Tells the supervisor that the control plane serves at `port`."""
        self._send({"op": "control", "token": self._token, "port": port})
        threading.Thread(target=self._read, name="ftl-supervisor", daemon=True).start()

    def fork(self, spec: dict[str, Any], name: str) -> int:
        """Forks a process that lives `spec`; its pid. `name` is its log's."""
        return int(self._ask({"op": "fork", "spec": spec, "name": name})["pid"])

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

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        future: Future[dict[str, Any]] = Future()
        self._waiting[number] = future
        self._send({**message, "id": number})
        return future.result(timeout=30.0)

    def _read(self) -> None:
        while (message := wire.receive(self._sock)) is not None:
            if message["op"] == "exited":
                self.on_exit(message["pid"], message["status"], message["name"])
            elif message["op"] == "client_gone":
                self.on_client_gone(message["identity"])
            else:
                self._waiting.pop(message["id"]).set_result(message)
