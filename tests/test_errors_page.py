"""The catalogue of errors: its page is fresh, its codes are unique, and source and catalogue name the same errors."""

import ast
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftl_nb.errors import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE_FILE = "ftl_nb/errors/catalogue.py"
#: The first argument of a call of these, when it is written out, is an error's slug.
MAKERS = {"fail", "FtlError", "VerbError"}


def source_files() -> Iterator[Path]:
    return (path for path in (ROOT / "ftl_nb").rglob("*.py") if not path.stem.endswith("_pb2"))


def made(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and slug of each error that a call of a maker writes out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in MAKERS:
            yield from ((node.lineno, slug) for slug in strings(node.args[0]))


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def strings(tree: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.AST]:
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in source_files()}


def test_the_page_is_fresh() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "error_pages.py"))
    assert tool["PAGE"].read_text(encoding="utf-8") == tool["page"](), "make docs"


def test_every_entry_has_a_group() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "error_pages.py"))
    assert {tool["letter"](entry) for entry in CATALOGUE.values()} == set(tool["GROUPS"])


def test_codes_and_slugs_are_unique(trees: dict[str, ast.AST]) -> None:
    # Read from the source: a dictionary has lost what was there twice.
    calls = [n for n in ast.walk(trees[CATALOGUE_FILE]) if isinstance(n, ast.Call) and _name(n.func) == "Entry"]
    written = [tuple(ast.literal_eval(argument) for argument in call.args[:2]) for call in calls]
    assert sorted(written) == sorted((e.slug, e.code) for e in CATALOGUE.values())
    assert len({e.code for e in CATALOGUE.values()}) == len(CATALOGUE)


def test_every_error_made_in_the_source_is_in_the_catalogue(trees: dict[str, ast.AST]) -> None:
    found = [(file, line, slug) for file, tree in trees.items() for line, slug in made(tree)]
    assert len(found) > len(CATALOGUE) / 2
    unknown = [f"{file}:{line}: {slug}" for file, line, slug in found if slug not in CATALOGUE]
    assert unknown == []


def test_every_entry_is_used(trees: dict[str, ast.AST]) -> None:
    used = set().union(*(strings(tree) for file, tree in trees.items() if file != CATALOGUE_FILE))
    assert sorted(set(CATALOGUE) - used) == []
