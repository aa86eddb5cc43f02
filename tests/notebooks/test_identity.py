"""BINDING 4: without a front end's id a cell is what it declares; an id that arrives is adopted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from notebooks.conftest import SHOP, environment_of
from notebooks.kernel import Kernel

CHECKOUT = """%%ftl_verb --module shop
def checkout(order: Order) -> int:
    return order.quantity
"""


def run(project: Path, *cells: str) -> list[str]:
    """Runs a notebook by nbclient, which sends no ids; the last text of each cell's output."""
    notebook: Any = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in ("%load_ext ftl_nb", *cells)])
    client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(project)}})
    client.execute(env=environment_of(project))
    return [_text(cell) for cell in notebook.cells[1:]]


def _text(cell: Any) -> str:
    return str(cell.outputs[-1].get("data", cell.outputs[-1]).get("text/plain", "")) if cell.outputs else ""


@pytest.fixture
def own_project(tmp_path: Path) -> Path:
    folder = tmp_path / "play"
    folder.mkdir()
    return folder


def test_a_cell_that_declares_the_same_verb_is_the_same_cell(own_project: Path) -> None:
    twice = CHECKOUT.replace("order.quantity", "order.quantity * 2")
    texts = run(own_project, SHOP, CHECKOUT, "checkout(Order('tea', 3))", twice, "checkout(Order('tea', 3))", CHECKOUT)
    assert texts[2::2] == ["3", "6"]
    assert texts[3] == texts[5] == "shop · deployed"


def test_a_cell_that_declares_another_verb_is_another_cell(own_project: Path) -> None:
    texts = run(own_project, SHOP, CHECKOUT, CHECKOUT.replace("checkout", "refund"), "checkout(Order('tea', 3))")
    assert texts[2] == "shop · deployed\n  + verb refund(Order) Int"
    assert texts[3] == "3"


def test_a_refusal_stops_the_notebook(own_project: Path) -> None:
    with pytest.raises(CellExecutionError) as caught:
        run(own_project, SHOP, CHECKOUT.replace("-> int", "-> set"), "raise SystemError('not reached')")
    assert caught.value.ename == "FtlError"
    assert caught.value.evalue.startswith("FTL-")


def test_a_cell_known_by_its_declarations_adopts_the_id_that_arrives(kernel: Kernel) -> None:
    assert kernel.run(CHECKOUT).result == "shop · deployed\n  + verb checkout(Order) Int"
    assert kernel.run(CHECKOUT, "a").result == "shop · unchanged"
    renamed = kernel.run(CHECKOUT.replace("checkout", "refund"), "a").result
    assert sorted(renamed.split("\n")[1:]) == ["  + verb refund(Order) Int", "  - verb checkout"]


def test_a_new_id_is_a_new_cell(kernel: Kernel) -> None:
    kernel.run(CHECKOUT.replace("checkout", "first"), "b")
    assert kernel.run(CHECKOUT.replace("checkout", "second"), "c").result.split("\n")[1:] == [
        "  + verb second(Order) Int"
    ]
    assert kernel.run("first(Order('tea', 1)) + second(Order('tea', 2))").result == "3"
