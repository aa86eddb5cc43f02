"""One JupyterLab for the room: the quickstart, run to its end once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser.lab import Lab, Page, pages

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
QUICKSTART = "01-quickstart.ipynb"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("lab"), [NOTEBOOKS / QUICKSTART])
    yield made
    made.close()


@pytest.fixture(scope="module")
def quickstart(lab: Lab) -> Iterator[Page]:
    """The quickstart with every cell run; for a module, since the driver keeps an event loop running meanwhile."""
    with pages(lab, scale=2) as page:
        page.open(QUICKSTART)
        page.run_all()
        yield page


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: the folder that FTL_PICTURES names, as docs/images, else one that is thrown away."""
    folder = Path(os.environ.get("FTL_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
