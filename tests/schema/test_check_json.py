"""JSON against types of a schema: what is taken, in which form it comes out, and where a fault is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftl_nb import schema
from ftl_nb.schema.json import InvalidJson, JsonError, codec

TEXT = """
realm r {
  module other {
    export enum Color: String { Red = "red" Blue = "blue" }
    export data Pair<A, B> { first A second B many [other.Pair<A, B>]? }
  }
  module m {
    enum Level: m.Number { Low = 1 High = 2 }
    typealias Number Int
    typealias Names [String]
    typealias Loop m.Pool
    typealias Pool m.Loop
    enum Pet { Cat m.Cat Tag String Many [m.Cat] }
    data Cat { lives Int }
    data Line { sku String +alias json "stock_keeping_unit" price Float }
    data Order {
      id Int
      note String?
      lines [m.Line]
      counts {String: Int}
      raw Bytes
      more Any
      none Unit
      color other.Color
      names m.Names
    }
    data Node { value Int next m.Node? }
    data Uses { pair other.Pair<m.Cat, [other.Color]> }
    verb act(m.Cat) Unit
  }
}
"""
SCHEMA = schema.parse(TEXT)
ORDER = '"id": 1, "color": "red", "names": []'


def check(type_: str, text: str, lenient: bool = False) -> Any:
    return schema.check_json(SCHEMA, schema.parse_type(type_), text.encode(), lenient=lenient)


TAKEN: list[tuple[str, str, Any]] = [
    ("Int", "-9223372036854775808", -(2**63)),
    ("Int", "12e2", 1200),
    ("Int", '"-12"', -12),
    ("Float", "1", 1.0),
    ("Float", '"1.5e3"', 1500.0),
    ("String", '"x"', "x"),
    ("Bytes", '"AP8="', "AP8="),
    ("Bool", '"T"', True),
    ("Bool", "false", False),
    ("Time", '"2024-02-29T12:00:00.123456789+05:30"', "2024-02-29T12:00:00.123456789+05:30"),
    ("Any", '{"a": [1, null]}', {"a": [1, None]}),
    ("Any", "null", None),
    ("Unit", "{}", {}),
    ("[Int]?", '[1, "2"]', [1, 2]),
    ("Int?", "null", None),
    ("{String: Float}", '{"a": 1}', {"a": 1.0}),
    ("{Int: Bool}", '{"-3": true}', {"-3": True}),
    ("{m.Level: Bool}", '{"1": true}', {"1": True}),
    ("{other.Color: Bool}", '{"red": true}', {"red": True}),
    ("m.Level", "1.0", 1),
    ("other.Color", '"blue"', "blue"),
    ("m.Names", '["a"]', ["a"]),
    ("m.Pet", '{"name": "Cat", "value": {"lives": "9"}, "else": 1}', {"name": "Cat", "value": {"lives": 9}}),
    ("m.Pet", '{"name": "Tag", "value": "x"}', {"name": "Tag", "value": "x"}),
    ("m.Pet", '{"name": "Many", "value": [{"lives": 1}]}', {"name": "Many", "value": [{"lives": 1}]}),
    ("m.Order", f"{{{ORDER}}}", {"id": 1, "color": "red", "names": []}),
    (
        "m.Order",
        f'{{{ORDER}, "note": null, "more": null}}',
        {"id": 1, "note": None, "more": None, "color": "red", "names": []},
    ),
    ("m.Line", '{"stock_keeping_unit": "a", "price": 1}', {"sku": "a", "price": 1.0}),
    ("[m.Line]", '[{"stock_keeping_unit": "a", "price": 1}]', [{"sku": "a", "price": 1.0}]),
    ("m.Node", '{"value": 1, "next": {"value": 2}}', {"value": 1, "next": {"value": 2}}),
    (
        "m.Uses",
        '{"pair": {"first": {"lives": 1}, "second": ["red"]}}',
        {"pair": {"first": {"lives": 1}, "second": ["red"]}},
    ),
    (
        "other.Pair<Int, other.Pair<String, Bool>>",
        '{"first": 1, "second": {"first": "a", "second": true}, "many": []}',
        {"first": 1, "second": {"first": "a", "second": True}, "many": []},
    ),
    ("builtin.Ref", '{"module": "m", "name": "n"}', {"module": "m", "name": "n"}),
    ("builtin.HttpResponse<String, Unit>", '{"status": 200, "body": "x"}', {"status": 200, "body": "x"}),
]


@pytest.mark.parametrize(("type_", "text", "value"), TAKEN, ids=str)
def test_what_is_taken_comes_out_as_codecs_take_it(type_: str, text: str, value: Any) -> None:
    found = check(type_, text)
    assert found == value
    assert repr(found) == repr(value)


REFUSED: list[tuple[str, str, list[str]]] = [
    ("Int", "1.5", ["$: expected Int, got 1.5"]),
    ("Int", '"1x"', ["$: expected Int, got string"]),
    ("Int", '""', ["$: expected Int, got string"]),
    ("Int", "9223372036854775808", ["$: expected Int, got 9223372036854775808, which does not fit into 64 bits"]),
    ("Int", '"9223372036854775808"', ["$: expected Int, got 9223372036854775808, which does not fit into 64 bits"]),
    ("Int", "true", ["$: expected Int, got boolean"]),
    ("Int", "null", ["$: expected Int, got null"]),
    ("Float", '"NaN"', ["$: expected Float, got string"]),
    ("Float", '"1e999"', ["$: expected Float, got a number out of its range"]),
    ("Float", "{}", ["$: expected Float, got object"]),
    ("String", "1", ["$: expected String, got number"]),
    ("Bytes", '"a"', ["$: expected Bytes, got a string that is not standard base64"]),
    ("Bool", '"yes"', ["$: expected Bool, got string"]),
    ("Bool", "1", ["$: expected Bool, got number"]),
    ("Time", '"2024-02-29"', ["$: expected Time, got '2024-02-29', which is not RFC 3339"]),
    ("Time", '"2024-02-29T12:00:00"', ["$: expected Time, got '2024-02-29T12:00:00', which has no offset"]),
    ("Unit", '{"a": 1}', ["$: expected Unit, which is {}, got object"]),
    ("Unit", "null", ["$: expected Unit, which is {}, got null"]),
    ("[Int]", "{}", ["$: expected [Int], got object"]),
    ("[Int]", '["x", 2, null]', ["$[0]: expected Int, got string", "$[2]: expected Int, got null"]),
    ("{String: Int}", "[]", ["$: expected {String: Int}, got array"]),
    ("{String: Int}", '{"a": {}}', ['$["a"]: expected Int, got object']),
    ("{Int: Int}", '{"01": 1}', ["$[\"01\"]: expected an Int as key, got '01'"]),
    ("{other.Color: Int}", '{"green": 1}', ['$["green"]: green is not a valid variant of enum Color']),
    ("m.Level", "3", ["$: 3 is not a valid variant of enum Level"]),
    ("m.Level", '"1"', ["$: 1 is not a valid variant of enum Level"]),
    ("other.Color", "null", ["$: expected String, got null"]),
    ("m.Pet", '"Cat"', ['$: expected {"name": …, "value": …} of enum Pet, got string']),
    ("m.Pet", "{}", ["$.name: is required"]),
    ("m.Pet", '{"name": "Cat"}', ["$.value: is required"]),
    ("m.Pet", '{"name": 1, "value": 2}', ["$.name: expected String, got number"]),
    ("m.Pet", '{"name": "Cow", "value": 2}', ["$.name: Cow is not a valid variant of enum Pet"]),
    ("m.Pet", '{"name": "Many", "value": [{}]}', ["$.value[0].lives: is required"]),
    ("m.Order", "[]", ["$: expected Order, got array"]),
    ("m.Order", "{}", ["$.id: is required", "$.color: is required", "$.names: is required"]),
    ("m.Order", f'{{{ORDER}, "lines": null}}', ["$.lines: expected [m.Line], got null"]),
    (
        "m.Order",
        f'{{{ORDER}, "lines": [{{"sku": "a", "price": 1}}, {{"price": "x", "prise": 1}}], "a b": 1, "typo": 2}}',
        [
            "$.lines[1].sku: is required",
            "$.lines[1].price: expected Float, got string",
            "$.lines[1].prise: is not a valid field",
            '$["a b"]: is not a valid field',
            "$.typo: is not a valid field",
        ],
    ),
    (
        "m.Line",
        '{"sku": "a", "stock_keeping_unit": "b", "price": 1}',
        ["$.stock_keeping_unit: is not a valid field"],
    ),
    (
        "m.Line",
        '{"stock_keeping_unit": null, "price": 1}',
        ["$.sku: is required", "$.stock_keeping_unit: is not a valid field"],
    ),
    (
        "m.Uses",
        '{"pair": {"first": {}, "second": ["green"]}}',
        [
            "$.pair.first.lives: is required",
            "$.pair.second[0]: green is not a valid variant of enum Color",
        ],
    ),
]


@pytest.mark.parametrize(("type_", "text", "problems"), REFUSED, ids=str)
def test_every_fault_is_named_with_its_path(type_: str, text: str, problems: list[str]) -> None:
    with pytest.raises(InvalidJson) as caught:
        check(type_, text)
    assert [str(problem) for problem in caught.value.problems] == problems
    assert str(caught.value) == "\n".join(problems)


def test_lenient_drops_unknown_keys_at_every_depth() -> None:
    text = f'{{{ORDER}, "typo": 2, "lines": [{{"sku": "a", "price": 1, "prise": 2}}]}}'
    found = check("m.Order", text, lenient=True)
    assert found == {"id": 1, "lines": [{"sku": "a", "price": 1.0}], "color": "red", "names": []}
    with pytest.raises(InvalidJson, match="id: is required"):
        check("m.Order", '{"typo": 1, "color": "red", "names": []}', lenient=True)


def test_partial_leaves_missing_fields_to_who_decodes() -> None:
    asked = schema.parse_type("m.Line")
    assert schema.check_json(SCHEMA, asked, {"sku": "a"}, partial=True) == {"sku": "a"}
    with pytest.raises(InvalidJson, match=r"prise: is not a valid field"):
        schema.check_json(SCHEMA, asked, {"prise": 1}, partial=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("NaN", "not JSON"),
        ("[" * 100_000, "the JSON is nested too deeply"),
        ("[" * 129 + "]" * 129, "the JSON is nested too deeply"),
        ("9" * 10_000_000, "not JSON"),
        ('"' + "x" * 200_000_000 + '"', "more than 67,108,864"),
    ],
    ids=["empty", "open", "NaN", "bomb", "deep", "digits", "large"],
)
def test_what_is_no_json_or_too_much_of_it_is_one_error(text: str, says: str) -> None:
    with pytest.raises(JsonError, match=says):
        check("Any", text)


def test_as_deep_as_is_allowed() -> None:
    assert check("Any", "[" * 128 + "]" * 128)


def test_of_many_faults_the_first_hundred_are_named() -> None:
    with pytest.raises(InvalidJson) as caught:
        check("[Int]", "[" + ",".join(["null"] * 1000) + "]")
    assert len(caught.value.problems) == 100


@pytest.mark.parametrize(
    ("type_", "says"),
    [
        (schema.Ref("m", "Nothing"), "unknown ref m.Nothing"),
        (schema.Ref("", "T"), "unknown ref T"),
        (schema.Ref("m", "act"), "expected a type, m.act is a verb"),
        (schema.Ref("other", "Pair"), "expected 2 type arguments, got 0"),
        (schema.Ref("m", "Names", (schema.Int(),)), "expected 0 type arguments, got 1"),
        (schema.Ref("m", "Loop"), "m.Loop is an alias of itself"),
        (schema.Stream(schema.Int()), "stream Int is no type of a value"),
    ],
    ids=str,
)
def test_a_type_that_is_none(type_: schema.Type, says: str) -> None:
    with pytest.raises(schema.SchemaError) as caught:
        schema.check_json(SCHEMA, type_, b"1")
    assert caught.value.problem.message == says


@dataclass
class Cat:
    lives: int


@dataclass
class Line:
    sku: str
    price: float


@given(st.lists(st.builds(Line, st.text(), st.floats(allow_nan=False, allow_infinity=False))))
def test_what_codecs_write_is_taken_as_it_is(lines: list[Line]) -> None:
    made = codec(list[Line])
    found = schema.check_json(SCHEMA, schema.parse_type("[m.Line]"), made.encode(lines))
    assert made.from_json(found) == lines
