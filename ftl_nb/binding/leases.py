"""`with ftl.lease("reindex", tenant, ttl=30):` one holder at a time in the whole system, for as long as it renews."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from ftl_nb.binding import dispatch
from ftl_nb.binding.dispatch import Held
from ftl_nb.binding.interrupts import raise_in
from ftl_nb.errors import fail


class _Lost(BaseException):
    """Raised in the block of a lease that was lost; no `except Exception` stops it. The block ends with an FtlError."""


class Lease:
    """A lease to be taken by `with` or `async with`, once. `token` is its fencing token while it is held.

    Where it is lost, the block is interrupted: at its next step of Python, or its next `await`.
    Raises FtlError `lease-held`, `lease-lost`, `lease-invalid`.
    """

    def __init__(self, parts: tuple[str, ...], ttl: float, wait: float) -> None:
        self._parts = parts
        self._ttl = ttl
        self._wait = wait
        self._held: Held | None = None
        self._lock = threading.Lock()
        self._inside = False
        self._interrupted = False

    @property
    def name(self) -> str:
        return "/".join(self._parts)

    @property
    def token(self) -> int:
        """Larger than that of every earlier holder; give it to what you write to, so that it can refuse late ones."""
        return self._taken().token

    @property
    def lost(self) -> bool:
        """Whether it ended before the block did."""
        return self._taken().lost

    def __enter__(self) -> Lease:
        thread = threading.get_ident()
        self._take(lambda: raise_in(thread, _Lost), lambda: raise_in(thread, None))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        self._taken().release()
        if self.lost and (error is None or isinstance(error, _Lost)):
            raise fail("lease-lost", lease=self.name) from None

    async def __aenter__(self) -> Lease:
        import asyncio

        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        interrupt: Callable[[], Any] = lambda: loop.call_soon_threadsafe(task.cancel)  # noqa: E731
        taking = loop.run_in_executor(None, self._take, interrupt, task.uncancel)
        try:
            await asyncio.shield(taking)
        except asyncio.CancelledError:
            # The thread goes on: what it still gets is given back.
            taking.add_done_callback(lambda _: self._give_back())
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import asyncio

        self._leave()
        await asyncio.get_running_loop().run_in_executor(None, self._taken().release)
        if self.lost and (error is None or isinstance(error, asyncio.CancelledError)):
            raise fail("lease-lost", lease=self.name) from None

    def _take(self, interrupt: Callable[[], object], take_back: Callable[[], object]) -> None:
        """Takes the lease; from then on, and until `_leave`, its loss calls `interrupt`."""
        if self._held is not None:
            raise fail("lease-invalid", detail="it was taken before; make another with ftl.lease(...)")
        self._interrupt, self._take_back = interrupt, take_back
        self._inside = True
        try:
            self._held = dispatch.current(self.name).lease(self._parts, self._ttl, self._wait, self._on_lost)
        except BaseException:
            self._inside = False
            raise

    def _on_lost(self) -> None:
        with self._lock:
            if self._inside:
                self._interrupted = True
                self._interrupt()

    def _leave(self) -> None:
        """From here on nothing interrupts; what has not arrived yet is taken back."""
        try:
            self._end()
        except _Lost:
            # It came just here; there is one alone.
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._inside = False
            if self._interrupted:
                self._take_back()

    def _give_back(self) -> None:
        if self._held is not None:
            self._held.release()

    def _taken(self) -> Held:
        if self._held is None:
            raise fail("lease-invalid", detail="it is not taken yet: use it in `with`")
        return self._held


def lease(*parts: str, ttl: float = 30.0, wait: float = 0.0) -> Lease:
    """A lease of the module whose verb takes it, named by `parts`. It ends with the block, or with its process.

    ttl: seconds that it lasts without being renewed, which happens by itself; at least 1.
    wait: seconds to wait where another holds it; without it that is refused at once.
    """
    return Lease(tuple(str(part) for part in parts), ttl, wait)
