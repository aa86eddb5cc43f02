"""The two ways of reading a text agree."""

import json
from pathlib import Path

import pytest
from hypothesis import given

from ftl_nb import schema
from ftl_nb.schema import testkit
from ftl_nb.schema.text import grammar
from ftl_nb.schema.text.engine import parse_all
from ftl_nb.schema.text.lexer import Source
from ftl_nb.schema.text.matching import matched
from ftl_nb.schema.text.state import Mismatch

LINES = [line for file in Path(__file__).with_name("cases").glob("*.jsonl") for line in file.read_text().splitlines()]
TEXTS = sorted({case["text"] for case in map(json.loads, LINES) if case["entry"] == "schema"})


@given(testkit.schemas())
def test_they_agree_on_what_fits(system: schema.Schema) -> None:
    source = Source(str(system))
    fast, exact = matched(grammar.schema_rule(), source), parse_all(grammar.schema_rule(), source)
    assert fast == exact
    assert [node.pos for node in schema.walk(fast)] == [node.pos for node in schema.walk(exact)]


@pytest.mark.parametrize("text", TEXTS)
def test_they_agree_on_the_cases(text: str) -> None:
    try:
        source = Source(text)
    except schema.SchemaError:
        return  # no tokens
    try:
        exact = parse_all(grammar.schema_rule(), source)
    except Mismatch:
        exact = None
    assert matched(grammar.schema_rule(), source) == exact
