"""Values on their way from who makes them to who sends them: gathered, and never held back for long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from typing import Any

#: A value waits for others to come for so long.
HOLD_SECONDS = 0.02

Within = Callable[[], AbstractContextManager[object]]


class Holder:
    """Iterates in a thread of its own, in the context of whoever made this, and `within()`.

    So what was made goes on its way while the next value takes its time. Who makes them waits once `size` are held.
    """

    def __init__(self, values: Iterator[Any], within: Within = nullcontext) -> None:
        self.size = 1
        self._values = values
        self._within = within
        self._held: list[Any] = []
        self._changed = threading.Condition()
        self._over = self._left = False
        self._error: BaseException | None = None
        context = copy_context()
        threading.Thread(target=lambda: context.run(self._make), name="ftl-stream", daemon=True).start()

    def lists(self) -> Iterator[list[Any]]:
        """What is held, again and again; at the end, what the values raised. Who stops before ends who makes them."""
        try:
            while (held := self._take()) or not self._over:
                if held:
                    yield held
        finally:
            with self._changed:
                self._left = True
                self._changed.notify_all()
        if self._error is not None:
            raise self._error

    def _take(self) -> list[Any]:
        with self._changed:
            self._changed.wait_for(lambda: self._held or self._over)
            if not self._over and self.size > 1:
                self._changed.wait_for(lambda: len(self._held) >= self.size or self._over, HOLD_SECONDS)
            held, self._held = self._held, []
            self._changed.notify_all()
            return held

    def _make(self) -> None:
        try:
            with self._within():
                self._gather()
        except BaseException as e:
            self._error = e
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _gather(self) -> None:
        for value in self._values:
            with self._changed:
                self._held.append(value)
                if len(self._held) in (1, self.size):
                    self._changed.notify_all()
                self._changed.wait_for(lambda: len(self._held) < self.size or self._left)
                if self._left:
                    break
        close = getattr(self._values, "close", None)
        if close is not None:
            close()
