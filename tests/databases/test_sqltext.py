"""What a cell's text is split into."""

import pytest

from ftl_nb.databases import Migration, keyword_of, split
from ftl_nb.databases.scanner import collapse, respell, scan

CELL = """
-- migrate:up transaction:false
CREATE TABLE items (sku TEXT); -- the items
-- migrate:down
DROP TABLE items;

-- The price of one item,
-- in dollars.
-- name: PriceOf :one
-- Fails without a row.
SELECT price
FROM items WHERE sku = @sku;

-- name: all_items :many
SELECT * FROM items
"""


def test_a_cell_has_a_migration_and_queries() -> None:
    cell = split(CELL, "<shop/stock>", "3")
    assert cell.migration is not None
    assert (cell.migration.version, cell.migration.transaction) == ("3", False)
    assert cell.migration.down == "DROP TABLE items;"
    assert [(q.name, q.verb, q.command) for q in cell.queries] == [
        ("PriceOf", "priceOf", "one"),
        ("all_items", "allItems", "many"),
    ]


def test_comments_around_the_name_are_docs() -> None:
    price_of, all_items = split(CELL, "<shop/stock>").queries
    assert price_of.comments == ("The price of one item,", "in dollars.", "Fails without a row.")
    assert all_items.comments == ()


def test_positions_are_the_cells_own() -> None:
    price_of = split(CELL, "<shop/stock>").queries[0]
    assert (price_of.position.filename, price_of.position.line) == ("<shop/stock>", 9)
    (parameter,) = price_of.parameters
    place = price_of.sql.place(parameter.start, parameter.end)
    assert (place.line, place.column, place.source_line) == (12, 24, "FROM items WHERE sku = @sku")
    assert place.caret().strip() == "^^^^"


def test_a_cell_may_have_only_one_of_the_two() -> None:
    assert split("-- migrate:up\nSELECT 1", "c").queries == ()
    assert split("-- name: A :one\nSELECT 1", "c").migration is None
    assert split("-- only a comment\n\n", "c").migration is None


def test_the_digest_of_a_migration_is_over_what_runs() -> None:
    def digest(text: str) -> str:
        migration = split(text, "c", "1").migration
        assert isinstance(migration, Migration)
        return migration.digest

    first = digest("-- migrate:up\nCREATE TABLE a (x INT);")
    assert digest("-- migrate:up\n\n-- why\nCREATE  TABLE a\n(x INT)\n-- migrate:down\nDROP TABLE a") == first
    assert digest("-- migrate:up\nCREATE TABLE a (y INT);") != first
    assert digest("-- migrate:up transaction:false\nCREATE TABLE a (x INT);") != first


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT @a, $b, sqlc.arg(c), sqlc.narg('d')", ["a", "b", "c", "d"]),
        ("SELECT '@a', \"@b\", $$ @c $$, $q$ @d $q$, E'it\\'s @e' -- @f\n/* @g */", []),
        ("SELECT ($a,$b), $c||$d", ["a", "b", "c", "d"]),
        ("SELECT a[@from:@to]", ["from", "to"]),
    ],
)
def test_parameters_are_found_outside_texts_and_comments(sql: str, names: list[str]) -> None:
    assert [t.name for t in scan(sql) if t.is_parameter] == names
    assert "".join(t.text for t in scan(sql)) == sql


def test_respelling_keeps_every_other_position() -> None:
    sql = "SELECT sqlc.arg(sku), nope"
    assert respell(sql, lambda name: f"${name}").index("nope") == sql.index("nope")


def test_the_query_in_the_schema_is_one_line_with_its_keyword() -> None:
    text = collapse("SELECT  'two  blanks' -- why\nFROM items\n WHERE sku = sqlc.narg(sku);")
    assert text == "SELECT 'two  blanks' FROM items WHERE sku = @sku"
    assert keyword_of(text) == "sku"
    assert keyword_of("SELECT 1") == ""
