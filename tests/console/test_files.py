"""A file as a module, and a module as a file."""

from pathlib import Path

import pytest

from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.console.export import file_text
from ftl_nb.console.files import cells_of
from ftl_nb.errors import FtlError

FILE = '''"""A shop."""
import ftl_nb as ftl

ftl.module("shop")
ftl.sql("shop.stock", """
-- name: One :one
SELECT 1 AS one;
""")


@ftl.verb
def hello(name: str) -> str:
    return name
'''


def written(folder: Path, text: str) -> Path:
    path = folder / "shop.py"
    path.write_text(text)
    return path


def test_a_file_is_its_sql_and_its_whole_text(tmp_path: Path) -> None:
    module, cells = cells_of(written(tmp_path, FILE))
    assert module == "shop"
    assert [(c.kind, c.database) for c in cells] == [("sql", "stock"), ("module", "")]
    assert cells[1].text == FILE


def test_a_files_cells_keep_their_identity_and_are_named_by_the_file(tmp_path: Path) -> None:
    _, first = cells_of(written(tmp_path, FILE))
    _, again = cells_of(written(tmp_path, FILE.replace("hello", "welcome")))
    assert [c.id for c in first] == [c.id for c in again]
    assert len({c.id for c in first}) == 2
    assert first[1].filename("shop") == "shop.py"


def test_a_file_below_the_project_is_named_by_its_way_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desks").mkdir()
    _, cells = cells_of(written(tmp_path / "desks", FILE))
    assert cells[1].label == "desks/shop.py"


def test_sql_keeps_the_lines_that_it_has_in_the_file(tmp_path: Path) -> None:
    _, cells = cells_of(written(tmp_path, FILE))
    at = cells[0].text.splitlines().index("SELECT 1 AS one;")
    assert FILE.splitlines()[at] == "SELECT 1 AS one;"


def test_a_file_without_its_statement_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FtlError) as caught:
        cells_of(written(tmp_path, "x = 1\n"))
    assert caught.value.slug == "no-module"


def test_sql_of_another_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FtlError) as caught:
        cells_of(written(tmp_path, FILE.replace("shop.stock", "other.stock")))
    assert caught.value.slug == "database-name"


def test_cells_become_a_file_that_reads_back(tmp_path: Path) -> None:
    source = ModuleSource(
        "shop",
        (
            Cell(
                "1",
                "module",
                "module",
                "\nfrom dataclasses import dataclass\n\n\n@dataclass\nclass Order:\n    sku: str",
            ),
            Cell("2", "sql", "stock.sql", "\n-- name: One :one\nSELECT 1 AS one;", {}, "stock", "duckdb"),
            Cell("3", "verb", "hello", "\ndef hello(name: str) -> str:\n    return name", {"export": "module"}),
            Cell("4", "fixture", "fill", "\ndef fill() -> None:\n    pass", {"manual": True}),
        ),
    )
    module, cells = cells_of(written(tmp_path, file_text(source)))
    assert module == "shop"
    assert [c.kind for c in cells] == ["sql", "module"]
    assert "@ftl.verb(export='module')" in cells[1].text
    assert "@ftl.fixture(manual=True)" in cells[1].text
