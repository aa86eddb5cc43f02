"""What brings events to the archive: a thread that writes in batches, off everybody's way.

Until they are written events wait in memory, in bounded number and size: where the archive cannot take them (a full
disk), the oldest of them are dropped and counted, and nothing else notices.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ftl_nb.rpc import event_pb2
from ftl_nb.services.timeline.archive import Archive, ArchiveFailed

WAITING_EVENTS, WAITING_BYTES = 50_000, 64 * 2**20
_BATCH_EVENTS, _BATCH_BYTES = 4096, 8 * 2**20
#: Opening takes a share of a processor that the first calls of a cluster need more.
_FIRST_SECONDS, _EVERY_SECONDS = 3.0, 0.5
_LONGEST_BACKOFF = 30.0


class Keeper:
    """Writes what it is given to `archive`. `say` is told, once a spell, that it cannot."""

    def __init__(self, archive: Archive, say: Callable[[str], None], first: float = _FIRST_SECONDS) -> None:
        self.archive = archive
        self._say = say
        self._pause = first
        self._marks = Marks(archive.file.parent)
        #: The first id that is free.
        self.first = self._marks.first(archive)
        self._waiting: deque[event_pb2.Event] = deque()
        self._bytes = 0
        self._lost = 0
        self._settled = self.first - 1
        self._failures = 0
        self._begun = False
        self._hurry = self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="ftl-archive", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """How many events the archive never got."""
        return self._lost

    def put(self, events: Iterable[event_pb2.Event]) -> None:
        """Never blocks for the disk. In order of ids."""
        with self._changed:
            for event in events:
                self._waiting.append(event)
                self._bytes += event.ByteSize()
            while len(self._waiting) > WAITING_EVENTS or self._bytes > WAITING_BYTES:
                dropped = self._waiting.popleft()
                self._bytes -= dropped.ByteSize()
                self._lost += 1
            self._changed.notify_all()

    def settle(self, last: int, timeout: float = 5.0) -> None:
        """Until all up to id `last` is written, or cannot be."""
        with self._changed:
            if self._settled < last:
                self._hurry = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._settled >= last or self._failures > 0 or self._closing, timeout)

    def close(self, timeout: float = 2.0) -> None:
        """Writes what waits, where that takes no longer, and closes the archive."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)

    # --- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing or self._waiting:
            self._wait()
            batch = self._take()
            if batch and not self._written(batch) and self._closing:
                break
        self.archive.close()

    def _wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            pause = min(2.0 ** (self._failures - 1), _LONGEST_BACKOFF) if self._failures else self._pause
            self._changed.wait_for(lambda: self._closing or (self._hurry and not self._failures), pause)

    def _take(self) -> list[event_pb2.Event]:
        batch: list[event_pb2.Event] = []
        size = 0
        with self._changed:
            while self._waiting and len(batch) < _BATCH_EVENTS and size < _BATCH_BYTES:
                event = self._waiting.popleft()
                batch.append(event)
                size += event.ByteSize()
            self._bytes -= size
            if not self._waiting:
                self._hurry = False
        return batch

    def _written(self, batch: list[event_pb2.Event]) -> bool:
        try:
            self._begin()
            self._marks.advance(batch[-1].id + 1)
            self.archive.write(batch)
        except (ArchiveFailed, OSError) as e:
            self._failed(batch, str(e))
            return False
        with self._changed:
            self._failures, self._pause = 0, _EVERY_SECONDS
            self._settled = max(self._settled, batch[-1].id)
            self._changed.notify_all()
        self._bound()
        return True

    def _begin(self) -> None:
        if not self._begun:
            self.archive.begin_at(self.first)
            self._begun = True

    def _bound(self) -> None:
        try:
            self.archive.bound()
        except ArchiveFailed as e:
            # The file stays larger until the next batch.
            self._say(f"timeline: the archive was not shortened ({e})")

    def _failed(self, batch: list[event_pb2.Event], why: str) -> None:
        if not self._failures:
            self._say(f"timeline: events are not kept meanwhile ({why})")
        self.archive.close()
        with self._changed:
            self._failures += 1
            # Those that came meanwhile have pushed out as many as do not fit.
            room = max(0, WAITING_EVENTS - len(self._waiting))
            back = batch[-room:] if room else []
            self._lost += len(batch) - len(back)
            self._waiting.extendleft(reversed(back))
            self._bytes += sum(event.ByteSize() for event in back)
            self._changed.notify_all()


class Marks:
    """The first free id, in a file of its own, so that a cluster starts without opening the archive."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "next"

    def first(self, archive: Archive) -> int:
        """0 for a folder that has nothing."""
        with suppress(OSError, ValueError):
            return max(0, int(self._file.read_text()))
        if not archive.file.exists():
            return 0
        # Without the file, or with one that is damaged, the archive itself is asked.
        with suppress(ArchiveFailed):
            return archive.last_id() + 1
        return 0

    def advance(self, number: int) -> None:
        """Raises OSError."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(f"{number}\n")
        new.replace(self._file)
