"""BINDING 26: migrations that change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.driver import Notebook

BOOKS = """
    %%ftl_sql library.books
    -- migrate:up
    CREATE TABLE books (title TEXT NOT NULL);
    -- migrate:down
    DROP TABLE books;

    -- name: CountBooks :one
    SELECT count(*) AS found FROM books;

    -- name: AddBook :exec
    INSERT INTO books (title) VALUES (@title);
"""
SHELVE = """
    %%ftl_fixture --module library
    def shelve(*, add_book):
        add_book("Emma")
"""
WIDER = BOOKS.replace("title TEXT NOT NULL);", "title TEXT NOT NULL, year INTEGER);")


@pytest.fixture
def library(notebook: Notebook) -> Iterator[Notebook]:
    """A database with one row of its fixture and two that a person added."""
    notebook.run("%ftl remove library")
    for cell in ("%%ftl_module library\n'Books.'", BOOKS, SHELVE):
        notebook.run(cell).ok  # noqa: B018
    for title in ("Ulysses", "Middlemarch"):
        notebook["add_book"](title)
    yield notebook
    notebook.run("%ftl reset").ok  # noqa: B018


def test_26_a_changed_migration_rebuilds_with_the_fixtures_and_says_what_went(library: Notebook) -> None:
    assert library["count_books"]() == 3
    card = library.run(WIDER).card
    notes = "\n".join(card.notes)
    assert "database books was rebuilt" in notes
    assert "3 of books" in notes
    assert "fixture shelve ran" in notes
    assert library["count_books"]() == 1


def test_26_keep_refuses_instead(library: Notebook) -> None:
    refused = library.run(WIDER.replace("library.books", "library.books --keep", 1)).refusal
    assert refused.slug == "migration-changed"
    assert library["count_books"]() == 3


def test_26_a_migration_of_a_second_cell_keeps_the_rows_and_runs_the_fixtures_of_its_database(
    library: Notebook,
) -> None:
    second = """
        %%ftl_sql library.books
        -- migrate:up
        CREATE TABLE readers (name TEXT NOT NULL);
        -- migrate:down
        DROP TABLE readers;

        -- name: Readers :many
        SELECT name FROM readers;
    """
    card = library.run(second).card
    assert card.notes == ("fixture shelve ran",)
    assert library["count_books"]() == 4
    assert list(library["readers"]()) == []


def test_26_an_edited_query_leaves_rows_and_fixtures_alone(library: Notebook) -> None:
    edited = BOOKS.replace("count(*) AS found", "count(*) * 10 AS found")
    assert library.run(edited).card.notes == ()
    assert library["count_books"]() == 30


def test_26_a_fixture_that_does_not_fit_the_changed_table_leaves_the_database_as_it_was(library: Notebook) -> None:
    refused = library.run(BOOKS.replace("title TEXT NOT NULL);", "title TEXT NOT NULL, year INTEGER NOT NULL);"))
    assert refused.refusal.slug in ("fixture-failed", "breaks-others")
    assert library["count_books"]() == 3
    library["add_book"]("Persuasion")
    assert library["count_books"]() == 4


def test_26_a_migration_that_is_taken_out_rebuilds_too(library: Notebook) -> None:
    second = BOOKS.replace("books (", "authors (").replace("TABLE books", "TABLE authors")
    second = second[: second.index("-- name: CountBooks")]
    library.run(second, cell_id="authors").ok  # noqa: B018
    emptied = "%%ftl_sql library.books\n-- name: OneBook :one\nSELECT title FROM books LIMIT 1;"
    card = library.run(emptied, cell_id="authors").card
    assert any("database books was rebuilt" in n for n in card.notes)
    assert library["count_books"]() == 1


def test_26_a_column_that_a_verb_reads_moves_with_the_verb(library: Notebook) -> None:
    first_title = """
        %%ftl_verb --module library
        def first_title(*, first_book) -> str:
            return first_book().title
    """
    query = "\n    -- name: FirstBook :one\n    SELECT * FROM books ORDER BY 1 LIMIT 1;\n"
    library.run(BOOKS + query.replace("*", "title, 1 AS n")).ok  # noqa: B018
    library.run(first_title).ok  # noqa: B018
    renamed = BOOKS.replace("title TEXT", "name TEXT").replace("(title)", "(name)") + query.replace("*", "name, 1 AS n")
    assert library.run(renamed).refusal.slug == "breaks-others"
    assert library["first_title"]() == "Emma"
    assert library["count_books"]() == 3
    card = library.run(first_title.replace(".title", ".name")).card
    assert any("database books was rebuilt" in n for n in card.notes)
    assert library["first_title"]() == "Emma"
