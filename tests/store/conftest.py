from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ftl_nb.store import SqliteStore, Store

#: Every engine, by name: what opens a fresh store in a folder. The contract's tests run on each.
ENGINES: dict[str, Callable[[Path], Store]] = {"sqlite": SqliteStore}


@pytest.fixture(params=ENGINES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens one more store, empty."""
    opened: list[Store] = []

    def open_store() -> Store:
        opened.append(ENGINES[request.param](tmp_path / str(len(opened))))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
