"""A nested record from JSON into dataclasses, beside msgspec on dataclasses written for it and pydantic on its models.

Ours has the names of Python in its fields (`unit_price`), msgspec's dataclasses need those of the JSON (`unitPrice`).
"""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from benchmarks.bench import Bench
from benchmarks.measure import Row, in_turn, ratio_row, timed
from ftl_nb.schema.json import codec

_REACH = 1 / 0.9
_REACH_OF_PYDANTIC = 1.0


@dataclass
class Line:
    sku: str
    quantity: int
    unit_price: float
    note: str | None = None


@dataclass
class Address:
    street: str
    city: str
    postal_code: str


@dataclass
class Order:
    order_id: int
    customer: str
    address: Address
    placed_at: dt.datetime
    lines: list[Line]
    tags: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class JsonLine:
    sku: str
    quantity: int
    unitPrice: float
    note: str | None = None


@dataclass
class JsonAddress:
    street: str
    city: str
    postalCode: str


@dataclass
class JsonOrder:
    orderId: int
    customer: str
    address: JsonAddress
    placedAt: dt.datetime
    lines: list[JsonLine]
    tags: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


ORDER = Order(
    7,
    "Ann",
    Address("1 High Street", "Leeds", "LS1"),
    dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC),
    [Line(f"sku{number}", number, number * 1.5) for number in range(10)],
    ["new", "paid"],
    {"parcels": 2},
)


def measure(bench: Bench) -> list[Row]:
    """Speed of at least 0.9 times msgspec's is a time of at most 1.11 times its."""
    ours = codec(Order)
    body = ours.encode(ORDER)
    what = f"JSON of {len(body)} bytes decoded into a record with ten records in it"
    rows = [_beside(bench, "schema_json", f"{what}, beside msgspec", ours.decode, _msgspec(), body, _REACH)]
    if importlib.util.find_spec("pydantic") is None:
        note = "pydantic is not installed"
        return [
            *rows,
            Row("schema_pydantic", "the same beside pydantic", "ms", None, None, None, "–", None, None, note),
        ]
    name, what = "schema_pydantic", "the same beside pydantic"
    return [*rows, _beside(bench, name, what, ours.decode, _pydantic(), body, _REACH_OF_PYDANTIC)]


def _beside(
    bench: Bench,
    name: str,
    what: str,
    ours: Callable[[bytes], object],
    other: Callable[[bytes], object],
    body: bytes,
    reach: float,
) -> Row:
    turns = in_turn(timed(lambda: ours(body)), timed(lambda: other(body)), bench.scale)
    return ratio_row(name, what, turns, 0.5, reach)


def _msgspec() -> Callable[[bytes], object]:
    return msgspec.json.Decoder(JsonOrder).decode


def _pydantic() -> Callable[[bytes], object]:
    """Models with the fields of msgspec's dataclasses."""
    pydantic = importlib.import_module("pydantic")
    line = pydantic.create_model("Line", sku=str, quantity=int, unitPrice=float, note=(str | None, None))
    address = pydantic.create_model("Address", street=str, city=str, postalCode=str)
    order = pydantic.create_model(
        "Order",
        orderId=int,
        customer=str,
        address=address,
        placedAt=dt.datetime,
        lines=list.__class_getitem__(line),
        tags=(list[str], []),
        counts=(dict[str, int], {}),
    )
    decode: Callable[[bytes], object] = order.model_validate_json
    return decode
