"""The state of a cluster: a versioned key-value store with transactions and watch, and its engines."""

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
]
