"""BINDING 22, 23, 25 and 27: how a cell becomes a change of the system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.driver import Kernel, Notebook, Output, System, deployment_keys, under

PRICES = '''
    %%ftl_module prices
    """What things cost."""
    from dataclasses import dataclass

    @dataclass
    class Price:
        sku: str
        amount: float
'''
STOCK = """
    %%ftl_sql prices.stock
    -- migrate:up
    CREATE TABLE items (sku TEXT PRIMARY KEY, amount DOUBLE NOT NULL);
    -- migrate:down
    DROP TABLE items;

    -- name: AmountOf :one
    SELECT amount FROM items WHERE sku = @sku;

    -- name: CountItems :one
    SELECT count(*) AS found FROM items;
"""
FILL = """
    %%ftl_fixture
    def fill(*, stock):
        stock.execute("INSERT INTO items VALUES ('tea', 3.5), ('cocoa', 2.0)")
"""
PRICE_OF = """
    %%ftl_verb --export
    def price(sku: str, *, amount_of) -> Price:
        return Price(sku, amount_of(sku))
"""


# --- 22 and 23: what a saved notebook says, where state is ---------------------------------------------------------


def fresh_run(folder: Path) -> list[tuple[str, str]]:
    """Text and HTML of every card of one run on a fresh state folder."""
    system = System(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FTL_STATE_DIR", str(system.state))
        kernel = system.kernel("same.ipynb")
        kernel.run("%load_ext ftl_nb")
        outputs = [kernel.run(cell).ok for cell in (PRICES, STOCK, FILL, PRICE_OF, PRICE_OF)]
        status = kernel.run("%ftl status").ok
        system.close()
    return [(o.text, o.html) for o in (*outputs, status)]


def test_22_cards_say_the_same_on_every_fresh_run(tmp_path: Path) -> None:
    folders = [tmp_path / "one" / "play", tmp_path / "two" / "play"]
    for folder in folders:
        folder.mkdir(parents=True)
    first, second = map(fresh_run, folders)
    assert first == second
    assert all(text and html for text, html in first)
    assert "deployed" in first[0][0]
    assert "unchanged" in first[4][0]


def test_23_state_is_in_the_state_folder_alone(system: System, notebook: Notebook) -> None:
    notebook.run(PRICES).ok  # noqa: B018
    assert system.state.stat().st_mode & 0o777 == 0o700
    assert not (system.folder / ".ftl").exists()


# --- 25: fixtures ----------------------------------------------------------------------------------------------------


def test_25_fixtures_run_inside_the_deployment_and_not_again_for_an_edited_verb(notebook: Notebook) -> None:
    notebook.run("%ftl reset")
    notebook.run(PRICES).ok  # noqa: B018
    notebook.run(STOCK).ok  # noqa: B018
    assert any("fixture fill ran" in n for n in notebook.run(FILL).card.notes)
    assert notebook["count_items"]() == 2
    card = notebook.run(PRICE_OF).card
    assert not any("fixture" in n for n in card.notes)
    edited = PRICE_OF.replace("amount_of(sku))", "amount_of(sku) * 2)")
    assert not any("fixture" in n for n in notebook.run(edited).card.notes)
    assert notebook["price"]("tea").amount == 7.0
    assert notebook["count_items"]() == 2


def test_25_an_edited_fixture_runs_again(notebook: Notebook) -> None:
    edited = FILL.replace("VALUES ('tea', 3.5), ('cocoa', 2.0)", "VALUES ('milk', 1.0)")
    assert any("fixture fill ran" in n for n in notebook.run(edited).card.notes)
    assert notebook["count_items"]() == 3


def test_25_a_fixture_that_raises_moves_nothing(notebook: Notebook) -> None:
    before = deployment_keys(notebook)
    raising = """
        %%ftl_fixture
        def fill(*, stock):
            stock.execute("INSERT INTO items VALUES ('rum', 9.0)")
            raise RuntimeError("the shelf is broken")
    """
    refused = notebook.run(raising).refusal
    assert refused.slug == "fixture-failed"
    assert "prices.fill" in refused.message
    assert "the shelf is broken" in refused.message
    assert refused.place is not None
    assert (refused.place.filename, refused.place.line) == ("<prices/fill>", 4)
    assert notebook["count_items"]() == 3
    assert deployment_keys(notebook) == before
    assert notebook["price"]("tea").amount == 7.0


def test_25_manual_fixtures_run_by_call_alone(notebook: Notebook) -> None:
    manual = """
        %%ftl_fixture --manual
        def sell_out(*, stock):
            stock.execute("DELETE FROM items")
    """
    card = notebook.run(manual).card
    assert not any("ran" in n for n in card.notes)
    assert notebook["count_items"]() == 3
    notebook.run("%ftl call prices.sell_out").ok  # noqa: B018
    assert notebook["count_items"]() == 0


def test_25_a_fixture_may_call_another_module(notebook: Notebook) -> None:
    supplier = """
        import ftl_nb as ftl
        ftl.module("supplier")

        @ftl.verb(export=True)
        def offer(sku: str) -> float:
            return 4.25
    """
    buyer = """
        %%ftl_module buyer
        from ftl_nb.modules import supplier
    """
    shelf = """
        %%ftl_sql buyer.shelf
        -- migrate:up
        CREATE TABLE bought (sku TEXT NOT NULL, amount DOUBLE NOT NULL);
        -- migrate:down
        DROP TABLE bought;

        -- name: Bought :many
        SELECT sku, amount FROM bought;
    """
    buy = """
        %%ftl_fixture
        def buy(*, shelf):
            shelf.execute("INSERT INTO bought VALUES ('jam', $amount)", amount=supplier.offer("jam"))
    """
    for cell in (supplier, buyer, shelf, buy):
        output = notebook.run(cell).ok
    assert any("fixture buy ran" in n for n in output.card.notes)
    assert [(row.sku, row.amount) for row in notebook["bought"]()] == [("jam", 4.25)]


# --- 27: whose a module is --------------------------------------------------------------------------------------------


@pytest.fixture
def second(system: System) -> Iterator[Kernel]:
    """Another notebook, that closes with the test."""
    kernel = system.kernel("second.ipynb")
    yield kernel
    kernel.close()


def test_27_a_module_belongs_to_the_notebook_that_defined_it(notebook: Notebook, second: Kernel) -> None:
    notebook.run(under("quantity"), cell_id="own").ok  # noqa: B018
    second.run("%load_ext ftl_nb")
    refused = second.run(under("other")).refusal
    assert refused.slug == "module-owned"
    assert "first.ipynb" in refused.message
    used = second.run("from ftl_nb.modules import under\nunder.take(under.Order('tea', 1))").ok
    assert used.text == "'tea'"


def test_27_once_that_notebook_has_closed_another_may_define_it(notebook: Notebook, second: Kernel) -> None:
    cell = """
        %%ftl_module borrowed
        import ftl_nb as ftl

        @ftl.verb(export=True)
        def one() -> int:
            return 1
    """
    second.run("%load_ext ftl_nb")
    second.run(cell).ok  # noqa: B018
    assert "second.ipynb" in notebook.run(cell).refusal.message
    second.close()
    assert until_owned(notebook, cell).card.status in ("deployed", "unchanged")


def test_27_the_owner_is_known_again_once_it_has_rejoined_a_cluster_that_was_ended(
    notebook: Notebook, second: Kernel
) -> None:
    cell = """
        %%ftl_module remembered
        import ftl_nb as ftl

        @ftl.verb(export=True)
        def one() -> int:
            return {value}
    """
    second.run("%load_ext ftl_nb")
    second.run(cell.format(value=1)).ok  # noqa: B018
    notebook.run("%ftl down").ok  # noqa: B018
    assert second.run("one()").ok.text == "1"
    assert "second.ipynb" in notebook.run(cell.format(value=2)).refusal.message
    notebook.run("%ftl down").ok  # noqa: B018
    assert notebook.run(cell.format(value=3)).card.status == "deployed"
    refused = second.run(cell.format(value=4)).refusal
    assert refused.slug == "module-owned"
    assert "first.ipynb" in refused.message


# --- what does not change, and what goes ------------------------------------------------------------------------------

COUNTING = """
    %%ftl_module counting
    import ftl_nb as ftl

    @ftl.verb(export=True)
    def one() -> int:
        return 1

    @ftl.verb(export=True)
    def two() -> int:
        return 2
