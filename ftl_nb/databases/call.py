"""One call of a database: its deadline, and how it is stopped from another thread."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count

_REPEAT = 0.05  # an interrupt that comes between two statements is lost, so it is repeated while the call runs


class Call:
    """Made by who serves the call; `cancel` may come from any thread, at any time, any number of times."""

    def __init__(self, timeout: float | None = None) -> None:
        self.timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self.cancelled = False
        self._interrupt: Callable[[], None] | None = None
        self._lock = threading.Lock()

    @property
    def expired(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def remaining(self, otherwise: float) -> float:
        """Seconds until the deadline, `otherwise` where there is none."""
        return otherwise if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def cancel(self) -> None:
        self.cancelled = True
        _watchdog.watch(time.monotonic(), self)

    def begin(self, interrupt: Callable[[], None]) -> None:
        """From now until `end`, the end of the call calls `interrupt`, from another thread."""
        self._interrupt = interrupt
        if self._deadline is not None:
            _watchdog.watch(self._deadline, self)

    def end(self) -> None:
        with self._lock:
            self._interrupt = None

    def fire(self) -> bool:
        """Interrupts what runs; whether there was anything to interrupt."""
        with self._lock:
            if self._interrupt is None or not (self.cancelled or self.expired):
                return False
            self._interrupt()
            return True


class _Watchdog:
    """One thread for all calls, started with the first that has a deadline or is cancelled."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Call]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, when: float, call: Call) -> None:
        with self._changed:
            heapq.heappush(self._due, (when, next(self._numbers), call))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="database-deadlines", daemon=True)
                self._thread.start()
            elif self._due[0][2] is call:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            call = self._next()
            if call.fire():
                self.watch(time.monotonic() + _REPEAT, call)

    def _next(self) -> Call:
        with self._changed:
            while not self._due or self._due[0][0] > time.monotonic():
                self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
            return heapq.heappop(self._due)[2]


_watchdog = _Watchdog()
