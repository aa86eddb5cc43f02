"""Queries as typed verbs, on the real engine; the cases are data/queries.toml and data/refusals.toml."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from ftl_nb import schema
from ftl_nb.databases import DatabaseSource, engine, migrations_digest, split
from ftl_nb.databases.decls import Analysis
from ftl_nb.errors import FtlError

DATA = Path(__file__).parents[1] / "data"


def cases(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((DATA / f"{name}.toml").read_text())["case"]
    return rows


def analyse(*cells: str) -> Analysis:
    parts = [split(text, f"<shop/cell{i}>", str(i)) for i, text in enumerate(cells)]
    migrations = tuple(p.migration for p in parts if p.migration)
    return engine("duckdb").analyse(
        DatabaseSource("shop", "stock", "duckdb", migrations, tuple(q for p in parts for q in p.queries))
    )


SHOP = (DATA / "shop.sql").read_text()


@pytest.mark.parametrize("case", cases("queries"), ids=lambda case: case["name"])
def test_a_query_is_a_typed_verb(case: dict[str, Any]) -> None:
    command = case.get("command", "one")
    analysis = analyse(SHOP, f"\n-- name: Q :{command}\n{case['sql']}\n")
    decls = {d.name: d for d in analysis.decls}
    verb = decls["q"]
    assert isinstance(verb, schema.Verb)
    assert f"({verb.request}) {verb.response}" == case["signature"]
    for part, fields in ((verb.request, case.get("request")), (verb.response, case.get("row"))):
        row = part.element if isinstance(part, schema.Array) else part
        if fields is not None:
            assert isinstance(row, schema.Ref)
            data = decls[row.name]
            assert isinstance(data, schema.Data)
            assert [str(field) for field in data.fields] == fields


@pytest.mark.parametrize("case", cases("refusals"), ids=lambda case: case["cell"])
def test_what_is_wrong_has_one_error_at_its_place(case: dict[str, Any]) -> None:
    with pytest.raises(FtlError) as caught:
        analyse(SHOP, case["cell"])
    error, place = caught.value, caught.value.place
    assert error.slug == case["slug"]
    assert place is not None
    assert f"{place.line}:{place.column} {place.source_line[place.column - 1 : place.end_column - 1]}" == case["at"]
    assert place.filename == "<shop/cell1>"
    assert case.get("hint", "") in error.hint


def test_the_declarations_of_a_database() -> None:
    cell = "\n-- The price.\n-- name: PriceOf :one\nSELECT price\n  FROM items WHERE sku = @item_sku\n"
    analysis = analyse(SHOP, cell)
    database, verb = analysis.decls
    first = split(SHOP, "", "0").migration
    assert first is not None
    assert database == schema.Database("stock", "duckdb", (schema.MetadataSQLMigration(migrations_digest([first])),))
    assert isinstance(verb, schema.Verb)
    assert verb.comments == ("The price.",)
    assert verb.metadata == (
        schema.MetadataDatabases((schema.Ref("shop", "stock"),)),
        schema.MetadataSQLQuery("one", "SELECT price FROM items WHERE sku = @item_sku"),
        schema.MetadataGenerated(),
    )
    assert verb.pos == schema.Position("<shop/cell1>", 3, 1)
    assert analysis.keywords == {"priceOf": "item_sku"}


def test_a_shared_row_is_declared_once() -> None:
    analysis = analyse(SHOP, "\n-- name: A :many\nFROM items\n-- name: B :many\nSELECT * FROM items WHERE price > @p")
    assert [d.name for d in analysis.decls] == ["stock", "ItemSize", "ItemRow", "a", "b"]


def test_an_edited_query_is_described_anew_in_the_same_catalogue() -> None:
    first = analyse(SHOP, "\n-- name: A :one\nSELECT sku FROM items")
    moved = analyse(SHOP, "\n\n\n-- name: A :one\nSELECT sku FROM items")
    edited = analyse(SHOP, "\n-- name: A :one\nSELECT price FROM items")
    assert [v.pos.line for v in (first.decls[1], moved.decls[1])] == [2, 4]
    assert isinstance(edited.decls[1], schema.Verb)
    assert edited.decls[1].response == schema.Float()


def test_a_failing_migration_leaves_the_next_analysis_alone() -> None:
    with pytest.raises(FtlError):
        analyse("\n-- migrate:up\nCREATE TABLE a (x INT); SELECT nope")
    assert analyse("\n-- migrate:up\nCREATE TABLE a (x INT)\n-- name: X :one\nSELECT x FROM a").keywords == {}


def test_an_unknown_engine_is_named_with_those_there_are() -> None:
    with pytest.raises(FtlError, match="'oracle' is not a database engine here; there is duckdb"):
        engine("oracle")
