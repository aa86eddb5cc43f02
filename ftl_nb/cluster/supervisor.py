"""The process that owns the cluster: certificate authority, zygote, and every child; `python -m ftl_nb.cluster.supervisor STATE`.

It lives as long as a client holds a connection to its socket open, and takes every process with it when it ends. It
runs one select loop in one thread and never touches gRPC, so that it can fork the zygote anew at any time.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ftl_nb.cluster import processes, wire
from ftl_nb.cluster.project import Project, make_state
from ftl_nb.cluster.wire import Inbox, Message
from ftl_nb.errors import FtlError
from ftl_nb.rpc.identity import Authority, Identity

_TERM_SECONDS = 0.5
_KILL_SECONDS = 1.0
#: A starter that died before it said hello must not leave a cluster behind.
_FIRST_CLIENT_SECONDS = 15.0


@dataclass(slots=True)
class Connection:
    """One peer of the socket: a client, whose open connection keeps the cluster alive, or the control process."""

    sock: socket.socket
    inbox: Inbox = field(default_factory=Inbox)
    role: str = ""
    identity: str = ""


class Supervisor:
    """All state of a running cluster's process tree."""

    def __init__(self, project: Project, lock: int) -> None:
        self.project = project
        self._lock = lock
        self._selector = selectors.DefaultSelector()
        self._connections: dict[int, Connection] = {}
        self._authority = Authority(project.realm)
        self._token = secrets.token_hex(16)
        self._alive_read, self._alive_write = os.pipe()
        self._names: dict[int, str] = {}
        self._forks: dict[int, tuple[int, str]] = {}
        self._fork_count = 0
        self._control: Connection | None = None
        self._control_port = 0
        self._control_pid = 0
        self._zygote_pid = 0
        self._listener: socket.socket | None = None
        self._waiting: list[Connection] = []
        self._unsafe: set[str] = set()
        self._preloaded: list[str] = []
        self._had_client = False
        self._ending = False

    def run(self, ready: int) -> None:
        """Serves until the last client has gone, then ends every process."""
        processes.become_subreaper()
        signals = processes.SignalPipe(signal.SIGCHLD, signal.SIGTERM)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._listen()
        # Closed before the first fork: the starter reads until the end of this pipe.
        os.write(ready, b"ready")
        os.close(ready)
        self._start_zygote()
        self._selector.register(signals.read, selectors.EVENT_READ, signals)
        self._start_control()
        try:
            while not self._ending:
                self._step(signals)
        finally:
            self._end_all()

    # --- the loop ------------------------------------------------------------------------------------------------

    def _step(self, signals: processes.SignalPipe) -> None:
        events = self._selector.select(None if self._had_client else _FIRST_CLIENT_SECONDS)
        if not events and not self._had_client:
            self._ending = True
        for key, _ in events:
            if key.data is signals:
                self._on_signals(signals.take())
            elif key.data == "listener":
                self._accept(key.fileobj)  # type: ignore[arg-type]
            elif key.data == "zygote":
                self._on_zygote()
            else:
                self._on_readable(key.data)

    def _on_signals(self, numbers: set[int]) -> None:
        if signal.SIGTERM in numbers:
            self._ending = True
        for pid, status in processes.reap():
            if pid == self._zygote_pid:
                self._zygote_died()
            else:
                self._on_exit(pid, status)

    def _listen(self) -> None:
        path = self.project.socket
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
        listener.listen(64)
        self._listener = listener
        self._selector.register(listener, selectors.EVENT_READ, "listener")

    def _accept(self, listener: socket.socket) -> None:
        sock, _ = listener.accept()
        connection = Connection(sock)
        self._connections[sock.fileno()] = connection
        self._selector.register(sock, selectors.EVENT_READ, connection)

    def _on_readable(self, connection: Connection) -> None:
        data = b""
        with suppress(ConnectionResetError):
            data = connection.sock.recv(1 << 20)
        if not data:
            self._closed(connection)
            return
        for message in connection.inbox.feed(data):
            self._handle(connection, message)

    def _closed(self, connection: Connection) -> None:
        self._selector.unregister(connection.sock)
        self._connections.pop(connection.sock.fileno(), None)
        connection.sock.close()
        if connection.role == "control":
            print("the control process closed its connection", file=sys.stderr, flush=True)
            self._ending = True
            return
        if connection.role == "client":
            self._tell_control({"op": "client_gone", "identity": connection.identity})
        if connection.role == "client" and not any(c.role == "client" for c in self._connections.values()):
            self._ending = True

    # --- what peers ask ------------------------------------------------------------------------------------------

    def _handle(self, connection: Connection, message: Message) -> None:
        handler = getattr(self, f"_{connection.role or 'new'}_{message['op']}", None)
        if handler is None:
            self._closed(connection)
            return
        handler(connection, message)

    def _reply(self, connection: Connection, message: Message) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            wire.send(connection.sock, message)

    def _new_hello(self, connection: Connection, message: Message) -> None:
        """A client: it is welcomed as soon as the control process is ready."""
        connection.role = "client"
        self._had_client = True
        connection.identity = f"client/{message['kind']}/{message['id']}"
        if self._control_port:
            self._welcome(connection)
        else:
            self._waiting.append(connection)

    def _welcome(self, connection: Connection) -> None:
        kind, name = connection.identity.split("/")[1:]
        leaf = self._authority.issue(Identity.client(kind, name, self.project.realm))
        answer = {"op": "welcome", "admin": f"127.0.0.1:{self._control_port}", "leaf": leaf.to_dict()}
        self._reply(connection, {**answer, "realm": self.project.realm, "pid": os.getpid()})

    def _client_renew(self, connection: Connection, message: Message) -> None:
        self._welcome(connection)

    def _client_shutdown(self, connection: Connection, message: Message) -> None:
        self._ending = True

    def _new_control(self, connection: Connection, message: Message) -> None:
        if not secrets.compare_digest(message["token"], self._token):
            self._closed(connection)
            return
        connection.role = "control"
        self._control = connection
        self._control_port = message["port"]
        for waiting in self._waiting:
            self._welcome(waiting)
        self._waiting.clear()

    def _control_fork(self, connection: Connection, message: Message) -> None:
        self._fork(message["id"], message["spec"], message["name"])

    def _control_kill(self, connection: Connection, message: Message) -> None:
        if message["pid"] in self._names:
            processes.signal_quietly(message["pid"], signal.SIGKILL)

    def _control_leaf(self, connection: Connection, message: Message) -> None:
        leaf = self._authority.issue(Identity.parse(message["identity"]))
        self._reply(connection, {"op": "leaf", "id": message["id"], "leaf": leaf.to_dict()})

    def _control_preload(self, connection: Connection, message: Message) -> None:
        wanted = [p for p in message["packages"] if p not in self._unsafe and p not in self._preloaded]
        if wanted:
            self._tell_zygote({"op": "preload", "packages": wanted})

    # --- the zygote and its children -----------------------------------------------------------------------------

    def _start_zygote(self) -> None:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            self._become_zygote(ours, theirs)
        theirs.close()
        self._zygote_pid, self._zygote, self._zygote_inbox = pid, ours, Inbox()
        self._selector.register(ours, selectors.EVENT_READ, "zygote")

    def _become_zygote(self, ours: socket.socket, theirs: socket.socket) -> None:
        from ftl_nb.cluster import zygote

        ours.close()
        os.close(self._alive_write)
        os.close(self._lock)
        for connection in self._connections.values():
            connection.sock.close()
        if self._listener is not None:
            self._listener.close()
        self._selector.close()
        with suppress(KeyboardInterrupt):
            zygote.run(theirs, self._alive_read)
        os._exit(0)

    def _tell_control(self, message: Message) -> None:
        if self._control is not None:
            self._reply(self._control, message)

    def _tell_zygote(self, message: Message) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            wire.send(self._zygote, message)

    def _zygote_died(self) -> None:
        """Its children live on as ours; what it was importing is suspected and left out."""
        print("the zygote ended and is started again", file=sys.stderr, flush=True)
        self._selector.unregister(self._zygote)
        self._zygote.close()
        self._start_zygote()
        if self._preloaded:
            self._tell_zygote({"op": "preload", "packages": self._preloaded})

    def _on_zygote(self) -> None:
        data = b""
        with suppress(ConnectionResetError):
            data = self._zygote.recv(1 << 20)
        if not data:
            processes.signal_quietly(self._zygote_pid, signal.SIGKILL)
            return
        for message in self._zygote_inbox.feed(data):
            getattr(self, f"_zygote_{message['op']}")(message)

    def _zygote_forked(self, message: Message) -> None:
        number, name = self._forks.pop(message["id"])
        self._names[message["pid"]] = name
        if number == 0:
            self._control_pid = message["pid"]
        else:
            self._tell_control({"op": "forked", "id": number, "pid": message["pid"]})

    def _zygote_exited(self, message: Message) -> None:
        self._on_exit(message["pid"], message["status"])

    def _zygote_preloaded(self, message: Message) -> None:
        self._preloaded += [p for p in message["packages"] if p not in self._preloaded]
        if message["unsafe"]:
            self._unsafe.update(message["unsafe"])
            self._preloaded = [p for p in self._preloaded if p not in self._unsafe]
            processes.signal_quietly(self._zygote_pid, signal.SIGKILL)

    def _on_exit(self, pid: int, status: int) -> None:
        name = self._names.pop(pid, "")
        self._kill_strays()
        if pid == self._control_pid:
            print(f"the control process ended with status {status}", file=sys.stderr, flush=True)
            self._ending = True
        elif name:
            self._tell_control({"op": "exited", "pid": pid, "status": status, "name": name})

    def _kill_strays(self) -> None:
        """What a dead process left behind came to us as an orphan."""
        for pid in processes.children():
            if pid != self._zygote_pid and pid not in self._names:
                processes.signal_quietly(pid, signal.SIGKILL)

    def _start_control(self) -> None:
        identity = Identity.service("control", self.project.realm)
        spec = {
            "role": "control",
            "token": self._token,
            "socket": str(self.project.socket),
            "state": str(self.project.state),
            "folder": str(self.project.folder),
            "identity": str(identity),
        }
        self._fork(0, spec, "control")

    def _fork(self, number: int, spec: Message, name: str) -> None:
        leaf = self._authority.issue(Identity.parse(spec["identity"]))
        log = str(self.project.state / "logs" / f"{name}.log")
        self._fork_count += 1
        self._forks[self._fork_count] = (number, name)
        self._tell_zygote({"op": "fork", "id": self._fork_count, "spec": {**spec, "leaf": leaf.to_dict(), "log": log}})

    # --- the end -------------------------------------------------------------------------------------------------

    def _end_all(self) -> None:
        self.project.socket.unlink(missing_ok=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        self._signal_all(signal.SIGTERM)
        self._wait_for_all(_TERM_SECONDS)
        deadline = time.monotonic() + _KILL_SECONDS
        while processes.children() and time.monotonic() < deadline:
            for pid in processes.children():
                processes.signal_quietly(pid, signal.SIGKILL)
            self._wait_for_all(0.05)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in [*self._names, self._zygote_pid]:
            processes.signal_quietly(pid, number)

    def _wait_for_all(self, seconds: float) -> None:
        """Reaps until no child is left or the time is over; woken by SIGCHLD, not by a clock."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            processes.reap()
            if not processes.children():
                return
            signal.sigtimedwait({signal.SIGCHLD}, min(left, 0.02))


def main(arguments: list[str]) -> None:
    """`STATE FOLDER REALM READY_FD`: takes the folder's lock, serves, ends."""
    if os.fork():
        # The client waits for this short-lived parent, so that no dead supervisor is ever left to it as a zombie.
        os._exit(0)
    state, folder, realm, ready = Path(arguments[0]), Path(arguments[1]), arguments[2], int(arguments[3])
    project = Project(folder, state, realm)
    try:
        make_state(project)
        lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        Supervisor(project, lock).run(ready)
    except FtlError as e:
        import json

        os.write(ready, json.dumps(e.to_dict()).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
