"""Which modules are being changed, and by whom: changes of different modules go on beside each other.

What one client asks goes one after the other, since its cells wait for each other. A module that another client is
changing is refused at once, before anything is started.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

#: Refuses a module that is being changed by the client that is named.
Refuse = Callable[[str, str], None]


class Reservations:
    """Thread-safe. `refuse(module, holder)` raises for a module that another holds."""

    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse
        self._freed = threading.Condition()
        self._turns: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._held: dict[str, str] = {}
        self._closed = False

    @contextmanager
    def turn(self, owner: str) -> Iterator[None]:
        """The turn of `owner`: what it has pending stays as it is meanwhile."""
        with self._freed:
            turn = self._turns[owner]
        with turn:
            yield

    @contextmanager
    def of(self, owner: str, modules: Iterable[str]) -> Iterator[None]:
        """Holds modules for `owner`, whose turn it is. Raises what `refuse` does, with none of them held."""
        names = set(modules)
        with self._freed:
            self._freed.wait_for(lambda: not self._closed)
            for name in sorted(names & self._held.keys()):
                self._refuse(name, self._held[name])
            self._held |= dict.fromkeys(names, owner)
        try:
            yield
        finally:
            with self._freed:
                for name in names:
                    del self._held[name]
                self._freed.notify_all()

    @contextmanager
    def of_all(self) -> Iterator[None]:
        """Waits until nothing is held; nobody holds anything until it is over."""
        with self._freed:
            self._freed.wait_for(lambda: not self._closed and not self._held)
            self._closed = True
        try:
            yield
        finally:
            with self._freed:
                self._closed = False
                self._freed.notify_all()