"""


def test_an_unchanged_cell_is_not_deployed_again(notebook: Notebook) -> None:
    notebook.run(COUNTING).ok  # noqa: B018
    before = deployment_keys(notebook)
    assert notebook.run(COUNTING).card.status == "unchanged"
    assert deployment_keys(notebook) == before


def test_a_cell_that_no_longer_defines_a_verb_removes_it(notebook: Notebook) -> None:
    notebook.run(COUNTING, cell_id="counting").ok  # noqa: B018
    card = notebook.run(COUNTING[: COUNTING.rindex("@ftl.verb")], cell_id="counting").card
    assert [(c.sign, c.name) for c in card.changes] == [("-", "two")]
    assert notebook.run("%ftl call counting.two").refusal.slug == "unknown-verb"
    assert notebook.cluster.call("counting.one") == 1


def test_a_cluster_that_ended_comes_back_with_all_that_was_deployed(notebook: Notebook) -> None:
    for cell in (COUNTING, PRICES, STOCK, FILL, PRICE_OF):
        notebook.run(cell).ok  # noqa: B018
    before = deployment_keys(notebook)
    notebook.run("%ftl down").ok  # noqa: B018
    assert "not started" in notebook.run("%ftl status").ok.text
    assert notebook["price"]("tea").amount == 3.5
    assert "running" in notebook.run("%ftl status").ok.text
    assert deployment_keys(notebook) == before
    assert notebook.run(PRICE_OF).card.status == "unchanged"
    assert notebook.cluster.call("counting.one") == 1


def test_status_marks_what_was_not_run_in_this_session(notebook: Notebook, second: Kernel) -> None:
    notebook.run(COUNTING).ok  # noqa: B018
    second.run("%load_ext ftl_nb")
    theirs = second.run("%ftl status").ok.text
    assert "not run in this session" in line_of(theirs, "counting")
    assert "not run in this session" not in line_of(notebook.run("%ftl status").ok.text, "counting")


# --- what the tests ask of the cluster --------------------------------------------------------------------------------


def until_owned(notebook: Notebook, cell: str) -> Output:
    """The cell's output once the other notebook's end has been seen."""
    output = notebook.run(cell)
    while output.error is not None and output.refusal.slug == "module-owned":
        output = notebook.run(cell)
    return output


def line_of(text: str, word: str) -> str:
    return next(line for line in text.splitlines() if word in line)
