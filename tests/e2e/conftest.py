"""One project and cluster a test module; gRPC comes in through the room that narrows it to TLS 1.3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import ftl_nb.rpc.tls  # noqa: F401
from e2e.driver import Notebook, System


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A fresh project whose cluster ends with the test module."""
    made = System(tmp_path_factory.mktemp("play"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made.folder)
        patch.setenv("FTL_STATE_DIR", str(made.state))
        yield made
        made.close()


@pytest.fixture
def notebook(system: System) -> Notebook:
    """The notebook of this process."""
    return system.notebook
