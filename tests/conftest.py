"""Shared by all rooms. gRPC comes in through the room that narrows it to TLS 1.3, before anything else imports it."""

import ftl_nb.rpc.tls  # noqa: F401  isort: skip

import shutil
from pathlib import Path

import pytest


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
