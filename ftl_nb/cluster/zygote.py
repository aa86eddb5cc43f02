"""The process that has the imports done and forks every other one.

It only imports and forks: no thread, channel, server or event loop ever starts here, so that what it forks is whole.
It is forked itself from the supervisor and speaks with it over one socket.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ftl_nb.cluster import processes, wire
from ftl_nb.cluster.wire import Message

_TICK = 0.05
#: What the control process needs, which is forked first; nothing else is up before it is.
_FIRST = ("ftl_nb.services.main", "grpc._channel", "grpc._server")
#: What runners need, imported while the control process starts.
_NEXT = (
    "ftl_nb.runner.main",
    "ftl_nb.binding.classes",
    "ftl_nb.schema.wire",
    "grpc.experimental",
    "grpc._simple_stubs",
)
#: What databases need, imported one by one while nobody asks for anything.
_IDLE = ("sqlglot", "duckdb", "ftl_nb.runner.database")
_IDLE_SECONDS = 1.0
ROLES: dict[str, tuple[str, str]] = {
    "control": ("ftl_nb.services.main", "run"),
    "runner": ("ftl_nb.runner.main", "run"),
    "database": ("ftl_nb.runner.database", "run"),
}


def run(link: socket.socket, lifeline: int) -> None:
    """The zygote's whole life; returns when the supervisor closes the link."""
    processes.call_itself("zygote")
    signals = processes.SignalPipe(signal.SIGCHLD)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for name in _FIRST:
        importlib.import_module(name)
    wire.send(link, {"op": "ready"})
    # A send that fails says the same as the end of the link: the supervisor is gone.
    with suppress(BrokenPipeError, ConnectionResetError):
        _Zygote(link, lifeline, signals).loop()
    _end_family(signals)


def _end_family(signals: processes.SignalPipe) -> None:
    """The supervisor is gone: whatever is left of its processes below here goes too."""
    processes.become_subreaper()
    while processes.children():
        processes.kill_below(os.getpid())
        select.select([signals.read], (), (), _TICK)
        signals.take()
        processes.reap()


class _Zygote:
    def __init__(self, link: socket.socket, lifeline: int, signals: processes.SignalPipe) -> None:
        self._link = link
        self._lifeline = lifeline
        self._signals = signals
        self._to_come = list(_IDLE)

    def loop(self) -> None:
        while True:
            idle = _IDLE_SECONDS if self._to_come else None
            ready, _, _ = select.select([self._link.fileno(), self._signals.read], (), (), idle)
            if not ready:
                importlib.import_module(self._to_come.pop(0))
            if self._signals.read in ready:
                self._signals.take()
                self._report_ended()
            if self._link.fileno() in ready:
                message = wire.receive(self._link)
                if message is None:
                    return
                self._handle(message)

    def _handle(self, message: Message) -> None:
        if message["op"] == "fork":
            self._fork(message)
        else:
            unsafe = not preload(message["package"])
            wire.send(self._link, {"op": "preloaded", "package": message["package"], "unsafe": unsafe})

    def _report_ended(self) -> None:
        for pid, status in processes.reap():
            wire.send(self._link, {"op": "exited", "pid": pid, "status": status})

    def _fork(self, message: Message) -> None:
        """Pid 0 is the answer when there is no room for one more process."""
        try:
            pid = os.fork()
        except OSError as e:
            print(f"no process for {message['spec']['identity']}: {e}", file=sys.stderr, flush=True)
            wire.send(self._link, {"op": "forked", "id": message["id"], "pid": 0})
            return
        if pid == 0:
            self._become(message["spec"])
        wire.send(self._link, {"op": "forked", "id": message["id"], "pid": pid})
        for name in _NEXT:
            importlib.import_module(name)

    def _become(self, spec: Message) -> None:
        """The child: forgets the zygote and lives its role; never returns."""
        code = 1
        with suppress(BaseException):
            self._signals.close()
            self._link.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            processes.call_itself(Path(spec["log"]).stem)
            redirect(Path(spec["log"]))
            # What a verb starts and lets go of stays below its own runner, and ends with it.
            processes.become_subreaper()
            processes.die_with(self._lifeline)
            code = _live(spec)
        os._exit(code)


def _live(spec: Message) -> int:
    module, function = ROLES[spec["role"]]
    try:
        main: Callable[[Message], None] = getattr(importlib.import_module(module), function)
        main(spec)
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def redirect(log: Path) -> None:
    """Standard output and error go to the end of `log`; where it cannot be made, they stay the supervisor's."""
    try:
        fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as e:
        print(f"{log}: {e.strerror}", file=sys.stderr, flush=True)
        return
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)


def preload(package: str) -> bool:
    """Imports a package from site-packages ahead of the forks; whether it is safe to fork after it.

    An import that fails is left to the runner, which meets the same failure at its author's own line.
    """
    with suppress(BaseException):
        importlib.import_module(package)
    return threading.active_count() == 1
