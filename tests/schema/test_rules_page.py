"""The page of the rules is what the rules give."""

import runpy
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "schema_rules_page.py"


def test_the_page_is_fresh() -> None:
    tool = runpy.run_path(str(TOOL))
    assert tool["PAGE"].read_text(encoding="utf-8") == tool["page"](), "make docs"
