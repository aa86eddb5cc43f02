"""The state of a cluster: a versioned key-value store with transactions and watch, and its engines."""

from __future__ import annotations

from pathlib import Path

from ftl_nb.store.contract import (
    Change,
    Commit,
    CompactedError,
    Condition,
    Conflict,
    Delete,
    FutureRevisionError,
    Item,
    Lease,
    LeaseGoneError,
    Put,
    Store,
    StoreClosedError,
    Watch,
    Write,
)
from ftl_nb.store.sqlite import SqliteStore


def open_store(where: str | Path) -> Store:
    """The store at an address (`etcd://…`), or in a folder. Raises what the engine does."""
    if isinstance(where, str) and "://" in where:
        from ftl_nb.store.etcd.engine import EtcdStore

        return EtcdStore(where)
    return SqliteStore(Path(where))


__all__ = [
    "Change",
    "Commit",
    "CompactedError",
    "Condition",
    "Conflict",
    "Delete",
    "FutureRevisionError",
    "Item",
    "Lease",
    "LeaseGoneError",
    "Put",
    "SqliteStore",
    "Store",
    "StoreClosedError",
    "Watch",
    "Write",
    "open_store",
]
