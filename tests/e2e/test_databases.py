"""Databases from cells to rows: queries as typed verbs, raw statements, Arrow, and errors at their lines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from e2e.driver import Notebook, System

PANTRY = '''
    %%ftl_module pantry
    """What is on the shelves."""
    from dataclasses import dataclass

    @dataclass
    class Order:
        sku: str
        quantity: int = 1
'''
STOCK = """
    %%ftl_sql pantry.stock
    -- migrate:up
    CREATE TABLE items (
        sku TEXT PRIMARY KEY,
        price DECIMAL(8, 2) NOT NULL,
        weight DOUBLE,
        since DATE,
        tags TEXT[] NOT NULL DEFAULT []
    );
    -- migrate:down
    DROP TABLE items;

    -- name: ItemOf :one
    SELECT * FROM items WHERE sku = @sku;

    -- name: AllItems :many
    SELECT * FROM items ORDER BY sku;

    -- name: AddItem :exec
    INSERT INTO items (sku, price, weight, since, tags) VALUES (@sku, @price, @weight, @since, @tags);

    -- name: Reprice :execrows
    UPDATE items SET price = @price WHERE price < @below;

    -- name: WeightOf :one
    SELECT weight FROM items WHERE sku = @sku;
"""
MORE = """
    %%ftl_sql pantry.stock
    -- migrate:up
    CREATE TABLE sold (sku TEXT NOT NULL, amount INTEGER NOT NULL);
    -- migrate:down
    DROP TABLE sold;

    -- name: Sell :exec
    INSERT INTO sold (sku, amount) VALUES (@sku, @amount);

    -- name: SoldOf :one
    SELECT coalesce(sum(amount), 0) AS amount FROM sold JOIN items USING (sku) WHERE sku = @sku;
"""
NOTES = """
    %%ftl_sql pantry.notes
    -- migrate:up
    CREATE TABLE notes (body TEXT NOT NULL);
    -- migrate:down
    DROP TABLE notes;

    -- name: AddNote :exec
    INSERT INTO notes (body) VALUES (@body);

    -- name: AllNotes :many
    SELECT body FROM notes ORDER BY body;
"""
FILL = """
    %%ftl_fixture
    def fill(*, stock):
        stock.execute("DELETE FROM items")
        stock.execute(
            "INSERT INTO items VALUES ('tea', 3.50, 0.1, DATE '2026-01-02', ['hot', 'dry']), "
            "('rum', 20, NULL, NULL, [])"
        )
