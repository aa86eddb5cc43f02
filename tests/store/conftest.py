from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ftl_nb.store import Store, open_store
from store.etcd import Etcd

#: Every engine by name. The contract's tests run on each.
ENGINES = ("sqlite", "etcd")


@pytest.fixture(scope="session")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcd]:
    """Three members that nobody harms."""
    with Etcd(tmp_path_factory.mktemp("etcd")) as etcd:
        yield etcd.wait()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fresh(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str | Path]:
    """Where one more store can be opened that was never used."""
    if engine == "etcd":
        etcd: Etcd = request.getfixturevalue("etcd")
        return etcd.fresh
    folders = iter(range(1_000_000))
    return lambda: tmp_path / str(next(folders))


@pytest.fixture
def open_fresh(fresh: Callable[[], str | Path]) -> Iterator[Callable[[], Store]]:
    """Opens one more store, empty."""
    opened: list[Store] = []

    def open_fresh() -> Store:
        opened.append(open_store(fresh()))
        return opened[-1]

    yield open_fresh
    for store in opened:
        store.close()


@pytest.fixture
def store(open_fresh: Callable[[], Store]) -> Store:
    return open_fresh()
