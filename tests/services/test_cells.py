"""BINDING 4 and 5: which record of a module an arriving cell is."""

from __future__ import annotations

import pytest

from ftl_nb.binding.source import Cell, CellKind, ModuleSource
from ftl_nb.services.cells import declared_by, label_of, placed

CHECKOUT = "def checkout(n: int) -> int:\n    return n\n"
REFUND = "def refund(n: int) -> int:\n    return n\n"
TYPES = "from dataclasses import dataclass\n\n@dataclass\nclass Order:\n    sku: str\n"
ITEMS = "-- migrate:up\nCREATE TABLE items (sku TEXT);\n-- migrate:down\nDROP TABLE items;\n"
PRICES = "-- name: PriceOf :one\nSELECT 1.0 AS price;\n"


def cell(text: str, kind: CellKind = "verb", cell_id: str = "", database: str = "") -> Cell:
    return Cell(cell_id, kind, kind, text, {}, database, "duckdb" if database else "")


def shop(*cells: Cell) -> ModuleSource:
    source = ModuleSource("shop")
    for one in cells:
        source, _ = placed(source, one)
    return source


def labels(source: ModuleSource) -> list[str]:
    return [c.label for c in source.cells]


def test_a_front_ends_id_keeps_a_cell_in_its_place_whatever_it_declares() -> None:
    source = shop(cell(CHECKOUT, cell_id="a"), cell(TYPES, "module", "b"), cell(REFUND, cell_id="a"))
    assert [(c.id, c.label) for c in source.cells] == [("a", "refund"), ("b", "module")]


def test_without_an_id_a_cell_is_what_it_declares() -> None:
    source = shop(cell(CHECKOUT), cell(REFUND), cell(CHECKOUT.replace("return n", "return n + 1")))
    assert labels(source) == ["checkout", "refund"]
    assert "n + 1" in source.cells[0].text


def test_a_cell_known_by_its_declarations_adopts_the_id_when_it_arrives() -> None:
    source = shop(cell(CHECKOUT), cell(CHECKOUT, cell_id="a"), cell(REFUND, cell_id="a"))
    assert [(c.id, c.label) for c in source.cells] == [("a", "refund")]


def test_a_cell_without_an_id_is_the_one_of_a_front_end_that_declares_the_same() -> None:
    source = shop(cell(CHECKOUT, cell_id="a"), cell(CHECKOUT.replace("return n", "return -n")))
    assert [(c.id, c.label) for c in source.cells] == [("a", "checkout")]
    assert "-n" in source.cells[0].text


def test_two_ids_are_two_cells_even_with_one_text() -> None:
    source = shop(cell("_x = 1\n", "module", "a"), cell("_x = 1\n", "module", "b"))
    assert [(c.id, c.label) for c in source.cells] == [("a", "module"), ("b", "module-2")]


def test_a_copied_or_moved_cell_takes_the_place_of_the_one_it_declares_anew() -> None:
    source = shop(cell(CHECKOUT, cell_id="a"), cell(TYPES, "module", "b"), cell(CHECKOUT, cell_id="c"))
    assert [(c.id, c.label) for c in source.cells] == [("c", "checkout"), ("b", "module")]


def test_a_cell_that_declares_a_part_of_another_is_a_second_one() -> None:
    both = TYPES + "\n@dataclass\nclass Receipt:\n    total: float\n"
    source = shop(cell(both, "module", "a"), cell(TYPES, "module", "b"))
    assert [c.id for c in source.cells] == ["a", "b"]


def test_a_further_plain_cell_is_called_as_its_verb() -> None:
    plain = "import ftl_nb as ftl\n\n@ftl.verb\n" + CHECKOUT
    source = shop(cell(plain, "module", "a"), cell(plain.replace("checkout", "refund"), "module", "b"))
    assert labels(source) == ["module", "refund"]


def test_a_text_that_does_not_parse_is_found_again_by_its_text_alone() -> None:
    broken = "def checkout(:\n"
    assert declared_by("shop", cell(broken)) == frozenset()
    assert len(shop(cell(CHECKOUT), cell(broken), cell(broken)).cells) == 2


def test_sql_cells_of_one_database_are_told_apart_by_queries_and_tables() -> None:
    source = shop(
        cell(ITEMS, "sql", database="stock"),
        cell(PRICES, "sql", database="stock"),
        cell(PRICES.replace("1.0", "2.0"), "sql", database="stock"),
        cell(PRICES, "sql", database="other"),
    )
    assert [(c.database, c.label) for c in source.cells] == [
        ("stock", "stock.sql"),
        ("stock", "stock.sql-2"),
        ("other", "other.sql"),
    ]
    assert "2.0" in source.cells[1].text


def versions(source: ModuleSource) -> list[str]:
    return [str(c.options["version"]) for c in source.cells]


def test_a_migrations_version_is_given_at_its_first_run_and_stays() -> None:
    first = shop(cell(ITEMS, "sql", database="stock"))
    again, _ = placed(first, cell(ITEMS.replace("sku TEXT", "sku TEXT NOT NULL"), "sql", database="stock"))
    assert versions(again) == versions(first)
    assert versions(first)[0].isdigit()


def test_versions_rise_within_a_module_even_in_one_second() -> None:
    tables = [ITEMS.replace("items", name) for name in ("b", "c", "a")]
    found = versions(shop(*(cell(t, "sql", database="stock") for t in tables)))
    assert found == sorted(found)
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    ("text", "kind", "label"),
    [(CHECKOUT, "verb", "checkout"), (TYPES, "module", "module"), ("x = (\n", "verb", "verb")],
)
def test_labels(text: str, kind: CellKind, label: str) -> None:
    assert label_of(ModuleSource("shop"), cell(text, kind), None) == label


def test_a_cell_keeps_its_label_while_it_does_not_parse() -> None:
    source = shop(cell(CHECKOUT, cell_id="a"), cell("def checkout(:\n", cell_id="a"))
    assert labels(source) == ["checkout"]
