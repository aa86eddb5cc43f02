"""Texts made to hang or to break a reader end in a named error."""

from typing import Any

import pytest

from ftl_nb import schema
from ftl_nb.schema.text import matching
from ftl_nb.schema.text.captures import Captures

N = 20_000
BOMBS = {
    "arrays": "data A { x " + "[" * N,
    "whole arrays": "data A { x " + "[" * N + "Int" + "]" * N + " }",
    "maps": "data A { x " + "{String:" * N,
    "arguments": "data A { x " + "a<" * N,
    "records": "data A { x " * N,
    "enums": "enum A { X " * N,
    "pluses": "verb a(Unit) Unit " + "+" * N,
    "commas": "verb a(Unit) Unit +calls " + "a," * N,
    "exports": "export " * N,
    "fields": "data A {" + "x Int " * N,
    "open text": 'enum A: String { X = "' + "x" * N,
    "escapes": 'enum A: String { X = "' + "\\q" * N + '"',
    "digits": "topic t Int +partitions " + "9" * N,
    "no tokens": ";" * N,
    "streams": "verb a(" + "stream " * N,
    "a long line": " " * 10_000_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_a_named_error(text: str) -> None:
    with pytest.raises(schema.SchemaError) as caught:
        schema.parse(f"realm r {{ module m {{ {text} }} }}")
    assert caught.value.line == 1
    assert caught.value.column > 1


@pytest.mark.parametrize("depth", [10, 60])
def test_deep_types_are_read_checked_and_printed(depth: int) -> None:
    text = f"realm r {{\n  module m {{\n    config c {'[' * depth}Int{']' * depth}\n  }}\n}}\n"
    found = schema.validate(schema.parse(text))
    assert found.problems == ()
    assert text.splitlines()[2] in str(found.schema)


def test_the_place_of_a_fault_in_a_long_line_is_shown_alone() -> None:
    with pytest.raises(schema.SchemaError) as caught:
        schema.parse("realm r { " + "module m {} " * 1000 + "+" + " module m {}" * 1000 + " }")
    shown = caught.value.problem.pretty().splitlines()
    assert max(map(len, shown)) < 200
    assert shown[1][shown[2].index("^")] == "+"


def test_a_text_of_many_lines_is_a_named_error() -> None:
    with pytest.raises(schema.SchemaError, match="text longer than 8,388,608 characters"):
        schema.parse("\n" * 10_000_000)


LONG = {
    "references": "verb v(Unit) Unit +calls a" + ",\na" * 300,
    "paths": "verb v(Unit) Unit +ingress GET " + "/a\n" * 300,
    "variants": "enum E: Int {" + "A = 1\n" * 300 + "}",
    "fields": "data D {" + "a [Int]\n" * 300 + "}",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_damaged_text_costs_at_most_twice_a_good_one(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def counted(*parts: Any) -> Captures:
        made.append(parts)
        return Captures(*parts)

    monkeypatch.setattr(matching, "Captures", counted)
    schema.parse(f"realm r {{ module m {{ {text} }} }}")
    good = len(made)
    made.clear()
    with pytest.raises(schema.SchemaError, match="unexpected token"):
        schema.parse(f"realm r {{ module m {{ {text} {{! }} }}")
    assert good > 300
    assert len(made) <= good * 2
