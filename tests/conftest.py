"""Shared by all rooms. gRPC comes in through the room that narrows it to TLS 1.3, before anything else imports it."""

import ftl_nb.rpc.tls  # noqa: F401  isort: skip

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Where tests drive kernels and browsers: those drivers leave event loops open, each with a pair of sockets, for the
#: collector to find.
_DRIVEN = frozenset({"chaos", "browser", "notebooks", "test_wheel.py"})


def _is_driven(path: Path) -> bool:
    return not _DRIVEN.isdisjoint(path.parts)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _is_driven(item.path):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning"))


@pytest.fixture(autouse=True)
def _collected(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a driver left is found before the next test, where it would be an error."""
    yield
    if _is_driven(request.path):
        gc.collect()


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh state folder, in force for this test and the processes that it starts."""
    state = tmp_path / "state"
    monkeypatch.setenv("FTL_STATE_DIR", str(state))
    return state


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; fails, with what to do, where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = [path for name in names if (path := shutil.which(name))]
    if not found:
        pytest.fail("Chromium is missing: make servers")
    return found[0]
