"""Cells staged and moved as one, changes taken back, changes that break others moved by force."""

from __future__ import annotations

import pytest

from e2e.driver import Notebook, System

TYPES = """
from dataclasses import dataclass

@dataclass
class Item:
    sku: str
    price: {price}
"""
PRICE = "def price_of(sku: str) -> Item:\n    return Item(sku, {value})\n"
CLIENT = """
from ftl_nb.modules import goods
"""
TOTAL = "def total(n: int) -> {answer}:\n    return {body}\n"


@pytest.fixture(scope="module", autouse=True)
def _goods(system: System) -> None:
    notebook = system.notebook
    notebook.card("%%ftl_module goods\n" + TYPES.format(price="float"), cell_id="types")
    notebook.card("%%ftl_verb --export --module goods\n" + PRICE.format(value="2.5"), cell_id="price")
    notebook.card("%%ftl_module till\n" + CLIENT, cell_id="client")
    notebook.card(till("float", "goods.price_of('tea').price * n"), cell_id="total")


def till(answer: str, body: str) -> str:
    return "%%ftl_verb --export --module till\n" + TOTAL.format(answer=answer, body=body)


def stage_text_prices(notebook: Notebook) -> None:
    """The price becomes a text, over three cells of two modules."""
    notebook.run("%ftl stage").ok  # noqa: B018
    for cell_id, text in (
        ("types", "%%ftl_module goods\n" + TYPES.format(price="str")),
        ("price", "%%ftl_verb --export --module goods\n" + PRICE.format(value="'2.50'")),
        ("total", till("str", "goods.price_of('tea').price * n")),
    ):
        assert notebook.card(text, cell_id=cell_id).status == "staged"


def test_staged_cells_are_kept_and_nothing_moves(notebook: Notebook) -> None:
    stage_text_prices(notebook)
    assert notebook.value("total(2)") == 5.0
    plan = notebook.run("%ftl plan").ok.text
    assert "pending: goods, till" in plan
    assert "data Item" in plan
    assert "breaks till.total at <till/total>:" in plan
    assert notebook.value("total(2)") == 5.0
    assert notebook.run("%ftl discard").ok.stdout == "dropped: goods, till\n"
    assert notebook.run("%ftl apply").refusal.slug == "nothing-staged"
    notebook.run("%ftl stage off").ok  # noqa: B018


def test_staged_cells_move_together_and_are_taken_back_together(notebook: Notebook) -> None:
    stage_text_prices(notebook)
    applied = notebook.run("%ftl apply").ok.text
    assert applied.startswith("applied · 2 changed · 2 breaking")
    assert notebook.value("total(2)") == "2.502.50"
    assert notebook.run("%ftl changesets 1 --stable").ok.text.splitlines()[-1].split()[1:3] == ["goods,", "till"]
    back = notebook.run("%ftl rollback").ok.text
    assert back.startswith("taken back · 2 changed")
    assert notebook.value("total(2)") == 5.0
    assert notebook.value("type(price_of('tea').price)") is float


def test_after_apply_cells_are_deployed_at_once_again(notebook: Notebook) -> None:
    notebook.run("%ftl stage").ok  # noqa: B018
    notebook.card("%%ftl_verb --module till\ndef later() -> int:\n    return 1\n")
    assert "later" not in notebook
    notebook.run("%ftl apply").ok  # noqa: B018
    assert notebook.value("later()") == 1
    assert notebook.card("%%ftl_verb --module till\ndef later() -> int:\n    return 2\n").status == "deployed"
    assert notebook.value("later()") == 2


def test_a_staged_cell_that_cannot_be_read_is_refused_at_once(notebook: Notebook) -> None:
    notebook.run("%ftl stage").ok  # noqa: B018
    assert notebook.run("%%ftl_verb --module till\ndef broken(:\n    pass\n").refusal.slug == "syntax"
    notebook.run("%ftl stage off").ok  # noqa: B018
    assert "nothing" in notebook.run("%ftl discard").ok.stdout


def test_what_is_refused_stays_staged(notebook: Notebook) -> None:
    notebook.run("%ftl stage").ok  # noqa: B018
    notebook.card("%%ftl_verb --module till\ndef wrong() -> int:\n    return 'a text'\n")
    assert notebook.run("%ftl apply").refusal.slug.startswith("type")
    assert "pending: till" in notebook.run("%ftl plan").ok.text
    notebook.card("%%ftl_verb --module till\ndef wrong() -> int:\n    return 3\n")
    notebook.run("%ftl apply").ok  # noqa: B018
    assert notebook.value("wrong()") == 3


def test_force_moves_what_others_no_longer_fit_and_says_so(notebook: Notebook) -> None:
    notebook.run("%ftl stage").ok  # noqa: B018
    notebook.card("%%ftl_module goods\n" + TYPES.format(price="str"), cell_id="types")
    notebook.card("%%ftl_verb --export --module goods\n" + PRICE.format(value="'2.50'"), cell_id="price")
    assert notebook.run("%ftl apply").refusal.slug == "breaks-others"
    forced = notebook.run("%ftl apply --force").ok.text
    assert "forced: <till/total> no longer fit" in forced
    assert notebook.value("price_of('tea').price") == "2.50"
    assert "forced on <till/total>" in notebook.run("%ftl changesets 1 --stable").ok.text
    notebook.run("%ftl rollback").ok  # noqa: B018
    assert notebook.value("total(2)") == 5.0


def test_a_new_module_is_taken_back_by_its_removal(notebook: Notebook) -> None:
    notebook.card("%%ftl_module passing\nopened = True\n")
    notebook.run("%ftl rollback").ok  # noqa: B018
    assert "passing" not in notebook.run("%ftl schema").ok.text
    error = notebook.run("%ftl rollback chs-nothing-here").refusal
    assert error.slug == "changeset-unknown"


def test_what_is_staged_survives_the_cluster(notebook: Notebook) -> None:
    notebook.run("%ftl stage").ok  # noqa: B018
    notebook.card("%%ftl_verb --module till\ndef patient() -> int:\n    return 4\n")
    notebook.run("%ftl down").ok  # noqa: B018
    assert "pending: till" in notebook.run("%ftl plan").ok.text
    notebook.run("%ftl apply").ok  # noqa: B018
    assert notebook.value("patient()") == 4
