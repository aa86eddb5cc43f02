"""Notebooks that leave nothing behind whatever a test did to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos.notebook import Notebook, Place
from chaos.tree import all_gone

Open = Callable[..., Notebook]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.under(tmp_path)


@pytest.fixture
def open_notebook(place: Place) -> Iterator[Open]:
    """Starts kernels; at the end of the test each must go with all that it started."""
    opened: list[Notebook] = []

    def open_notebook(at: Place | None = None) -> Notebook:
        opened.append(Notebook(at or place))
        return opened[-1]

    yield open_notebook
    for notebook in opened:
        before = notebook.processes()
        notebook.clean_up()
        all_gone(notebook.mark, before)


@pytest.fixture
def notebook(open_notebook: Open) -> Notebook:
    return open_notebook()