"""
DAY = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def pantry(system: System) -> Notebook:
    """A module with two databases, one of them of two cells."""
    for cell in (PANTRY, STOCK, MORE, NOTES, FILL):
        system.notebook.run(cell).ok  # noqa: B018
    return system.notebook


def test_one_many_exec_and_execrows(pantry: Notebook) -> None:
    tea = pantry["item_of"]("tea")
    assert (tea.sku, tea.price, tea.weight, tea.since, tea.tags) == ("tea", "3.50", 0.1, DAY, ["hot", "dry"])
    assert [item.sku for item in pantry["all_items"]()] == ["rum", "tea"]
    added = pantry["add_item"](sku="oat", price="1.25", weight=0.5, since=DAY, tags=["dry"])
    assert added is None
    assert pantry["reprice"](price="2.00", below="3.00") == 1
    assert pantry["item_of"]("oat").price == "2.00"


def test_null_is_none_both_ways(pantry: Notebook) -> None:
    rum = pantry["item_of"]("rum")
    assert (rum.weight, rum.since, rum.tags) == (None, None, [])
    assert pantry["weight_of"]("rum") is None
    pantry["add_item"]("ice", "0.10", None, None, [])
    assert pantry["item_of"]("ice").weight is None


def test_parameters_by_position_by_keyword_and_as_the_request(pantry: Notebook) -> None:
    reprice = pantry["reprice"]
    assert reprice("0.01", "0.01") == 0
    assert reprice(price="0.01", below="0.01") == 0
    request = pantry.run("from ftl_nb.modules import pantry\npantry.RepriceQuery").ok.value
    assert reprice(request("0.01", "0.01")) == 0


def test_no_row_is_an_error_of_its_own(pantry: Notebook) -> None:
    refused = pantry.run("item_of('caviar')").refusal
    assert refused.slug == "no-rows"
    assert "pantry.itemOf found no row" in refused.message


def test_a_constraint_says_what_the_engine_says(pantry: Notebook) -> None:
    refused = pantry.run("add_item('tea', '1', None, None, [])").refusal
    assert refused.slug == "sql-failed"
    assert "pantry.addItem" in refused.message
    assert "primary key" in refused.message.lower()


def test_a_value_of_another_type_is_refused_before_it_is_sent(pantry: Notebook) -> None:
    refused = pantry.run("item_of(5)").refusal
    assert refused.slug == "json-invalid"
    assert "pantry.itemOf" in str(refused)


def test_rows_come_as_arrow_and_as_a_frame(pantry: Notebook) -> None:
    table = pantry["all_items"].arrow()
    assert table.column_names == ["sku", "price", "weight", "since", "tags"]
    assert str(table.schema.field("price").type) == "decimal128(8, 2)"
    frame = pantry["all_items"].df()
    assert list(frame["sku"]) == sorted(frame["sku"])
    assert pantry["item_of"].df("tea")["weight"].tolist() == [0.1]


def test_a_frame_inside_a_verb(pantry: Notebook) -> None:
    verb = """
        %%ftl_verb
        def heaviest(*, all_items) -> float:
            return float(all_items.df()["weight"].max())
    """
    pantry.run(verb).ok  # noqa: B018
    assert pantry["heaviest"]() == 0.5


def test_the_raw_handle_in_a_verb(pantry: Notebook) -> None:
    verb = """
        %%ftl_verb
        def sold(order: Order, *, stock) -> int:
            stock.execute("INSERT INTO sold VALUES ($sku, $amount)", sku=order.sku, amount=order.quantity)
            rows = stock.query("SELECT sum(amount)::INTEGER AS n FROM sold WHERE sku = $sku", sku=order.sku)
            return rows[0]["n"]
    """
    pantry.run(verb).ok  # noqa: B018
    assert pantry["sold"](sku="rum", quantity=2) == 2
    assert pantry["sold"](sku="rum", quantity=3) == 5


def test_the_raw_handle_in_the_notebook(pantry: Notebook) -> None:
    stock = pantry.run("pantry.stock").ok.value
    assert stock.query("SELECT sku, price FROM items WHERE sku = $sku", sku="tea") == [{"sku": "tea", "price": "3.50"}]
    assert stock.execute("UPDATE items SET weight = weight WHERE sku = $sku", sku="tea") == 1
    refused = pantry.run("pantry.stock.query('SELECT nope FROM items')").refusal
    assert refused.slug == "sql-failed"
    assert "nope" in refused.message


def test_two_cells_add_to_one_database(pantry: Notebook) -> None:
    pantry["sell"]("tea", 3)
    assert pantry["sold_of"]("tea") == 3


def test_two_databases_of_one_module_are_apart(pantry: Notebook) -> None:
    pantry["add_note"]("buy tea")
    assert pantry["all_notes"]() == ["buy tea"]
    assert pantry.run("pantry.notes.query('SELECT body FROM notes')").ok.value == [{"body": "buy tea"}]
    assert pantry.run("pantry.stock.query('SELECT body FROM notes')").refusal.slug == "sql-failed"


@pytest.mark.parametrize(
    ("old", "new", "line", "under", "slug"),
    [
        ("SELECT * FROM items WHERE", "SELECT * FROM item WHERE", 14, "item", "sql-unknown-name"),
        ("WHERE sku = @sku;", "WHERE skew = @sku;", 14, "skew", "sql-unknown-name"),
        ("SELECT * FROM items ORDER BY", "SELECT * FORM items ORDER BY", 17, "items", "sql-syntax"),
        ("-- name: AllItems :many", "-- name: AllItems :lots", 16, "-- name: AllItems :lots", "sql-annotation"),
    ],
)
def test_sql_errors_are_at_their_line_under_a_caret(
    pantry: Notebook, old: str, new: str, line: int, under: str, slug: str
) -> None:
    refused = pantry.run(STOCK.replace(old, new, 1)).refusal
    assert refused.slug == slug
    assert refused.place is not None
    assert (refused.place.filename, refused.place.line) == ("<pantry/stock.sql>", line)
    assert refused.place.source_line[refused.place.column - 1 :].startswith(under)
    assert "^" in str(refused)
    assert pantry["item_of"]("tea").sku == "tea"


def test_a_row_stays_of_its_class_when_another_query_changes(pantry: Notebook) -> None:
    tea, known = pantry["item_of"]("tea"), pantry["item_of"]
    pantry.run(NOTES.replace("SELECT body FROM notes ORDER BY body", "SELECT body, 1 AS n FROM notes")).ok  # noqa: B018
    assert isinstance(tea, pantry["ItemRow"])
    assert pantry["item_of"] is known
    pantry.run(NOTES).ok  # noqa: B018
    assert isinstance(known("tea"), type(tea))


def test_an_exported_verb_may_return_a_generated_row(pantry: Notebook) -> None:
    verb = """
        %%ftl_verb --export
        def find(sku: str, *, item_of) -> ItemRow:
            return item_of(sku)
    """
    pantry.run(verb).ok  # noqa: B018
    assert "export data ItemRow" in pantry.schema("pantry")
    user = """
        import ftl_nb as ftl
        ftl.module("kitchen")
        from ftl_nb.modules import pantry

        @ftl.verb(export=True)
        def price(sku: str) -> str:
            return pantry.find(sku).price
    """
    pantry.run(user).ok  # noqa: B018
    assert pantry["price"]("tea") == "3.50"


def test_a_query_changed_in_its_cell_is_live_at_once(pantry: Notebook) -> None:
    changed = STOCK.replace("SELECT weight FROM items", "SELECT weight * 1000 AS weight FROM items")
    card = pantry.run(changed).card
    assert [(c.sign, c.name) for c in card.changes] == [("~", "weightOf")]
    assert card.notes == ()
    assert pantry["weight_of"]("tea") == 100.0
    assert pantry["item_of"]("tea").sku == "tea"
