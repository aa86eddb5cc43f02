"""The threads that serve calls: what gRPC needs of an executor, and nothing else, since every call passes here.

gRPC only submits and never asks for the outcome, so there are no futures. The thread that went idle last is the first
to work again, while its stack is still in the processor's cache; a thread is started when all others are busy.
"""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

Work = tuple[Callable[..., object], tuple[Any, ...]]


class HandlerPool:
    """At most `threads` threads; work beyond that waits in order."""

    def __init__(self, threads: int) -> None:
        self._limit = threads
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._waiting: deque[Work] = deque()
        self._started = 0
        self._closed = False

    def submit(self, function: Callable[..., object], *arguments: Any) -> None:
        """Runs `function(*arguments)` on one of the threads."""
        work = (function, arguments)
        with self._lock:
            if self._idle:
                self._idle.pop().give(work)
            elif self._started < self._limit:
                self._started += 1
                _Worker(self, work, self._started)
            else:
                self._waiting.append(work)

    def next(self, worker: _Worker) -> Work | None:
        """What a worker that has finished does next; None lets it wait until it is given something."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._closed:
                worker.give(None)
            else:
                self._idle.append(worker)
            return None

    def close(self) -> None:
        """Lets the threads end, each after what it is doing."""
        with self._lock:
            self._closed = True
            for worker in self._idle:
                worker.give(None)
            self._idle.clear()


class _Worker:
    """One thread, with a lock that is free once it has been given work."""

    def __init__(self, pool: HandlerPool, work: Work, number: int) -> None:
        self._pool = pool
        self._given: Work | None = work
        self._ready = threading.Lock()
        self._ready.acquire()
        threading.Thread(target=self._run, name=f"rpc_{number}", daemon=True).start()

    def give(self, work: Work | None) -> None:
        self._given = work
        self._ready.release()

    def _run(self) -> None:
        work = self._given
        while work is not None:
            function, arguments = work
            try:
                function(*arguments)
            except BaseException:
                traceback.print_exc()
            # Nothing of a finished call is kept while its thread waits.
            work = function = arguments = None  # type: ignore[assignment]
            work = self._pool.next(self)
            if work is None:
                self._ready.acquire()
                work = self._given
