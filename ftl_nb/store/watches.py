"""Watches over a log of commits: each one reads the log at its own pace and waits for what is new."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from ftl_nb.store.contract import Commit, StoreClosedError

#: Commits from a revision on, oldest first, at most some; and the last revision that was looked at.
ReadLog = Callable[[int], tuple[Sequence[Commit], int]]


class News:
    """Tells waiting watches that the log has grown, or has ended."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._latest = 0
        self._ended = False

    def publish(self, revision: int) -> None:
        with self._changed:
            self._latest = max(self._latest, revision)
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wake(self) -> None:
        """Let every watch see whether it was stopped."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, revision: int, stopped: Callable[[], bool]) -> bool:
        """Until the log has `revision`; False when it never will, or `stopped`."""
        with self._changed:
            self._changed.wait_for(lambda: self._latest >= revision or self._ended or stopped())
            return self._latest >= revision and not self._ended and not stopped()


class LogWatch:
    """A `Watch` that reads commits through `read`; it keeps no queue, so one that is slow costs nothing."""

    def __init__(self, read: ReadLog, news: News, from_revision: int) -> None:
        self._read = read
        self._news = news
        self._next = from_revision
        self._ready: deque[Commit] = deque()
        self._stopped = threading.Event()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Commit:
        while not self._stopped.is_set():
            if self._ready:
                return self._ready.popleft()
            if not self._news.wait(self._next, self._stopped.is_set):
                break
            try:
                commits, seen = self._read(self._next)
            except StoreClosedError:
                break
            self._ready.extend(commits)
            self._next = seen + 1
        raise StopIteration

    def stop(self) -> None:
        self._stopped.set()
        self._news.wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
