"""The page of extensions says what the language reads and prints."""

import re
from pathlib import Path

import pytest

from ftl_nb import schema

PAGE = Path(__file__).parents[2] / "docs" / "schema-extensions.md"
EXAMPLES = re.findall(r"```ftl\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_binding_21_an_example_prints_as_it_stands(text: str) -> None:
    assert str(schema.parse_module(text)) == text.rstrip("\n")


def test_binding_21_every_extension_in_use_is_on_the_page() -> None:
    assert [w for w in ("database duckdb", "+typemap python") if w not in PAGE.read_text()] == []
