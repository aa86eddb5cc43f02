"""A client's side of the cluster: join the one of the project, starting it where it is not there.

The open connection is the client's lifeline in the cluster's eyes: the kernel closes it however the client dies.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ftl_nb.cluster import wire
from ftl_nb.cluster.project import Project, make_state
from ftl_nb.cluster.wire import Message
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc.identity import Leaf

_JOIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a cluster tells a client that joins: Admin's address, its own certificate, the realm, the supervisor."""

    admin: str
    leaf: Leaf
    realm: str
    supervisor: int

    @classmethod
    def of(cls, message: Message) -> Welcome:
        return cls(message["admin"], Leaf.from_dict(message["leaf"]), message["realm"], message["pid"])


class Lifeline:
    """One open connection to the supervisor. Closing it, or dying, lets the cluster end when it was the last."""

    def __init__(self, sock: socket.socket, kind: str, client_id: str) -> None:
        self._sock = sock
        self._lock = threading.Lock()
        self.welcome = self._ask({"op": "hello", "kind": kind, "id": client_id})

    def _ask(self, message: Message) -> Welcome:
        with self._lock:
            try:
                wire.send(self._sock, message)
                answer = wire.receive(self._sock)
            except OSError as e:
                raise fail("cluster-gone", detail=str(e)) from None
        if answer is None:
            raise fail("cluster-gone", detail="its supervisor closed the connection")
        return Welcome.of(answer)

    def renew(self) -> Leaf:
        """A fresh certificate for this client."""
        self.welcome = self._ask({"op": "renew"})
        return self.welcome.leaf

    def alive(self) -> bool:
        """Whether the supervisor still holds the other end."""
        with suppress(BlockingIOError):
            return bool(self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return True

    def shut_down(self) -> None:
        """Asks for the end of the whole cluster, and waits until its supervisor is gone."""
        with self._lock, suppress(OSError):
            wire.send(self._sock, {"op": "shutdown"})
            while self._sock.recv(4096):
                pass
        self.close()

    def close(self) -> None:
        self._sock.close()


def join(project: Project, kind: str, client_id: str) -> Lifeline:
    """Joins the project's cluster, starting it first where it is not up. Raises FtlError `cluster-start`."""
    make_state(project)
    with _starting(project):
        sock = _connect(project)
        if sock is None:
            _start(project)
            sock = _connect(project)
        if sock is None:
            raise fail("cluster-start", detail="its socket does not answer", log=project.log)
        sock.settimeout(_JOIN_SECONDS)
        lifeline = _greet(sock, project, kind, client_id)
        sock.settimeout(None)
    return lifeline


def _greet(sock: socket.socket, project: Project, kind: str, client_id: str) -> Lifeline:
    try:
        return Lifeline(sock, kind, client_id)
    except FtlError as e:
        sock.close()
        raise fail("cluster-start", detail=_last_words(project) or e.message, log=project.log) from None


def is_up(project: Project) -> bool:
    """Whether the project's cluster is running, without starting it."""
    if not project.state.is_dir():
        return False
    sock = _connect(project)
    if sock is not None:
        sock.close()
    return sock is not None


@contextmanager
def _starting(project: Project) -> Iterator[None]:
    """Clients of one project join one after the other, so that only one of them starts it."""
    fd = os.open(project.state / "starting.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _connect(project: Project) -> socket.socket | None:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(str(project.socket))
    except (FileNotFoundError, ConnectionRefusedError):
        sock.close()
        return None
    return sock


def _start(project: Project) -> None:
    """Runs a supervisor in a session of its own and waits for its word that it listens."""
    read, write = os.pipe()
    command = [sys.executable, "-P", "-m", "ftl_nb.cluster.supervisor", str(project.state), str(project.folder)]
    with open(project.log, "ab") as log:
        starter = subprocess.Popen(
            [*command, project.realm, str(write)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(write,),
            start_new_session=True,
            cwd=project.folder,
        )
    starter.wait()
    os.close(write)
    with os.fdopen(read, "rb") as ready:
        word = ready.read(1 << 16)
    if word.startswith(b"{"):
        raise FtlError.from_dict(json.loads(word))
    if word != b"ready":
        raise fail("cluster-start", detail=_last_words(project), log=project.log)


def _last_words(project: Project) -> str:
    return _last_line(project.log) or _last_line(project.state / "logs" / "control.log")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else ""
