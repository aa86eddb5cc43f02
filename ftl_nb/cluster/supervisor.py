"""The process that owns the cluster: certificate authority, zygote and every child.

`python -m ftl_nb.cluster.supervisor STATE FOLDER REALM READY_FD` runs it.

It lives as long as a client holds a connection to its socket open, and takes every process with it when it ends. It
runs one select loop in one thread and never touches gRPC, so that it can fork the zygote anew at any time.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import select
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ftl_nb.cluster import processes
from ftl_nb.cluster.nursery import IMPORT_SECONDS, Nursery
from ftl_nb.cluster.peer import Peer
from ftl_nb.cluster.project import Project, make_state, unwritable
from ftl_nb.cluster.wire import Malformed, Message
from ftl_nb.errors import FtlError
from ftl_nb.rpc.identity import DAY, Authority, Identity

_TERM_SECONDS = 0.5
_KILL_SECONDS = 1.0
_TICK = 0.05
#: A starter that died before it said hello must not leave a cluster behind.
FIRST_CLIENT_SECONDS = 10.0
#: Logs of earlier runs are kept until they are larger, in bytes.
_LOG_LIMIT = 4 << 20


class Supervisor:
    """All state of a running cluster's process tree. `lock` is the folder's, held by this process alone."""

    def __init__(
        self,
        project: Project,
        lock: int,
        *,
        lifetime: timedelta = DAY,
        first_client_seconds: float = FIRST_CLIENT_SECONDS,
    ) -> None:
        self.project = project
        self._lock = lock
        self._first_client_seconds = first_client_seconds
        self._selector = selectors.DefaultSelector()
        self._peers: set[Peer] = set()
        self._authority = Authority(project.realm, lifetime=lifetime)
        self._token = secrets.token_hex(16)
        self._alive_read, self._alive_write = os.pipe()
        self._nursery = Nursery(self._selector, self._become_zygote, import_seconds=_import_seconds())
        self._nursery.on_forked = self._forked
        self._nursery.on_exit = self._exited
        self._nursery.on_hopeless = self._end
        self._control: Peer | None = None
        self._control_port = 0
        self._control_pid = 0
        self._waiting: list[Peer] = []
        self._started = time.monotonic()
        self._had_client = False
        self._ending = False

    def run(self, ready: int) -> None:
        """Serves until the last client has gone, then ends every process."""
        processes.call_itself("supervisor")
        processes.become_subreaper()
        self._signals = processes.SignalPipe(signal.SIGCHLD, signal.SIGTERM)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._listener = self._listen()
        # Closed before the first fork: the starter reads until the end of this pipe.
        os.write(ready, b"ready")
        os.close(ready)
        try:
            self._nursery.start()
            self._selector.register(self._signals.read, selectors.EVENT_READ)
            self._start_control()
            while not self._ending:
                self._step()
        finally:
            self._end_all()

    def _end(self) -> None:
        self._ending = True

    # --- the loop ------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        for key, events in self._selector.select(self._patience()):
            if key.fileobj == self._signals.read:
                self._on_signals()
            elif key.fileobj is self._listener:
                self._accept()
            else:
                self._on_peer(key.data, events)
        self._nursery.check()
        if not self._had_client and self._first_client_left() <= 0:
            self._end()

    def _first_client_left(self) -> float:
        return self._started + self._first_client_seconds - time.monotonic()

    def _patience(self) -> float | None:
        """Seconds until there is something to do that nobody asks for."""
        waits = [] if self._had_client else [max(self._first_client_left(), 0.0)]
        importing = self._nursery.patience()
        return min([*waits, *([] if importing is None else [importing])], default=None)

    def _on_signals(self) -> None:
        if signal.SIGTERM in self._signals.take():
            self._end()
        self._nursery.reap()

    def _listen(self) -> socket.socket:
        path = self.project.socket
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
        listener.listen(64)
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ)
        return listener

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            sock, _ = self._listener.accept()
            self._peers.add(Peer(sock, self._selector))

    def _on_peer(self, peer: Peer, events: int) -> None:
        """Both are looked at: one that has gone can neither be written nor be heard of again."""
        if events & selectors.EVENT_WRITE and not peer.closed:
            peer.flush()
        if not events & selectors.EVENT_READ or peer.closed:
            return
        if peer.role == "zygote":
            self._nursery.on_readable()
        else:
            self._on_readable(peer)

    def _on_readable(self, peer: Peer) -> None:
        """One that does not speak our language is cut off."""
        try:
            messages, alive = peer.read()
            for message in messages:
                if not peer.closed:
                    self._handle(peer, message)
        except (Malformed, FtlError, KeyError, TypeError, ValueError) as e:
            print(f"a {peer.role or 'new'} connection said what cannot be: {e!r}", file=sys.stderr, flush=True)
            alive = False
        if not alive and not peer.closed:
            self._gone(peer)

    def _gone(self, peer: Peer) -> None:
        peer.close()
        self._peers.discard(peer)
        if peer in self._waiting:
            self._waiting.remove(peer)
        if peer.role == "control":
            print("the control process closed its connection", file=sys.stderr, flush=True)
            self._end()
        elif peer.role == "client":
            self._tell_control({"op": "client_gone", "identity": peer.identity})
            if not any(p.role == "client" for p in self._peers):
                self._end()

    # --- what peers ask ------------------------------------------------------------------------------------------

    def _handle(self, peer: Peer, message: Message) -> None:
        handler = getattr(self, f"_{peer.role or 'new'}_{message['op']}", None)
        if handler is None:
            raise Malformed(f"{message['op']!r} is nothing to ask")
        handler(peer, message)

    def _new_hello(self, peer: Peer, message: Message) -> None:
        """A client: it is welcomed as soon as the control process is ready."""
        identity = Identity.client(message["kind"], message["id"], self.project.realm)
        peer.role, peer.identity, peer.owner = "client", identity.path, str(message.get("owner", ""))
        self._had_client = True
        if self._control_port:
            self._let_in(peer)
        else:
            self._waiting.append(peer)

    def _let_in(self, peer: Peer) -> None:
        """The control plane knows of a client before the client can ask it for anything."""
        self._tell_control({"op": "client_here", "identity": peer.identity, "owner": peer.owner})
        self._welcome(peer)

    def _welcome(self, peer: Peer) -> None:
        """Asking again before its time brings the same certificate: making one is work."""
        if peer.leaf is None or peer.leaf.renew_at <= datetime.now(UTC):
            kind, name = peer.identity.split("/")[1:]
            peer.leaf = self._authority.issue(Identity.client(kind, name, self.project.realm))
        answer = {"op": "welcome", "admin": f"127.0.0.1:{self._control_port}", "leaf": peer.leaf.to_dict()}
        peer.send({**answer, "realm": self.project.realm, "pid": os.getpid()})

    def _client_renew(self, peer: Peer, message: Message) -> None:
        self._welcome(peer)

    def _client_shutdown(self, peer: Peer, message: Message) -> None:
        self._end()

    def _new_control(self, peer: Peer, message: Message) -> None:
        if not secrets.compare_digest(message["token"], self._token):
            raise Malformed("not the token of this cluster's control process")
        peer.trust("control")
        self._control = peer
        self._control_port = message["port"]
        for waiting in self._waiting:
            self._let_in(waiting)
        self._waiting.clear()

    def _control_fork(self, peer: Peer, message: Message) -> None:
        self._fork(message["id"], message["spec"], message["name"])

    def _control_kill(self, peer: Peer, message: Message) -> None:
        self._nursery.kill(message["pid"])

    def _control_leaf(self, peer: Peer, message: Message) -> None:
        leaf = self._authority.issue(Identity.parse(message["identity"]))
        peer.send({"op": "leaf", "id": message["id"], "leaf": leaf.to_dict()})

    def _control_preload(self, peer: Peer, message: Message) -> None:
        self._nursery.preload(message["packages"])

    def _tell_control(self, message: Message) -> None:
        if self._control is not None:
            self._control.send(message)

    # --- processes -----------------------------------------------------------------------------------------------

    def _become_zygote(self, link: socket.socket) -> None:
        """In the forked child: holds nothing of the supervisor's but the end of the pipe that tells of its death."""
        from ftl_nb.cluster import zygote

        self._signals.close()
        os.close(self._alive_write)
        os.close(self._lock)
        for peer in self._peers:
            peer.forget()
        self._listener.close()
        self._selector.close()
        zygote.run(link, self._alive_read)

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
        log = self.project.state / "logs" / f"{name}.log"
        self._nursery.fork(number, name, {**spec, "leaf": leaf.to_dict(), "log": str(log)})

    def _forked(self, number: int, name: str, pid: int) -> None:
        if number:
            self._tell_control({"op": "forked", "id": number, "pid": pid})
        elif pid:
            self._control_pid = pid
        else:
            print("the control process could not be started", file=sys.stderr, flush=True)
            self._end()

    def _exited(self, pid: int, status: int, name: str) -> None:
        if pid == self._control_pid:
            print(f"the control process ended with status {status}", file=sys.stderr, flush=True)
            self._end()
        else:
            self._tell_control({"op": "exited", "pid": pid, "status": status, "name": name})

    # --- the end -------------------------------------------------------------------------------------------------

    def _end_all(self) -> None:
        """First everybody is asked, so that databases close their files; then whoever is left is killed."""
        self.project.socket.unlink(missing_ok=True)
        self._listener.close()
        # Clients hear of the end before their calls fail of it.
        for peer in self._peers:
            peer.close()
        asked = {*self._nursery.names, self._nursery.zygote}
        for pid in asked:
            processes.signal_quietly(pid, signal.SIGTERM)
        self._kill_until(_TERM_SECONDS, spared=asked)
        self._kill_until(_KILL_SECONDS, spared=set())

    def _kill_until(self, seconds: float, spared: set[int]) -> None:
        """Kills every child that is not spared, as they come, until there is none or the time is over."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and (there := processes.children()):
            for pid in there:
                if pid not in spared:
                    processes.signal_quietly(pid, signal.SIGKILL)
            select.select([self._signals.read], [], [], min(left, _TICK))
            self._signals.take()
            processes.reap()


def _import_seconds() -> float:
    """`FTL_IMPORT_SECONDS`: how long a package may take to be imported ahead of the forks."""
    given = os.environ.get("FTL_IMPORT_SECONDS", "")
    return float(given) if given.replace(".", "", 1).isdecimal() else IMPORT_SECONDS


def main(arguments: list[str]) -> None:
    """`STATE FOLDER REALM READY_FD`: takes the folder's lock, serves, ends."""
    if os.fork():
        # The client waits for this short-lived parent, so that no dead supervisor is ever left to it as a zombie.
        os._exit(0)
    state, folder, realm, ready = Path(arguments[0]), Path(arguments[1]), arguments[2], int(arguments[3])
    os.set_inheritable(ready, False)
    try:
        _serve(Project(folder, state, realm), ready)
    except FtlError as e:
        os.write(ready, json.dumps(e.to_dict()).encode())


def _serve(project: Project, ready: int) -> None:
    try:
        make_state(project)
        lock = os.open(project.state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as e:
        raise unwritable(project, e) from None
    # One that is still ending its processes holds it for a moment.
    fcntl.flock(lock, fcntl.LOCK_EX)
    _shorten(project.state / "logs")
    Supervisor(project, lock).run(ready)


def _shorten(logs: Path) -> None:
    for log in logs.glob("*.log"):
        if log.stat().st_size > _LOG_LIMIT:
            os.truncate(log, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
