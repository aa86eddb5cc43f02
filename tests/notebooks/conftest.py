"""Kernels in projects of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from notebooks.kernel import Kernel

SHOP = """%%ftl_module shop
from dataclasses import dataclass

@dataclass
class Order:
    sku: str
    quantity: int
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder; `environment_of` says where its state is."""
    folder = tmp_path_factory.mktemp("project") / "play"
    folder.mkdir()
    return folder


def environment_of(project: Path) -> dict[str, str]:
    """A state folder and IPython settings beside the project, nothing of this user's."""
    home = project.parent
    return {**os.environ, "FTL_STATE_DIR": str(home / "state"), "IPYTHONDIR": str(home / "ipython")}


@pytest.fixture(scope="module")
def kernel(project: Path) -> Iterator[Kernel]:
    """One kernel for a test module, with the module `shop` open."""
    made = Kernel(project, environment_of(project))
    made.run(SHOP)
    yield made
    made.close()
