"""What every store does: a versioned key-value map with transactions and watch. The tests of the contract run on each.

Every commit that writes gets a revision, a number from 1 up that is larger than all before it: the next one, unless an
engine serves several stores. A key's own revision is that of the commit which wrote it last; 0 stands for a key that is
not there. Keys are non-empty text, ordered by their UTF-8 bytes; values are bytes.

A key may be put under a lease. Whoever holds something by such a key is fenced by the revision that created it: it
grows with every holder, so a reader that has seen a later one knows that an earlier holder's time is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class Item:
    """A key's value, the revision that created it and the one that wrote this value."""

    key: str
    value: bytes
    created: int
    revision: int


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds while `key` was last written at `revision`; with 0, while it is not there."""

    key: str
    revision: int


@dataclass(frozen=True, slots=True)
class Put:
    """With `lease`, the key is deleted when that lease ends; without, it is no longer under the lease it was under."""

    key: str
    value: bytes
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Delete:
    """Of a key that is not there: nothing."""

    key: str


Write = Put | Delete


@dataclass(frozen=True, slots=True)
class Conflict:
    """A condition that did not hold, with the revision its key has instead; nothing was written."""

    condition: Condition
    found: int


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit did to one key; `item` is None where it deleted it."""

    key: str
    item: Item | None


@dataclass(frozen=True, slots=True)
class Commit:
    """What one commit did below a watched prefix, in key order."""

    revision: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Lease:
    """Lives `ttl` seconds after it was granted or kept alive last; `id` is positive and never used again."""

    id: int
    ttl: float


class LeaseGoneError(LookupError):
    """There is no such lease: it was revoked, or has ended by itself."""

    def __init__(self, lease: int) -> None:
        super().__init__(f"lease {lease} is gone")
        self.lease = lease


class CompactedError(LookupError):
    """The revision that was asked for is no longer kept; read the present state and go on from there."""

    def __init__(self, asked: int, compacted: int) -> None:
        super().__init__(f"revision {asked} is gone, compacted up to {compacted}")
        self.asked = asked
        self.compacted = compacted


class FutureRevisionError(LookupError):
    """The revision that was asked for does not exist yet."""

    def __init__(self, asked: int, latest: int) -> None:
        super().__init__(f"revision {asked} is ahead of the latest, {latest}")


class StoreClosedError(RuntimeError):
    """The store was closed."""


class Watch(Iterator[Commit], Protocol):
    """Commits in order, none twice, none left out. Ends after `stop`, also when it is waiting in another thread.

    Raises CompactedError when it fell behind a compaction.
    """

    def stop(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Store(Protocol):
    """Safe to use from any number of threads. `revision=None` reads the present.

    Raises FtlError `disk-full` from what writes when there is no space; what was there stays, and the store goes on
    when there is space again. Raises StoreClosedError after `close`. An engine behind a network also raises FtlError:
    `store-away` when it did not answer and nothing was done, `store-outcome-unknown` when a write may have happened or
    not, `store-refused` for what it will never do.
    """

    @property
    def revision(self) -> int:
        """The latest; 0 while nothing was ever written."""

    def get(self, key: str, revision: int | None = None) -> Item | None:
        """As of `revision`. Raises CompactedError, FutureRevisionError."""

    def range(self, prefix: str, revision: int | None = None) -> tuple[tuple[Item, ...], int]:
        """The items whose keys begin with `prefix`, in key order, and the revision they are of.

        Watch from the next one to miss nothing. Raises CompactedError, FutureRevisionError.
        """

    def commit(self, conditions: Iterable[Condition], writes: Iterable[Write]) -> int | Conflict:
        """All writes at one new revision if every condition holds, else nothing and the first that does not.

        Every engine takes 80 conditions with some thousands of writes.

        Writes that change nothing (none, or deletes of keys that are not there) make no revision: the latest comes
        back. Raises ValueError when a key is empty or is written twice, LeaseGoneError when a put's lease is not there.
        """

    def watch(self, prefix: str, from_revision: int) -> Watch:
        """Commits to keys below `prefix`, from `from_revision` on (itself included). Raises CompactedError."""

    def compact(self, revision: int) -> None:
        """Forget what `revision` no longer shows; the present is kept. Raises FutureRevisionError."""

    def grant(self, ttl: float) -> Lease:
        """A lease of at least `ttl` seconds (an engine may give more). Raises ValueError unless `ttl` is positive.

        When nobody keeps it alive its keys are deleted, all in one commit, some time after it ended: never before.
        Time is counted by a clock that no change of the machine's time moves, and anew when the store comes back.
        """

    def keep_alive(self, lease: int) -> float:
        """The seconds that it has again. Raises LeaseGoneError."""

    def revoke(self, lease: int) -> None:
        """Ends it now, and deletes its keys in one commit. One that is gone: nothing."""

    def close(self) -> None:
        """Ends every watch. Leases live on."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
