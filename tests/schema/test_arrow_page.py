"""The page of Arrow types is what the code gives, and each kind of type is on it."""

import runpy
from pathlib import Path

from ftl_nb import schema
from ftl_nb.schema.arrow.table import ROWS, SCALARS

TOOL = Path(__file__).parents[2] / "tools" / "arrow_page.py"


def test_the_page_is_fresh() -> None:
    tool = runpy.run_path(str(TOOL))
    assert tool["PAGE"].read_text(encoding="utf-8") == tool["page"](), "make docs"


def test_every_type_without_parts_is_on_the_page() -> None:
    assert set(SCALARS) == set(schema.PRIMITIVES.values()) <= {type(schema.parse_type(row.example)) for row in ROWS}
