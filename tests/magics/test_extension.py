"""What the extension does with a cell before it runs."""

from __future__ import annotations

import pytest

from ftl_nb.magics.extension import with_body
from ftl_nb.magics.plain import not_imported


@pytest.mark.parametrize(
    ("cell", "becomes"),
    [
        ("%%ftl_module a\n", "%%ftl_module a\n\n"),
        ("\n\n%%ftl_verb\ndef f(): ...\n", "%%ftl_verb\n\n\ndef f(): ...\n"),
        ("# f\n%%ftl_verb\ndef f(): ...\n", "%%ftl_verb\n# f\ndef f(): ...\n"),
        ("# s\n%%ftl_sql a.b\n-- migrate:up\n", "%%ftl_sql a.b\n\n-- migrate:up\n"),
        ("x = 1\n%%ftl_verb\n", "x = 1\n%%ftl_verb\n"),
        ("# f\n%%time\nx\n", "# f\n%%time\nx\n"),
        ("# f\n", "# f\n"),
        ("", ""),
    ],
)
def test_a_magic_of_ours_comes_first_and_the_lines_below_it_keep_their_numbers(cell: str, becomes: str) -> None:
    assert "".join(with_body(cell.splitlines(keepends=True))) == becomes


@pytest.mark.parametrize(
    "cell", ["@ftl.verb\ndef f(): ...\n", "ftl.module('a')\n", "1\n@ftl.fixture()\ndef f(): ...\n"]
)
def test_a_plain_cell_without_its_import_says_so(cell: str) -> None:
    error = not_imported(cell, {})
    assert error is not None
    assert error.slug == "ftl-not-imported"
    assert not_imported(cell, {"ftl"}) is None
    assert not_imported(f"import my_ftl as ftl\n{cell}", {}) is None


@pytest.mark.parametrize("cell", ["ftl.verb\n1 +", "ftl.status()\n", "verb = 1\n", "other.module('x')\n"])
def test_other_cells_are_left_alone(cell: str) -> None:
    assert not_imported(cell, {}) is None
