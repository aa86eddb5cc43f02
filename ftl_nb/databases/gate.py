"""Holds writers back while a database is being migrated; readers never meet it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ftl_nb.errors import FtlError, fail


class WriteGate:
    """Many writers at once while it is open. Waits end with `database-busy`."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._changed = threading.Condition()
        self._writers = 0
        self._closed = False

    @contextmanager
    def writing(self, timeout: float) -> Iterator[None]:
        """Waits up to `timeout` seconds for an open gate, and counts as a writer while the block runs."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._closed, timeout):
                raise self._busy()
            self._writers += 1
        try:
            yield
        finally:
            with self._changed:
                self._writers -= 1
                self._changed.notify_all()

    def close(self, timeout: float) -> None:
        """Lets no new writer in and waits up to `timeout` seconds for those inside to leave."""
        with self._changed:
            if self._closed:
                raise self._busy()
            self._closed = True
            if not self._changed.wait_for(lambda: self._writers == 0, timeout):
                self._closed = False
                self._changed.notify_all()
                raise self._busy()

    def open(self) -> None:
        with self._changed:
            self._closed = False
            self._changed.notify_all()

    def _busy(self) -> FtlError:
        return fail("database-busy", database=self._database)
