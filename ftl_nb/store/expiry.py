"""When leases end, on a clock that nothing sets: the deadlines, and the thread that waits for the next of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from ftl_nb.errors import FtlError
from ftl_nb.store.contract import LeaseGoneError, StoreClosedError

Clock = Callable[[], float]
#: After an end that could not be written (a full disk).
_AGAIN_SECONDS = 0.5


class Expiry:
    """Calls `drop` with each lease that has ended, from a thread of its own that the first lease starts."""

    def __init__(self, drop: Callable[[int], None], clock: Clock = time.monotonic) -> None:
        self._drop = drop
        self._clock = clock
        self._changed = threading.Condition()
        #: Seconds, and when they are over.
        self._leases: dict[int, tuple[float, float]] = {}
        self._ended: list[int] = []
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, lease: int, ttl: float) -> None:
        with self._changed:
            self._leases[lease] = (ttl, self._clock() + ttl)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def renew(self, lease: int) -> float:
        """Its seconds, which begin anew. Raises LeaseGoneError, also before its end is written."""
        with self._changed:
            if not self.lives(lease):
                raise LeaseGoneError(lease)
            ttl, _ = self._leases[lease]
            self._leases[lease] = (ttl, self._clock() + ttl)
            return ttl

    def lives(self, lease: int) -> bool:
        return lease in self._leases and self._clock() < self._leases[lease][1]

    def forget(self, lease: int) -> None:
        with self._changed:
            self._leases.pop(lease, None)

    def drop_ended(self) -> None:
        """Drop what has ended. On a full disk its keys stay until there is space; it has ended all the same."""
        with self._changed:
            now = self._clock()
            ended = [lease for lease, (_, until) in self._leases.items() if until <= now]
            for lease in ended:
                del self._leases[lease]
            self._ended += ended
        with suppress(FtlError):
            while self._ended:
                self._drop(self._ended[0])
                self._ended.pop(0)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        with suppress(StoreClosedError):
            while not self._closed:
                self.drop_ended()
                with self._changed:
                    if not self._closed:
                        self._changed.wait(self._pause())

    def _pause(self) -> float | None:
        """Seconds until there is something to do; None where nothing is waited for."""
        if self._ended:
            return _AGAIN_SECONDS
        nearest = min((until for _, until in self._leases.values()), default=None)
        return None if nearest is None else max(0.0, nearest - self._clock())
