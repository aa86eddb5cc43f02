"""The lease service: named locks that end by themselves, one holder each, with a fencing token.

Who holds what is in the store: its revision is the token, so tokens grow for good. How long a holder may go on without
renewing is counted on this process's monotonic clock, which no change of the machine's time moves.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration

from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import Context, Identity, event_pb2, lease_pb2, peer
from ftl_nb.rpc.services import LeaseService, Served
from ftl_nb.services.access import EVERYBODY, PROCESSES, only, ping
from ftl_nb.store import Condition, Conflict, Delete, Put, Store

KEYS = "/leases/"
SHORTEST_SECONDS = 1.0
Clock = Callable[[], float]
Told = Callable[[event_pb2.LeaseEvent], object]


@dataclass(slots=True)
class _Held:
    holder: str
    token: int
    until: float


class Leases:
    """The leases of one cluster. Thread-safe. What an earlier run of it left is dropped: the holders are gone."""

    def __init__(self, store: Store, clock: Clock = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._changed = threading.Condition()
        items, _ = store.range(KEYS)
        store.commit((), [Delete(item.key) for item in items])

    def take(
        self, key: str, holder: str, ttl: float, wait: float = 0.0, alive: Callable[[], bool] = lambda: True
    ) -> int:
        """The fencing token of a lease that `holder` now has for `ttl` seconds, renewals aside.

        Raises FtlError `lease-held` where another still has it after `wait` seconds, or once `alive()` is false.
        """
        give_up = self._clock() + wait
        with self._changed:
            while (held := self._current(key)) is not None:
                now = self._clock()
                if give_up <= now or not alive():
                    raise fail("lease-held", lease=shown(key), holder=held.holder, left=f"{held.until - now:.0f}")
                self._changed.wait(min(give_up, held.until) - now)
            token = self._put(key, holder)
            self._held[key] = _Held(holder, token, self._clock() + ttl)
            return token

    def renew(self, key: str, token: int, ttl: float) -> None:
        """Raises FtlError `lease-lost` where the lease had ended, whether another took it or not."""
        with self._changed:
            held = self._current(key)
            if held is None or held.token != token:
                raise fail("lease-lost", lease=shown(key))
            held.until = self._clock() + ttl

    def release(self, key: str, token: int) -> bool:
        """Ends a lease before its time; False where it had ended."""
        with self._changed:
            held = self._current(key)
            if held is None or held.token != token:
                return False
            self._end(key)
            return True

    def wake(self) -> None:
        """Lets those who wait see whether they still want to."""
        with self._changed:
            self._changed.notify_all()

    def _current(self, key: str) -> _Held | None:
        held = self._held.get(key)
        if held is not None and held.until <= self._clock():
            self._end(key)
            return None
        return held

    def _end(self, key: str) -> None:
        del self._held[key]
        self._store.commit((), [Delete(KEYS + key)])
        self._changed.notify_all()

    def _put(self, key: str, holder: str) -> int:
        value = json.dumps({"holder": holder}).encode()
        written = self._store.commit([Condition(KEYS + key, 0)], [Put(KEYS + key, value)])
        if isinstance(written, Conflict):
            raise fail("lease-held", lease=shown(key), holder="another control plane", left="?")
        return written


def shown(key: str) -> str:
    """A key as its author knows it: `reindex/acme` of `module/shop/reindex/acme`."""
    return key.split("/", 2)[-1]


class LeaseServer:
    """One stream a lease: its messages take and renew it, its end gives it back. `told` hears of each step."""

    def __init__(self, leases: Leases, told: Told = lambda event: None) -> None:
        self._leases = leases
        self._told = told

    def served_by(self) -> tuple[Served, ...]:
        return (
            LeaseService.ping.served_by(only(EVERYBODY, ping)),
            LeaseService.acquire_lease.served_by(only(PROCESSES, self.acquire)),
        )

    def acquire(
        self, requests: Iterator[lease_pb2.AcquireLeaseRequest], context: Context
    ) -> Iterator[lease_pb2.AcquireLeaseResponse]:
        holder = peer(context)
        context.add_callback(self._leases.wake)
        tokens: dict[str, int] = {}
        try:
            for request in requests:
                key, ttl = _key(request, holder), _seconds(request)
                if key in tokens:
                    self._leases.renew(key, tokens[key], ttl)
                else:
                    wait = request.wait.ToTimedelta().total_seconds()
                    tokens[key] = self._take(key, holder, ttl, wait, context)
                yield lease_pb2.AcquireLeaseResponse(token=tokens[key])
        finally:
            for key, token in tokens.items():
                self._tell("released" if self._leases.release(key, token) else "lost", key, token=token)

    def _take(self, key: str, holder: Identity, ttl: float, wait: float, context: Context) -> int:
        try:
            token = self._leases.take(key, holder.path, ttl, wait, context.is_active)
        except FtlError as e:
            self._tell("refused", key, error=e.message)
            raise
        self._tell("acquired", key, token=token, ttl=Duration(nanos=round(ttl % 1 * 1e9), seconds=int(ttl)))
        return token

    def _tell(self, action: str, key: str, **more: Any) -> None:
        event = event_pb2.LeaseEvent(lease=key.removeprefix("module/"), action=action, **more)
        event.timestamp.GetCurrentTime()
        self._told(event)


def _key(request: lease_pb2.AcquireLeaseRequest, holder: Identity) -> str:
    scope, parts = tuple(request.key[:2]), request.key[2:]
    if scope != ("module", holder.names[0]):
        raise _invalid(f"{holder.path} may take leases below module/{holder.names[0]} alone")
    if not parts or any(not part or "/" in part for part in parts):
        raise _invalid("a lease is named by texts that are not empty and hold no '/'")
    return "/".join(request.key)


def _seconds(request: lease_pb2.AcquireLeaseRequest) -> float:
    ttl = request.ttl.ToTimedelta().total_seconds()
    if ttl < SHORTEST_SECONDS:
        raise _invalid(f"a lease lasts at least {SHORTEST_SECONDS:g} s, {ttl:g} s were asked for")
    return ttl


def _invalid(detail: str) -> FtlError:
    return fail("lease-invalid", detail=detail)
