from collections.abc import Iterator
from pathlib import Path

import pytest

from ftl_nb.services.deployments import Records
from ftl_nb.store import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def records(store: SqliteStore) -> Records:
    return Records(store)
