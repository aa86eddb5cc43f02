"""The slots of one client, under a lease that is kept alive while the client lives."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from ftl_nb.errors import FtlError
from ftl_nb.store.contract import Lease, LeaseGoneError, StoreClosedError
from ftl_nb.store.etcd.keyspace import Keyspace
from ftl_nb.store.etcd.transactions import Slot

#: A slot outlives every try of a commit by far.
SECONDS = 120.0


class Session:
    """Gives each commit in flight a slot of its own. Begins at the first commit, and anew when its lease was lost."""

    def __init__(self, space: Keyspace, grant: Callable[[float], Lease], keep_alive: Callable[[int], float]) -> None:
        self._space = space
        self._grant = grant
        self._keep_alive = keep_alive
        self._lock = threading.Lock()
        self._lease = 0
        self._free: list[Slot] = []
        self._closed = threading.Event()

    def take(self) -> Slot:
        with self._lock:
            if not self._lease:
                self._begin()
            if self._free:
                return self._free.pop()
            return Slot(self._space.slot(uuid.uuid4().hex), self._lease)

    def give_back(self, slot: Slot, revision: int | None = None) -> None:
        """`revision` is that of etcd at which it was written, None where it was not."""
        with self._lock:
            if slot.lease == self._lease:
                after = slot if revision is None else replace(slot, revision=revision)
                self._free.append(replace(after, number=slot.number + 1))

    def lives(self, lease: int) -> bool:
        """Ask etcd whether the session of that lease goes on; it is over for good where not."""
        try:
            self._keep_alive(lease)
        except LeaseGoneError:
            self.lost(lease)
            return False
        return True

    def lost(self, lease: int) -> None:
        with self._lock:
            if self._lease == lease:
                self._lease, self._free = 0, []

    def close(self) -> int:
        """The lease that is to be revoked, 0 for none."""
        self._closed.set()
        with self._lock:
            lease, self._lease, self._free = self._lease, 0, []
            return lease

    def _begin(self) -> None:
        self._lease = self._grant(SECONDS).id
        threading.Thread(target=self._renew, args=(self._lease,), name="store-session", daemon=True).start()

    def _renew(self, lease: int) -> None:
        with suppress(StoreClosedError):
            while not self._closed.wait(SECONDS / 4):
                # While no member answers nothing can be renewed; whether the lease outlived that is asked later.
                with suppress(FtlError):
                    if lease != self._lease or not self.lives(lease):
                        return
