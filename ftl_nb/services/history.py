"""What became of each changeset, kept in the store: a step of a changeset and what it says here are one transaction.

The record of one that has moved holds the texts that were canonical before, so that it can be taken back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ftl_nb.binding.source import ModuleSource
from ftl_nb.store import Delete, Item, Put, Store

CHANGESETS = "/changesets/"
#: Changesets that are remembered; the oldest go first.
KEPT = 100
#: The states in which nothing has moved, and those in which all has.
UNDECIDED = ("preparing", "prepared", "rolling_back")
MOVED = ("committed", "drained", "finalized")
LOST = "the cluster ended before it was decided; nothing of it has moved"


@dataclass(frozen=True, slots=True)
class Past:
    """One changeset. Times in nanoseconds since the epoch, `ended` 0 while it goes on.

    `before` has the texts of its modules from before it moved, None for a module that was not there.
    """

    key: str
    state: str
    modules: tuple[str, ...]
    removed: tuple[str, ...] = ()
    owner: str = ""
    created: int = 0
    ended: int = 0
    error: str = ""
    forced: tuple[str, ...] = ()
    before: Mapping[str, ModuleSource | None] = field(default_factory=dict)

    @property
    def moved(self) -> bool:
        return self.state in MOVED

    def put(self) -> Put:
        """The write of this record, for the transaction of the step."""
        raw = {name: getattr(self, name) for name in _PLAIN}
        raw["before"] = {name: text.to_dict() if text is not None else None for name, text in self.before.items()}
        return Put(f"{CHANGESETS}{self.created:020}-{self.key}", json.dumps(raw).encode())


_PLAIN = ("key", "state", "modules", "removed", "owner", "created", "ended", "error", "forced")


class History:
    """The changesets of a store, newest first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, past: Past) -> None:
        self._store.commit((), [past.put(), *self._overdue()])

    def newest(self, limit: int = KEPT) -> list[Past]:
        items, _ = self._store.range(CHANGESETS)
        return [_past(item) for item in reversed(items)][:limit]

    def find(self, key: str) -> Past | None:
        return next((past for past in self.newest() if past.key == key), None)

    def settle(self) -> list[Past]:
        """At the start of a cluster: what an earlier run left on its way, its processes being gone.

        What was not decided has failed, what had moved has come to its end.
        """
        settled = []
        for past in self.newest():
            if past.state in UNDECIDED:
                settled.append(replace(past, state="failed", error=past.error or LOST))
            elif past.state in MOVED and past.state != "finalized":
                settled.append(replace(past, state="finalized"))
        if settled:
            self._store.commit((), [past.put() for past in settled])
        return settled

    def _overdue(self) -> list[Delete]:
        items, _ = self._store.range(CHANGESETS)
        return [Delete(item.key) for item in items[: -KEPT or None]]


def _past(item: Item) -> Past:
    raw = json.loads(item.value)
    raw["before"] = {name: ModuleSource.from_dict(text) if text else None for name, text in raw["before"].items()}
    return Past(**raw | {name: tuple(raw[name]) for name in ("modules", "removed", "forced")})
