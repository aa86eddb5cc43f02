"""The codec of each type: what goes out, what comes back, and what is refused with which path."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftl_nb.schema.json import JsonError, codec
from schema.records import (
    NOON,
    UTC,
    Box,
    Cat,
    Color,
    Counted,
    Dog,
    Labelled,
    Level,
    Line,
    Node,
    Order,
    Owner,
    Pair,
    Pet,
    Point,
    Sku,
)

ROUND_TRIPS: list[tuple[Any, Any, bytes]] = [
    (int, -(2**63), b"-9223372036854775808"),
    (float, 1.5, b"1.5"),
    (str, 'tea "x" \u2028', '"tea \\"x\\" \u2028"'.encode()),
    (bytes, b"\x00\xff", b'"AP8="'),
    (bool, True, b"true"),
    (None, None, b"{}"),
    (type(None), None, b"{}"),
    (Any, {"a": [1, None, True, "x", 2.5]}, b'{"a":[1,null,true,"x",2.5]}'),
    (dt.datetime, NOON, b'"2024-02-29T12:00:00Z"'),
    (dt.datetime, NOON.replace(microsecond=120000), b'"2024-02-29T12:00:00.12Z"'),
    (
        dt.datetime,
        NOON.replace(tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
        b'"2024-02-29T12:00:00+05:30"',
    ),
    (dt.datetime, dt.datetime(1, 1, 1, tzinfo=UTC), b'"0001-01-01T00:00:00Z"'),
    (list[int], [1, 2], b"[1,2]"),
    (dict[str, float], {"a": 1.0}, b'{"a":1.0}'),
    (dict[int, str], {-3: "x", 0: "y"}, b'{"-3":"x","0":"y"}'),
    (dict[Color, int], {Color.RED: 1}, b'{"red":1}'),
    (dict[Level, int], {Level.LOW: 1}, b'{"1":1}'),
    (int | None, None, b"null"),
    (
        Union[str, None],  # noqa: UP007
        "x",
        b'"x"',
    ),
    (Color, Color.RED, b'"red"'),
    (Level, Level.HIGH, b"2"),
    (Sku, "tea", b'"tea"'),
    (Annotated[int, "metres"], 3, b"3"),
    (Line, Line("tea", 2.0), b'{"sku":"tea","unitPrice":2.0}'),
    (
        Order,
        Order("1", [Line("tea")]),
        b'{"orderId":"1","lines":[{"sku":"tea","unitPrice":1.5}],"total":0.0,"note":null}',
    ),
    (Box[int], Box(1, [2]), b'{"content":1,"spares":[2]}'),
    (
        Pair[str, Line],
        Pair("k", Box(Line("t"))),
        b'{"key":"k","box":{"content":{"sku":"t","unitPrice":1.5},"spares":[]}}',
    ),
    (Labelled, Labelled(3, [], "x"), b'{"content":3,"spares":[],"label":"x"}'),
    (Pet, Cat(9), b'{"name":"Cat","value":{"lives":9}}'),
    (
        Union[Box[int], Dog],  # noqa: UP007
        Box(1),
        b'{"name":"Box","value":{"content":1,"spares":[]}}',
    ),
    (
        Owner,
        Owner(Dog("Rex"), {"a": Cat(1)}),
        b'{"pet":{"name":"Dog","value":{"name":"Rex"}},"byName":{"a":{"name":"Cat","value":{"lives":1}}},"spare":null}',
    ),
    (Node, Node(1, [Node(2, [])]), b'{"value":1,"children":[{"value":2,"children":[],"parent":null}],"parent":null}'),
    (Point, Point(1, y=5), b'{"x":1,"y":5}'),
    (Counted, Counted("abc"), b'{"text":"abc","size":3}'),
]


@pytest.mark.parametrize(("tp", "value", "text"), ROUND_TRIPS, ids=str)
def test_round_trip(tp: Any, value: Any, text: bytes) -> None:
    assert codec(tp).encode(value) == text
    back = codec(tp).decode(text)
    assert back == value
    assert type(back) is type(value)


def test_a_codec_is_made_once() -> None:
    assert codec(Order) is codec(Order)
    assert codec(list[int]) is not codec(list[bool])


ACCEPTED: list[tuple[Any, bytes, Any]] = [
    (Line, b'{"sku":"tea"}', Line("tea", 1.5)),
    (Line, b'{"sku":"tea","else":{"deep":[1]},"unitPrice":3}', Line("tea", 3.0)),
    (Order, b'{"orderId":"1"}', Order("1", [])),
    (Node, b'{"value":1}', Node(1, [])),
    (Point, b'{"x":1}', Point(1)),
    (int, b"12e2", 1200),
    (float, b"1e+06", 1e6),
    (dt.datetime, b'"2024-02-29T12:00:00.123456789Z"', NOON.replace(microsecond=123457)),
    (None, b'{"ignored":1}', None),
]


@pytest.mark.parametrize(("tp", "text", "value"), ACCEPTED, ids=str)
def test_decoding_is_lenient_where_the_language_is(tp: Any, text: bytes, value: Any) -> None:
    back = codec(tp).decode(text)
    assert back == value
    assert type(back) is type(value)


REFUSED_VALUES: list[tuple[Any, Any, str]] = [
    (int, True, "expected Int, got bool"),
    (int, "1", "expected Int, got str"),
    (int, 1.0, "expected Int, got float"),
    (int, 2**63, "expected Int, got 9223372036854775808, which does not fit into 64 bits"),
    (float, float("nan"), "expected Float, got nan, which JSON cannot carry"),
    (float, float("-inf"), "expected Float, got -inf, which JSON cannot carry"),
    (float, 10**400, "expected Float, got a number out of its range"),
    (float, True, "expected Float, got bool"),
    (str, None, "expected String, got None"),
    (str, b"x", "expected String, got bytes"),
    (bytes, "x", "expected Bytes, got str"),
    (bool, 1, "expected Bool, got int"),
    (None, 0, "expected Unit, got int"),
    (dt.datetime, "now", "expected Time, got str"),
    (dt.datetime, dt.datetime(2024, 1, 1), "expected Time, got a datetime without a timezone"),
    (list[int], (1,), "expected [Int], got tuple"),
    (list[int], [1, "x"], "[1]: expected Int, got str"),
    (dict[str, int], [], "expected {String: Int}, got list"),
    (dict[str, int], {1: 1}, '["1"]: expected String, got int'),
    (dict[str, int], {"a": None}, '["a"]: expected Int, got None'),
    (Color, "red", "expected Color, got str"),
    (Line, {"sku": "x"}, "expected Line, got dict"),
    (Line, Line("x", "3"), "unitPrice: expected Float, got str"),  # type: ignore[arg-type]
    (Order, Order("1", [Line(7)]), "lines[0].sku: expected String, got int"),  # type: ignore[arg-type]
    (Node, Node(1, [Node(2, [Node("x", [])])]), "children[0].children[0].value: expected Int, got str"),  # type: ignore[arg-type]
    (Box[int], Box("x"), "content: expected Int, got str"),
    (list[Box[int]], [3], "[0]: expected Box<Int>, got int"),
    (Pet, Line("x"), "expected Cat | Dog, got Line"),
    (Owner, Owner(Cat("x"), {}), "pet.value.lives: expected Int, got str"),  # type: ignore[arg-type]
    (Any, {"a": [object()]}, '["a"][0]: expected Any, got object'),
    (Any, {1: 2}, "expected a String as key, got int"),
    (Any, float("inf"), "expected Float, got inf, which JSON cannot carry"),
    (Any, [Cat("x")], "[0].lives: expected Int, got str"),  # type: ignore[arg-type]
    (str, "\ud800", "a text is not valid Unicode: surrogates not allowed"),
]


@pytest.mark.parametrize(("tp", "value", "message"), REFUSED_VALUES, ids=str)
def test_encoding_checks_types(tp: Any, value: Any, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        codec(tp).encode(value)
    assert str(caught.value) == message


def test_a_number_too_long_to_write_is_told_by_its_size() -> None:
    with pytest.raises(JsonError, match="expected Int, got a number of 16,610 bits, which does not fit into 64 bits"):
        codec(int).encode(10**5000)


REFUSED_JSON: list[tuple[Any, bytes, str]] = [
    (int, b'"1"', "expected Int, got string"),
    (int, b"1.5", "expected Int, got 1.5"),
    (int, b"9223372036854775808", "expected Int, got 9223372036854775808, which does not fit into 64 bits"),
    (int, b"true", "expected Int, got boolean"),
    (float, b"null", "expected Float, got null"),
    (bool, b"1", "expected Bool, got number"),
    (bytes, b'"a"', "expected Bytes, got a string that is not standard base64"),
    (bytes, b"1", "expected Bytes, got number"),
    (dt.datetime, b'"2024-01-01T00:00:00"', "expected Time, got '2024-01-01T00:00:00', which has no offset"),
    (dt.datetime, b'"soon"', "expected Time, got 'soon', which is not RFC 3339"),
    (dt.datetime, b"1", "expected Time, got number"),
    (None, b"null", "expected Unit, got null"),
    (list[str], b"null", "expected [String], got null"),
    (dict[int, int], b'{"01":1}', "[\"01\"]: expected an Int as key, got '01'"),
    (
        dict[int, int],
        b'{"99999999999999999999999":1}',
        '["99999999999999999999999"]: expected Int, got 18446744073709551616, which does not fit into 64 bits',
    ),
    (dict[str, int], b'{"a":"b"}', '["a"]: expected Int, got string'),
    (Color, b'"green"', "green is not a valid variant of enum Color"),
    (Color, b"1", "expected Color, got number"),
    (Level, b"true", "expected Level, got boolean"),
    (Line, b"{}", "sku: is required"),
    (Line, b"[]", "expected Line, got array"),
    (Order, b'{"orderId":"1","lines":[{"sku":3}]}', "lines[0].sku: expected String, got number"),
    (Order, b'{"orderId":"1","lines":[{"sku":"a"},{}]}', "lines[1].sku: is required"),
    (Order, b'{"orderId":"1","lines":null}', "lines: expected [Line], got null"),
    (Counted, b'{"text":""}', "Counted: text is empty"),
    (list[Counted], b'[{"text":""}]', "[0]: Counted: text is empty"),
    (Pet, b'"Cat"', 'expected {"name": …, "value": …} of Cat | Dog, got string'),
    (Pet, b'{"value":{}}', "no name found for type enum variant of Cat | Dog"),
    (Pet, b'{"name":"Cat"}', "no value found for type enum variant of Cat | Dog"),
    (Pet, b'{"name":"Cow","value":{}}', "no enum variant found by name Cow, there is Cat | Dog"),
    (Pet, b'{"name":[],"value":{}}', "no enum variant found by name [], there is Cat | Dog"),
    (Owner, b'{"pet":{"name":"Cat","value":{"lives":"9"}}}', "pet.value.lives: expected Int, got string"),
    (Owner, b"{}", "pet: is required"),
]


@pytest.mark.parametrize(("tp", "text", "message"), REFUSED_JSON, ids=str)
def test_decoding_errors_have_the_path(tp: Any, text: bytes, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        codec(tp).decode(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", b'"\xff"', b'"\\ud800"', b"1e400", b"9" * 10_000_000])
def test_text_that_is_not_json_is_one_error(text: bytes) -> None:
    with pytest.raises(JsonError, match="not JSON: "):
        codec(Any).decode(text)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 2_000 + b"]" * 2_000])
@pytest.mark.parametrize("tp", [Any, Node, list[int]])
def test_deep_nesting_is_one_error(tp: Any, text: bytes) -> None:
    with pytest.raises(JsonError, match="the JSON is nested too deeply"):
        codec(tp).decode(text)


@pytest.mark.parametrize("tp", [Any, str, Order])
def test_a_text_that_is_too_large_is_one_error(tp: Any) -> None:
    with pytest.raises(JsonError, match="the JSON has 200,000,002 bytes, which is more than 67,108,864"):
        codec(tp).decode(b'"' + b"x" * 200_000_000 + b'"')


def test_of_a_key_that_is_there_twice_the_last_one_counts() -> None:
    assert codec(Line).decode(b'{"sku":"a","sku":"b"}') == Line("b")


@dataclass
class Everything:
    whole: int
    order_id: float
    text: str | None
    raw: bytes
    at: dt.datetime
    pet: Pet | None
    nodes: list[Node]
    counts: dict[str, int]
    by_level: dict[Level, Line]
    color: Color
    point: Point
    box: Box[list[bool]]
    counted: Counted
    more: Any = 1
    done: bool = False


SCALARS = st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.sampled_from(
    ["", "red", "Cat", "1", "aGk=", "aGl=", "a", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00", "é"]
)


def json_of(tp: Any) -> st.SearchStrategy[object]:
    """JSON that often is of the type, and often nearly."""
    fit = {
        int: st.integers(-5, 5) | st.just(3.0) | st.just(2**63),
        float: st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
        str: TEXTS,
        bytes: TEXTS,
        dt.datetime: st.sampled_from(["2024-02-29T12:00:00Z", "2024-02-29T12:00:00.123456789+05:30", "soon"]),
        bool: st.booleans(),
    }
    return st.one_of(*[fit[tp]] * 6, SCALARS)


LINES = st.fixed_dictionaries({"sku": json_of(str)}, optional={"unitPrice": json_of(float), "x": SCALARS})
PETS = st.sampled_from(
    [None, {}, {"name": "Cat", "value": {"lives": 9}}, {"name": "Dog", "value": {"name": 1}}, {"name": "Cow"}]
)
NODES = st.recursive(
    st.builds(lambda v: {"value": v, "children": []}, json_of(int)),
    lambda n: st.fixed_dictionaries(
        {"value": json_of(int), "children": st.lists(n, max_size=2), "parent": st.none() | n}
    ),
    max_leaves=4,
)
NEARLY = st.fixed_dictionaries(
    {
        "whole": json_of(int),
        "orderId": json_of(float),
        "at": json_of(dt.datetime),
        "color": st.sampled_from(["red", "red", "blue", "green", 1]),
        "point": st.sampled_from([{"x": 1}, {"x": 1, "y": 2}, {"y": 2}]),
        "box": st.sampled_from([{"content": [True]}, {"content": [], "spares": [[False]]}, {"content": 1}]),
        "counted": st.sampled_from([{"text": "abc"}, {"text": "a", "size": 7}, {"text": ""}]),
    },
    optional={
        "text": st.none() | json_of(str),
        "raw": json_of(bytes),
        "pet": PETS,
        "nodes": st.lists(NODES, max_size=2),
        "counts": st.dictionaries(TEXTS, json_of(int), max_size=2),
        "byLevel": st.dictionaries(st.sampled_from(["1", "2", "3", "01"]), LINES, max_size=2),
        "more": SCALARS | st.lists(TEXTS),
        "done": json_of(bool),
        "else": SCALARS,
    },
)


@settings(max_examples=300)
@given(NEARLY)
def test_decoding_in_one_step_is_decoding_step_by_step(raw: object) -> None:
    text = json.dumps(raw).encode()
    made = codec(Everything)

    def outcome(decode: Callable[[], object]) -> object:
        try:
            return decode()
        except JsonError as error:
            return str(error)

    assert outcome(lambda: made.decode(text)) == outcome(lambda: made.from_json(json.loads(text)))


def test_the_error_keeps_path_and_message_apart() -> None:
    with pytest.raises(JsonError) as caught:
        codec(Line).decode(b'{"sku":1}')
    assert (caught.value.path, caught.value.message) == ("sku", "expected String, got number")


def test_a_value_that_contains_itself_is_refused() -> None:
    node = Node(1, [])
    node.children.append(node)
    with pytest.raises(JsonError, match="nested too deeply, or contains itself"):
        codec(Node).encode(node)
