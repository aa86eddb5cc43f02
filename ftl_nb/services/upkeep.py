"""What the control process does now and then: the store forgets the history that nobody asks for any more."""

from __future__ import annotations

import threading
from contextlib import suppress

from ftl_nb.errors import FtlError
from ftl_nb.store import Store

#: So many of the newest revisions stay, for watches that are behind.
KEPT = 1000
_EVERY_SECONDS = 60.0


class Upkeep:
    """Compacts a store once it has grown by twice what is kept, and wholly at the start, where nothing watches yet."""

    def __init__(self, store: Store, kept: int = KEPT) -> None:
        self._store = store
        self._kept = kept
        self._compact(store.revision)

    def run(self) -> None:
        """Never returns."""
        pause = threading.Event()
        while True:
            pause.wait(_EVERY_SECONDS)
            self.look()

    def look(self) -> None:
        if self._store.revision - self._compacted >= 2 * self._kept:
            self._compact(self._store.revision - self._kept)

    def _compact(self, revision: int) -> None:
        self._compacted = revision
        # On a full disk the history stays; whoever writes is told.
        with suppress(FtlError):
            self._store.compact(revision)
