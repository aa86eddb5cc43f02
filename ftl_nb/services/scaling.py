"""Local scaling: one forked process a deployment, started again with back-off when it dies while it is wanted."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftl_nb import schema
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import Context, workspace_pb2
from ftl_nb.rpc.services import RegistryService, Served
from ftl_nb.services.access import PROCESSES, only, ping
from ftl_nb.services.link import SupervisorLink

BACK_OFF = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_STEADY_SECONDS = 10.0
_START_SECONDS = 60.0

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Registered:
    """What a process said of itself."""

    endpoint: str
    module: schema.Module


@dataclass(slots=True)
class Replica:
    """One wanted process. `spec` makes the message it is forked with, anew at each start."""

    deployment: str
    name: str
    spec: Callable[[], Spec]
    ready: Future[Registered] = field(default_factory=Future)
    pid: int = 0
    restarts: int = 0
    up_since: float = 0.0
    wanted: bool = True

    @property
    def subject(self) -> str:
        """The module, or `module.database`, that its name (`runner-shop`, `database-shop-stock`) tells."""
        return self.name.partition("-")[2].replace("-", ".")


class LocalScaling:
    """Starts and stops processes. `on_up(deployment, registered)` and `on_down(deployment)` follow what is wanted."""

    def __init__(self, link: SupervisorLink, logs: Path) -> None:
        self._link = link
        self._logs = logs
        self._lock = threading.Lock()
        self._replicas: dict[str, Replica] = {}
        self.on_up: Callable[[str, Registered], None] = lambda deployment, registered: None
        self.on_down: Callable[[str], None] = lambda deployment: None
        link.on_exit = self._exited

    def start(self, deployment: str, name: str, spec: Callable[[], Spec]) -> Registered:
        """Forks a process and waits for its word. Raises FtlError: what the process said, or `runner-start`."""
        replica = Replica(deployment, name, spec)
        with self._lock:
            self._replicas[deployment] = replica
        self._fork(replica)
        try:
            return replica.ready.result(timeout=_START_SECONDS)
        except FutureTimeout:
            detail = f"it said nothing for {_START_SECONDS:g} s"
            raise fail("runner-start", module=replica.subject, detail=detail) from None
        finally:
            if not _succeeded(replica.ready):
                self.stop(deployment)

    def stop(self, deployment: str) -> None:
        """Ends the process of a deployment that is no longer wanted."""
        with self._lock:
            replica = self._replicas.pop(deployment, None)
            if replica is not None:
                replica.wanted = False
        if replica is not None and replica.pid:
            self._link.kill(replica.pid)

    def restarts(self, deployment: str) -> int:
        replica = self._replicas.get(deployment)
        return replica.restarts if replica is not None else 0

    def wants(self, deployment: str) -> bool:
        """Whether a deployment has a process, or will have one again: it may just be between two."""
        return deployment in self._replicas

    def pid(self, deployment: str) -> int:
        """The process of a deployment, 0 where it has none now."""
        replica = self._replicas.get(deployment)
        return replica.pid if replica is not None else 0

    def _fork(self, replica: Replica) -> None:
        self._link.fork(replica.spec(), replica.name, lambda pid: self._forked(replica, pid))

    def _forked(self, replica: Replica, pid: int) -> None:
        with self._lock:
            replica.pid = pid
            wanted = replica.wanted
        if pid and not wanted:
            self._link.kill(pid)

    def _exited(self, pid: int, status: int, name: str) -> None:
        with self._lock:
            replica = next((r for r in self._replicas.values() if r.pid == pid), None)
            if replica is None or not replica.wanted:
                return
            replica.pid = 0
        if not replica.ready.done():
            detail = f"its process {_how(status)}: {self._last_line(name)}"
            replica.ready.set_exception(fail("runner-start", module=replica.subject, detail=detail))
        elif _succeeded(replica.ready):
            self._again(replica)

    def _again(self, replica: Replica) -> None:
        """The process died: nothing is routed to it, and after a pause it is forked anew."""
        self.on_down(replica.deployment)
        if replica.up_since and time.monotonic() - replica.up_since > _STEADY_SECONDS:
            replica.restarts = 0
        replica.up_since = 0.0
        pause = BACK_OFF[min(replica.restarts, len(BACK_OFF) - 1)]
        replica.restarts += 1
        timer = threading.Timer(pause, self._refork, (replica,))
        timer.daemon = True
        timer.start()

    def _refork(self, replica: Replica) -> None:
        """Later again, where there is no room for a process or the supervisor is busy."""
        if not replica.wanted:
            return
        try:
            self._fork(replica)
        except FtlError as e:
            print(f"{replica.name} could not be started again: {e.message}", flush=True)
            self._again(replica)

    def _last_line(self, name: str) -> str:
        log = self._logs / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return lines[-1] if lines else "its log is empty"

    # --- what processes say --------------------------------------------------------------------------------------

    def register(self, request: workspace_pb2.RegisterRequest, context: Context) -> workspace_pb2.RegisterResponse:
        with self._lock:
            replica = self._replicas.get(request.deployment)
        if replica is None:
            raise fail("runner-moved", module=request.deployment)
        if request.error:
            if not replica.ready.done():
                replica.ready.set_exception(FtlError.from_dict(json.loads(request.error)))
            return workspace_pb2.RegisterResponse()
        registered = Registered(request.endpoint, schema.from_proto(request.schema))
        replica.up_since = time.monotonic()
        if replica.ready.done():
            self.on_up(request.deployment, registered)
        else:
            replica.ready.set_result(registered)
        return workspace_pb2.RegisterResponse()

    def renew(self, request: workspace_pb2.RenewRequest, context: Context) -> workspace_pb2.RenewResponse:
        from ftl_nb.rpc import peer

        leaf = self._link.leaf(peer(context))
        return workspace_pb2.RenewResponse(
            certificate_pem=leaf.certificate_pem, key_pem=leaf.key_pem, ca_pem=leaf.ca_pem
        )

    def served_by(self) -> tuple[Served, ...]:
        return (
            RegistryService.ping.served_by(only(PROCESSES, ping)),
            RegistryService.register.served_by(only(PROCESSES, self.register)),
            RegistryService.renew.served_by(only(PROCESSES, self.renew)),
        )


def _how(status: int) -> str:
    """A wait status in words."""
    if status == -1:
        return "ended"
    code = os.waitstatus_to_exitcode(status)
    return f"ended with code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


def _succeeded(future: Future[Registered]) -> bool:
    return future.done() and future.exception() is None
