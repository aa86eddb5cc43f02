"""The store does not grow with every change: history goes, the newest of it stays for those who watch."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftl_nb.services.upkeep import Upkeep
from ftl_nb.store import CompactedError, Put, SqliteStore


def written(store: SqliteStore, times: int) -> None:
    for n in range(times):
        store.commit((), [Put("/key", str(n).encode())])


def test_history_goes_at_the_start(tmp_path: Path) -> None:
    with SqliteStore(tmp_path) as store:
        written(store, 5)
        Upkeep(store)
        with pytest.raises(CompactedError):
            store.get("/key", 3)
        found = store.get("/key")
        assert found is not None
        assert found.value == b"4"


def test_the_newest_history_stays_once_it_has_grown(tmp_path: Path) -> None:
    with SqliteStore(tmp_path) as store:
        upkeep = Upkeep(store, kept=4)
        written(store, 7)
        upkeep.look()
        assert store.get("/key", 1) is not None
        written(store, 1)
        upkeep.look()
        assert store.get("/key", 4) is not None
        with pytest.raises(CompactedError):
            store.get("/key", 3)
