"""Types as Arrow schemas and rows as record batches: there and back."""

from __future__ import annotations

import contextlib
import datetime
import math
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftl_nb import schema
from ftl_nb.schema import testkit
from ftl_nb.schema.arrow import ArrowError, arrow_rows, arrow_schema, type_of_arrow
from ftl_nb.schema.json import codec, name_variant
from ftl_nb.schema.json.errors import UnsupportedType
from schema.records import Level

T = TypeVar("T")
UTC = datetime.UTC

TEXT = """
realm r {
  module shop {
    enum Colour: String { Red = "red" Blue = "blue" }
    enum Level: Int { Low = 1 High = 2 }
    enum Shape { Circle shop.Circle Label String Maybe Int? }
    typealias Sku String
    typealias Maybe Int?
    typealias Money Any +typemap python "decimal.Decimal"
    data Circle { radius Float }
    data Empty { }
    data Page<T> { items [T] next shop.Page<T>? }
    data Order {
      sku shop.Sku
      quantity Int
      price Float
      photo Bytes
      paid Bool
      when Time
      extra Any
      nothing Unit
      colour shop.Colour
      level shop.Level?
      shape shop.Shape
      shapes {String: shop.Shape}?
      tags {String: [Bool]}
      counts {Int: Int?}
      money shop.Money
      maybe shop.Maybe
      empties [shop.Empty]
      circles [[shop.Circle]]?
      page shop.Page<Int>
    }
    verb buy(shop.Order) Unit
  }
}
"""
SYSTEM = schema.parse(TEXT.replace("Int: Int?", "Int: shop.Maybe"))


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Circle:
    radius: float


@dataclass
class Label:
    value: str


@dataclass
class Maybe:
    value: int | None


name_variant(Label, "Label")
name_variant(Maybe, "Maybe")
Shape = Circle | Label | Maybe


@dataclass
class Empty:
    pass


@dataclass
class Page(Generic[T]):
    items: list[T]
    next: Page[T] | None = None


@dataclass(kw_only=True)
class Order:
    sku: str
    quantity: int = 1
    price: float = 0.0
    photo: bytes = b""
    paid: bool = False
    when: datetime.datetime = datetime.datetime(2024, 2, 29, 12, tzinfo=UTC)
    extra: Any = None
    nothing: None = None
    colour: Colour = Colour.RED
    level: Level | None = None
    shape: Shape = field(default_factory=lambda: Circle(1.0))
    shapes: dict[str, Shape] | None = None
    tags: dict[str, list[bool]] = field(default_factory=dict)
    counts: dict[int, int | None] = field(default_factory=dict)
    money: Decimal = Decimal("1.5")
    maybe: int | None = None
    empties: list[Empty] = field(default_factory=list)
    circles: list[list[Circle]] | None = None
    page: Page[int] = field(default_factory=lambda: Page([1], Page([2])))


EXTERNALS: dict[type, tuple[Any, Any]] = {Decimal: (str, Decimal)}
WHOLE = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(max_size=5)
CIRCLES = st.builds(Circle, st.floats(allow_nan=False))
SHAPES = CIRCLES | st.builds(Label, TEXTS) | st.builds(Maybe, st.none() | WHOLE)
PAGES: Any = st.recursive(
    st.builds(Page, st.lists(WHOLE, max_size=2)), lambda inner: st.builds(Page, st.lists(WHOLE, max_size=2), inner)
)
ORDERS = st.builds(
    Order,
    sku=TEXTS,
    quantity=WHOLE,
    price=st.floats(allow_nan=False),
    photo=st.binary(max_size=5),
    paid=st.booleans(),
    when=st.datetimes(timezones=st.just(UTC) | st.just(datetime.timezone(datetime.timedelta(hours=-3)))),
    extra=st.none() | WHOLE | TEXTS | st.just({"a": [1, None]}),
    colour=st.sampled_from(Colour),
    level=st.none() | st.sampled_from(Level),
    shape=SHAPES,
    shapes=st.none() | st.dictionaries(TEXTS, SHAPES, max_size=2),
    tags=st.dictionaries(TEXTS, st.lists(st.booleans(), max_size=3), max_size=2),
    counts=st.dictionaries(WHOLE, st.none() | WHOLE, max_size=3),
    money=st.decimals(allow_nan=False, allow_infinity=False),
    maybe=st.none() | WHOLE,
    empties=st.lists(st.builds(Empty), max_size=2),
    circles=st.none() | st.lists(st.lists(CIRCLES, max_size=2), max_size=2),
    page=PAGES,
)
ORDER = schema.parse_type("shop.Order")
ROWS = arrow_rows(SYSTEM, ORDER, Order, EXTERNALS)


