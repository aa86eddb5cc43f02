"""JSON Schema of every kind of type, held against a validator of its own that judges generated values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator

from ftl_nb import schema
from ftl_nb.schema.testkit import json_values

TEXT = """
realm acme {
  module shop {
    // A colour.
    enum Colour: String {
      Red = "red"
      Blue = "blue"
    }
    enum Level: Int {
      Low = 1
      High = 2
    }
    enum Shape {
      // Round.
      Circle shop.Circle
      Square Int
    }
    typealias Sku String
    data Circle { radius Float }
    data Page<T> { items [T] next shop.Page<T>? }
    // What is bought.
    data Order {
      sku shop.Sku
      // How many.
      quantity Int
      colour shop.Colour
      level shop.Level?
      shape shop.Shape
      tags {String: [Bool]}
      counts {Int: Int}
      photo Bytes
      when Time
      extra Any
      nothing Unit
      pages shop.Page<Int>
      texts shop.Page<String>
    }
    verb buy(shop.Order) Unit
  }
}
"""
SYSTEM = schema.validate(schema.parse(TEXT)).schema
ORDER = schema.parse_type("shop.Order")
TYPES = [
    *("Int", "Float", "String", "Bytes", "Bool", "Time", "Any", "Unit", "[Int]", "{String: Float}", "{Int: Bool}"),
    *("shop.Order", "[shop.Order]", "shop.Page<shop.Circle>", "shop.Shape", "shop.Colour", "shop.Level", "shop.Sku"),
    *("builtin.HttpRequest<shop.Circle, Unit, {String: String}>", "shop.Page<shop.Page<Int>>"),
]


def validator(asked: schema.Type) -> Any:
    written = schema.json_schema(SYSTEM, asked)
    Draft202012Validator.check_schema(written)
    return Draft202012Validator(written)


@pytest.mark.parametrize("text", TYPES)
def test_every_value_of_a_type_is_valid(text: str) -> None:
    asked = schema.parse_type(text)
    judge = validator(asked)

    @settings(deadline=None)
    @given(json_values(SYSTEM, asked))
    def hold(value: object) -> None:
        assert judge.is_valid(value)

    hold()


def spoiled(order: Any) -> SearchStrategy[dict[str, Any]]:
    """An order, which is an object, with one thing wrong."""
    required = [name for name in order if name != "level"]
    missing = st.sampled_from(required).map(lambda name: {k: v for k, v in order.items() if k != name})
    unknown = st.just({**order, "unheard": 1})
    wrong = st.sampled_from(
        [
            ("sku", 1),
            ("quantity", 2**63),
            ("quantity", 1.5),
            ("colour", "green"),
            ("level", 3),
            ("shape", {"name": "Star", "value": 1}),
            ("shape", {"name": "Square", "value": "x"}),
            ("shape", {"name": "Square"}),
            ("tags", {"a": [1]}),
            ("counts", {"one": 1}),
            ("photo", "é"),
            ("nothing", {"a": 1}),
            ("pages", {"items": ["x"], "next": None}),
        ]
    ).map(lambda change: {**order, change[0]: change[1]})
    return missing | unknown | wrong


def test_what_is_wrong_in_one_place_is_not_valid() -> None:
    judge = validator(ORDER)

    @settings(deadline=None)
    @given(json_values(SYSTEM, ORDER).flatmap(spoiled))
    def refuse(order: dict[str, Any]) -> None:
        assert not judge.is_valid(order)

    refuse()


def test_comments_are_descriptions_and_every_reference_is_defined() -> None:
    written = schema.json_schema(SYSTEM, ORDER)
    assert written["description"] == "What is bought."
    assert written["properties"]["quantity"]["description"] == "How many."
    assert written["$defs"]["shop.Shape"]["oneOf"][0]["description"] == "Round."
    assert sorted(written["$defs"]) == [
        *("shop.Circle", "shop.Colour", "shop.Level", "shop.Page[Int]", "shop.Page[String]", "shop.Shape", "shop.Sku"),
    ]
    assert "level" not in written["required"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (schema.Ref("shop", "Nope"), "unknown ref shop.Nope"),
        (schema.Ref("shop", "buy"), "shop.buy has no values, so there is no JSON Schema of it"),
        (schema.Ref("shop", "Page"), "expected 1 type arguments, got 0"),
        (schema.Stream(schema.Int()), "a stream has no JSON Schema, its elements have"),
    ],
)
def test_what_has_no_values_is_refused(asked: schema.Type, message: str) -> None:
    with pytest.raises(schema.SchemaError, match=message):
        schema.json_schema(SYSTEM, asked)
