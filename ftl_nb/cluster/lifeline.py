"""A client's side of the cluster: join the one of the project, starting it where it is not there.

The open connection is the client's lifeline in the cluster's eyes: the kernel closes it however the client dies.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from ftl_nb.cluster import handover, processes, wire
from ftl_nb.cluster.project import Project, make_state, unwritable
from ftl_nb.cluster.wire import Message
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc.identity import Leaf

_HUNG_UP = select.POLLRDHUP if sys.platform == "linux" else select.POLLHUP
_JOIN_SECONDS = 60.0
_NO_WORD = "its supervisor says nothing; another one may still hold the folder"


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


#: The lifelines of this process. A process that it forks is no client: its copies are closed, or the cluster would
#: outlive the client as long as that process runs.
_open: weakref.WeakSet[socket.socket] = weakref.WeakSet()


def _in_forked_child() -> None:
    for sock in list(_open):
        sock.close()


os.register_at_fork(after_in_child=_in_forked_child)


class Lifeline:
    """One open connection to the supervisor. Closing it, or dying, lets the cluster end when it was the last."""

    def __init__(self, sock: socket.socket, kind: str, client_id: str, owner: str = "") -> None:
        self._sock = sock
        _open.add(sock)
        self._lock = threading.Lock()
        self.welcome = self._ask({"op": "hello", "kind": kind, "id": client_id, "owner": owner})

    def _ask(self, message: Message) -> Welcome:
        with self._lock:
            try:
                wire.send(self._sock, message)
                answer = wire.receive(self._sock)
            except (OSError, wire.Malformed) as e:
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
        if self._sock.fileno() < 0:
            return False
        # Asked before every call: one look that raises nothing. One object a look, since none may be shared by threads.
        end = select.poll()
        end.register(self._sock, _HUNG_UP)
        return not end.poll(0)

    def on_end(self, told: Callable[[], None]) -> None:
        """Starts a thread that calls `told` once, when the supervisor is gone or this lifeline is closed."""
        end = select.poll()
        end.register(self._sock, _HUNG_UP)

        def wait() -> None:
            end.poll()
            told()

        threading.Thread(target=wait, name="ftl-lifeline", daemon=True).start()

    def shut_down(self) -> None:
        """Asks for the end of the whole cluster, and waits until its supervisor is gone."""
        with self._lock, suppress(OSError), processes.watched(self.welcome.supervisor) as wait:
            wire.send(self._sock, {"op": "shutdown"})
            while self._sock.recv(4096):
                pass
            wait(_JOIN_SECONDS)
        self.close()

    def close(self) -> None:
        # Wakes who waits for the end; closing alone does not.
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


def join(project: Project, kind: str, client_id: str, owner: str = "") -> Lifeline:
    """Joins the project's cluster, starting it first where it is not up. Raises FtlError `cluster-start`.

    `owner` is what the client calls itself: the modules that were defined under that name are its own.
    """
    make_state(project)
    with _starting(project):
        lifeline = _greet(project, kind, client_id, owner)
        if lifeline is not None:
            return lifeline
        log = _Log(project)
        _start(project, log)
        lifeline = _greet(project, kind, client_id, owner)
        if lifeline is None:
            raise fail("cluster-start", detail=log.last_words() or "it ended at once", log=project.log)
        return lifeline


def _greet(project: Project, kind: str, client_id: str, owner: str) -> Lifeline | None:
    """None where no cluster is up, or it is one that is just ending."""
    sock = _connect(project)
    if sock is None:
        return None
    sock.settimeout(_JOIN_SECONDS)
    try:
        lifeline = Lifeline(sock, kind, client_id, owner)
    except FtlError:
        sock.close()
        return None
    sock.settimeout(None)
    return lifeline


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


def _start(project: Project, log: _Log) -> None:
    """Runs a supervisor in a session of its own and waits for its word that it listens."""
    read, write = os.pipe()
    secrets, hand = os.pipe()
    command = [sys.executable, "-P", "-m", "ftl_nb.cluster.supervisor", str(project.state), str(project.folder)]
    with _output(project) as output:
        starter = subprocess.Popen(
            [*command, project.realm, str(write)],
            stdin=secrets,
            stdout=output,
            stderr=output,
            pass_fds=(write,),
            start_new_session=True,
            cwd=project.folder,
            env=handover.without_secrets(os.environ),
        )
    os.close(write)
    os.close(secrets)
    handover.hand_over(hand, os.environ)
    word = _word(read)
    starter.wait()
    if word.startswith(b"{"):
        raise FtlError.from_dict(json.loads(word))
    if word != b"ready":
        raise fail("cluster-start", detail=log.last_words() or _NO_WORD, log=project.log)


def _output(project: Project) -> IO[bytes]:
    try:
        return open(project.log, "ab")
    except OSError as e:
        raise unwritable(project, e) from None


def _word(read: int) -> bytes:
    """What a starting supervisor says until it closes the pipe; nothing when that takes too long."""
    deadline = time.monotonic() + _JOIN_SECONDS
    said = b""
    with os.fdopen(read, "rb", buffering=0) as ready:
        while select.select([ready], [], [], max(deadline - time.monotonic(), 0.0))[0]:
            part = ready.read(1 << 16)
            if not part:
                return said
            said += part
    return b""


class _Log:
    """What the logs of the supervisor and the control process get from now on."""

    def __init__(self, project: Project) -> None:
        logs = (project.log, project.state / "logs" / "control.log")
        self._ends = {log: log.stat().st_size if log.exists() else 0 for log in logs}

    def last_words(self) -> str:
        """The last line, empty for none."""
        for log, end in self._ends.items():
            lines = log.read_bytes()[end:].decode(errors="replace").splitlines() if log.exists() else []
            if lines:
                return lines[-1].rstrip(".")
        return ""