def sent(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch after a way over IPC."""
    batch.validate(full=True)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    with pa.ipc.open_stream(sink.getvalue()) as reader:
        return reader.read_next_batch()


@settings(deadline=None)
@given(st.lists(ORDERS, max_size=6), st.integers(0, 3))
def test_rows_come_back_as_they_were(orders: list[Order], start: int) -> None:
    batch = sent(ROWS.batch(orders))
    assert batch.schema.equals(ROWS.schema, check_metadata=True)
    assert ROWS.rows(batch) == orders
    assert ROWS.rows(batch.slice(start)) == orders[start:]


VALUES: list[tuple[str, Any, list[Any]]] = [
    ("Int", int, [1, -(2**63), True.__index__()]),
    ("Float", float, [1.5, math.inf, 2]),
    ("String?", str | None, ["a", None, "é"]),
    ("Unit", None, [None, None]),
    ("Any", Any, [None, {"a": 1}, "x"]),
    ("[String]", list[str], [["a"], []]),
    ("shop.Shape", Shape, [Label("a"), Maybe(None), Circle(2.0)]),
    ("shop.Shape?", Shape | None, [None, Maybe(None), None, Maybe(3)]),
    ("shop.Level", Level, [Level.HIGH, Level.LOW]),
    ("shop.Maybe", int | None, [1, None]),
    ("shop.Empty", Empty, [Empty(), Empty()]),
    ("shop.Circle?", Circle | None, [None, Circle(1.0)]),
    ("[shop.Maybe]", list[int | None], [[None, 1], []]),
    ("{String: [shop.Colour]}", dict[str, list[Colour]], [{"a": [Colour.RED]}, {}]),
    ("shop.Page<shop.Circle>", Page[Circle], [Page([Circle(1.0)], Page([Circle(2.0)]))]),
    ("shop.Page<shop.Page<Int>>", Page[Page[int]], [Page([Page([1])])]),
]


@pytest.mark.parametrize(("text", "tp", "values"), VALUES, ids=str)
def test_rows_of_every_kind_of_type(text: str, tp: Any, values: list[Any]) -> None:
    rows = arrow_rows(SYSTEM, schema.parse_type(text), tp)
    assert rows.rows(sent(rows.batch(values))) == values
    assert rows.rows(sent(rows.batch([]))) == []


def test_nan_passes() -> None:
    rows = arrow_rows(SYSTEM, schema.Float(), float)
    assert math.isnan(rows.rows(rows.batch([math.nan]))[0])


NESTED = st.recursive(
    st.sampled_from([cls() for cls in schema.PRIMITIVES.values()])
    | st.sampled_from(["Order", "Circle", "Empty", "Colour", "Level", "Shape", "Sku", "Maybe", "Money"]).map(
        lambda name: schema.Ref("shop", name)
    ),
    lambda inner: (
        st.builds(schema.Array, inner | inner.filter(lambda t: t != schema.Unit()).map(schema.Optional))
        | st.builds(schema.Map, inner.filter(lambda t: str(t) not in ("Unit", "shop.Maybe")), inner)
        | inner.map(lambda of: schema.Ref("shop", "Page", (of,)))
    ),
    max_leaves=4,
)


@settings(deadline=None)
@given(NESTED)
def test_an_arrow_schema_says_its_type_exactly(asked: schema.Type) -> None:
    if "?" in str(asked) and "<" in str(asked):
        return  # the language has no text for an optional deep inside type arguments
    made = arrow_schema(SYSTEM, asked)
    assert type_of_arrow(made) == asked
    assert made.metadata == {b"ftl.type": str(asked).encode()}
    assert type_of_arrow(pa.ipc.read_schema(made.serialize())) == asked


@settings(deadline=None, max_examples=40)
@given(testkit.schemas())
def test_every_data_and_enum_has_an_arrow_schema_or_a_named_error(drawn: schema.Schema) -> None:
    for realm in drawn.realms:
        for module in realm.modules:
            for decl in module.decls:
                with contextlib.suppress(schema.SchemaError):
                    assert isinstance(arrow_schema(drawn, schema.Ref(module.name, decl.name)), pa.Schema)


def test_columns_carry_their_types() -> None:
    made = arrow_schema(SYSTEM, ORDER)
    assert made.field("sku").metadata == {b"ftl.type": b"shop.Sku"}
    assert made.field("level").metadata == {b"ftl.type": b"shop.Level?"}
    assert type_of_arrow(made.field("maybe")) == schema.Ref("shop", "Maybe")
    assert type_of_arrow(made.field("tags")) == schema.parse_type("{String: [Bool]}")


def test_the_dictionary_of_an_enum_is_the_same_in_every_batch() -> None:
    rows = arrow_rows(SYSTEM, schema.parse_type("shop.Colour"), Colour)
    first, second = (rows.batch([colour]).column(0) for colour in Colour)
    assert first.dictionary.to_pylist() == second.dictionary.to_pylist() == ["red", "blue"]


def test_batches_are_cut_by_size() -> None:
    rows = arrow_rows(SYSTEM, schema.Int(), int)
    assert [batch.num_rows for batch in rows.batches(iter(range(7)), size=3)] == [3, 3, 1]


def order(**changes: Any) -> Order:
    return Order(**{"sku": "a", **changes})


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"quantity": 2**63}, "[1].quantity: expected Int, got 9223372036854775808, which does not fit into 64 bits"),
    ({"quantity": True}, "[1].quantity: expected Int, got bool"),
    ({"quantity": 1.5}, "[1].quantity: expected Int, got float"),
    ({"quantity": None}, "[1].quantity: expected Int, got None"),
    ({"price": "1"}, "[1].price: expected Float, got str"),
    ({"price": 10**400}, "[1].price: expected Float, got a number out of its range"),
    ({"sku": b"a"}, "[1].sku: expected String, got bytes"),
    ({"sku": "\ud800"}, "[1].sku: a text is not valid Unicode: surrogates not allowed"),
    ({"photo": "a"}, "[1].photo: expected Bytes, got str"),
    ({"paid": 1}, "[1].paid: expected Bool, got int"),
    ({"when": datetime.datetime(2024, 1, 1)}, "[1].when: expected Time, got a datetime without a timezone"),
    ({"when": "now"}, "[1].when: expected Time, got str"),
    ({"nothing": 1}, "[1].nothing: expected Unit, got int"),
    ({"extra": object()}, "[1].extra: expected Any, got object"),
    ({"colour": "red"}, "[1].colour: expected Colour, got str"),
    ({"shape": 3}, "[1].shape: expected Circle | Label | Maybe, got int"),
    ({"shape": Maybe("x")}, "[1].shape: expected Int, got str"),  # type: ignore[arg-type]
    ({"shapes": {"a": Circle("x")}}, "[1].shapes['a'].radius: expected Float, got str"),  # type: ignore[arg-type]
    ({"tags": {"a": [True, 2]}}, "[1].tags['a'][1]: expected Bool, got int"),
    ({"tags": {"a": 1}}, "[1].tags['a']: expected [Bool], got int"),
    ({"tags": []}, "[1].tags: expected {String: [Bool]}, got list"),
    ({"counts": {"a": 1}}, "[1].counts['a']: expected Int, got str"),
    ({"circles": [[Circle(1.0)], [Label("x")]]}, "[1].circles[1][0]: expected Circle, got Label"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG, ids=str)
def test_a_wrong_value_is_refused_with_its_place(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArrowError) as caught:
        ROWS.batch([order(), order(**changes), order()])
    assert str(caught.value) == message


def test_columns_are_read_by_name_and_missing_ones_stand_for_their_defaults() -> None:
    batch = pa.record_batch({"items": pa.array([[1], []], pa.large_list(pa.int16())), "more": [1, 2]})
    rows = arrow_rows(SYSTEM, schema.parse_type("shop.Page<Int>"), Page[int])
    with pytest.raises(ArrowError, match=r"^items\[\]: expected Int, got null"):
        rows.rows(pa.record_batch({"items": pa.array([[None]], pa.list_(pa.int64()))}))
    assert rows.rows(batch) == [Page([1]), Page([])]


FOREIGN: list[tuple[str, Any, pa.Array, list[Any]]] = [
    ("Int", int, pa.array([1, 2], pa.uint8()), [1, 2]),
    ("Float", float, pa.array([1, 2], pa.int32()), [1.0, 2.0]),
    ("String", str, pa.array(["a", "a"]).dictionary_encode(), ["a", "a"]),
    ("String", str, pa.array(["a"], pa.large_utf8()), ["a"]),
    ("Bytes", bytes, pa.array([b"ab"], pa.binary(2)), [b"ab"]),
    ("Time", datetime.datetime, pa.array([1_999], pa.timestamp("ns", "Asia/Tokyo")), ["1970-01-01T00:00:00.000001Z"]),
    ("shop.Colour", Colour, pa.array(["blue", "red"]), [Colour.BLUE, Colour.RED]),
    ("[Int]", list[int], pa.array([[1, 2]], pa.list_(pa.int64(), 2)), [[1, 2]]),
    ("Any", Any, pa.array(['{"a": 1}']), [{"a": 1}]),
]


@pytest.mark.parametrize(("text", "tp", "array", "values"), FOREIGN, ids=str)
def test_other_layouts_of_the_same_are_read(text: str, tp: Any, array: pa.Array, values: list[Any]) -> None:
    rows = arrow_rows(SYSTEM, schema.parse_type(text), tp)
    found = rows.rows(pa.record_batch([array], ["value"]))
    assert found == [codec(tp).from_json(v) if tp is datetime.datetime else v for v in values]


REFUSED: list[tuple[str, Any, pa.Array, str]] = [
    ("Int", int, pa.array(["1"]), "expected Int, got string"),
    ("Int", int, pa.array([1, None]), "expected Int, got null"),
    ("Int", int, pa.array([2**63], pa.uint64()), "Integer value 9223372036854775808 not in range"),
    ("Time", datetime.datetime, pa.array([0], pa.timestamp("us")), r"expected Time, got timestamp\[us\]"),
    ("Time", datetime.datetime, pa.array([2**62], pa.timestamp("us", "UTC")), "expected Time: "),
    ("shop.Colour", Colour, pa.array(["green"]), "green is not a valid variant of enum Colour"),
    ("shop.Shape", Shape, pa.array([1]), r"expected Circle \| Label \| Maybe with a child \$variant, got int64"),
    ("[Int]", list[int], pa.array([1]), r"expected \[Int\], got int64"),
    ("{Int: Int}", dict[int, int], pa.array([1]), "expected {Int: Int}, got int64"),
    ("shop.Circle?", Circle | None, pa.array([1]), "expected Circle, got int64"),
    ("Any", Any, pa.array(["{"]), "not JSON"),
    ("Unit", None, pa.array([1]), "expected Unit, got int64"),
]


@pytest.mark.parametrize(("text", "tp", "array", "message"), REFUSED, ids=str)
def test_what_is_not_of_the_type_is_not_read(text: str, tp: Any, array: pa.Array, message: str) -> None:
    with pytest.raises(ArrowError, match=message):
        arrow_rows(SYSTEM, schema.parse_type(text), tp).rows(pa.record_batch([array], ["value"]))


def test_a_broken_batch_is_refused_before_it_is_read() -> None:
    offsets, values = pa.array([0, 1_000_000, 1], pa.int32()).buffers()[1], pa.array([1])
    lists = pa.Array.from_buffers(pa.list_(pa.int64()), 2, [None, offsets], children=[values])
    with pytest.raises(ArrowError, match="the batch is broken: "):
        arrow_rows(SYSTEM, schema.parse_type("[Int]"), list[int]).rows(pa.record_batch([lists], ["value"]))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ArrowError, match="there is no column radius"):
        arrow_rows(SYSTEM, schema.parse_type("shop.Circle"), Circle).rows(pa.record_batch({"other": [1]}))
    with pytest.raises(ArrowError, match="there is no column value"):
        arrow_rows(SYSTEM, schema.Int(), int).rows(pa.record_batch({"other": [1]}))


def test_foreign_schemas_have_the_type_of_their_shape() -> None:
    made = pa.schema(
        [
            pa.field("a", pa.int8(), nullable=False),
            ("b", pa.list_(pa.field("item", pa.large_utf8(), nullable=False))),
            ("c", pa.struct([pa.field("d", pa.timestamp("ns", "UTC"), nullable=False)])),
            ("e", pa.dictionary(pa.int8(), pa.utf8())),
        ]
    )
    inner = schema.Data("", (schema.Field("d", schema.Time()),))
    fields: dict[str, schema.Type] = {
        "a": schema.Int(),
        "b": schema.Optional(schema.Array(schema.String())),
        "c": schema.Optional(inner),
        "e": schema.Optional(schema.String()),
    }
    assert type_of_arrow(made) == schema.Data("", tuple(schema.Field(n, of) for n, of in fields.items()))
    with pytest.raises(schema.SchemaError, match=r"is timestamp\[s\], which no type .*; a Time has a zone"):
        type_of_arrow(pa.field("a", pa.timestamp("s")))


@pytest.mark.parametrize(
    ("text", "tp", "error"),
    [
        ("shop.Nope", int, "unknown ref shop.Nope"),
        ("shop.buy", int, "expected a type, shop.buy is a verb"),
        ("{Unit: Int}", dict[str, int], "Unit is null for some value, as a key in Arrow cannot be"),
        ("[Int]", int, "is not what the Python type"),
        ("shop.Circle", Label, "Circle is not what the Python type"),
        ("shop.Shape", Circle | Label, "Shape is not what the Python type"),
    ],
)
def test_types_that_do_not_fit(text: str, tp: Any, error: str) -> None:
    with pytest.raises(schema.SchemaError, match=error):
        arrow_rows(SYSTEM, schema.parse_type(text), tp)


def test_a_python_type_without_a_place_is_refused() -> None:
    with pytest.raises(UnsupportedType):
        arrow_rows(SYSTEM, schema.parse_type("shop.Shape"), int | str)


def test_data_in_data_ends_before_it_is_too_much() -> None:
    chain = "".join(f"data D{i} {{ a m.D{i + 1} b m.D{i + 1} }}\n" for i in range(30))
    bomb = schema.parse(f"realm r {{ module m {{ {chain} data D30 {{ x Int }} }} }}")
    with pytest.raises(schema.SchemaError, match="is part of more than 10,000 Arrow fields"):
        arrow_schema(bomb, schema.Ref("m", "D0"))


def test_the_schema_package_does_not_import_arrow() -> None:
    code = "import sys; from ftl_nb import schema; schema.parse(''); sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
