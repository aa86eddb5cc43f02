"""Which types have a codec, types of others, and what codecs keep of any value."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftl_nb.schema.json import Externals, JsonError, UnsupportedType, codec
from schema.records import NOON, UTC, Box, Color, Level, Line, T


class PlainEnum(Enum):
    A = 1


@dataclass
class Unresolved:
    other: Nowhere  # type: ignore[name-defined]  # noqa: F821


@dataclass
class Meeting:
    user_id: int
    userId: int


UNSUPPORTED: list[tuple[Any, str]] = [
    (set[int], "set[int] is not a type of the schema"),
    (tuple[int, str], "tuple[int, str] is not a type of the schema"),
    (complex, "complex is not a type of the schema"),
    (Decimal, "Decimal is not a type of the schema"),
    (PlainEnum, "PlainEnum is not a type of the schema"),
    (list, "list does not say of what: write list[str]"),
    (dict, "dict does not say of what: write dict[str, int]"),
    (dict[float, int], "the keys of dict[float, int] must be str or int"),
    (dict[bool, int], "the keys of dict[bool, int] must be str or int"),
    (int | str, "int in int | str is not a dataclass; members of a union must be"),
    (Box, "Box is generic: name its type arguments, such as Box[int]"),
    (Callable[[int], int], "Callable[[int], int] is not a type of the schema"),
    (Unresolved, "the annotation of Unresolved.other cannot be resolved: name 'Nowhere' is not defined"),
    (Meeting, "the fields 'user_id' and 'userId' of Meeting have the same name in the schema, 'userId'"),
    (
        Union[Box[int], Box[str]],  # noqa: UP007
        "have the same name",
    ),
    ([], "[] is not a type of the schema"),
    (T, "the type variable ~T has no argument here"),
]


@pytest.mark.parametrize(("tp", "message"), UNSUPPORTED, ids=str)
def test_types_without_a_place_in_the_schema(tp: Any, message: str) -> None:
    with pytest.raises(UnsupportedType) as caught:
        codec(tp)
    assert message in str(caught.value)
    with pytest.raises(UnsupportedType):
        codec(tp)


EXTERNALS: Externals = {Decimal: (str, Decimal)}


@dataclass
class Priced:
    amount: Decimal


def test_external_types() -> None:
    priced = codec(Priced, EXTERNALS)
    assert priced.encode(Priced(Decimal("1.10"))) == b'{"amount":"1.10"}'
    assert priced.decode(b'{"amount":"1.10"}') == Priced(Decimal("1.10"))
    with pytest.raises(JsonError, match="amount: expected Decimal, got float"):
        priced.encode(Priced(1.1))  # type: ignore[arg-type]
    with pytest.raises(JsonError, match="amount: expected Decimal, got 'x': InvalidOperation"):
        priced.decode(b'{"amount":"x"}')
    with pytest.raises(JsonError, match="amount: is required"):
        priced.decode(b"{}")


def test_a_registry_that_grows_is_seen() -> None:
    registry: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {}
    with pytest.raises(UnsupportedType):
        codec(complex, registry)
    registry[complex] = (str, complex)
    assert codec(complex, registry).decode(b'"1j"') == 1j


def test_any_writes_typed_values_under_schema_names() -> None:
    value = {"line": Line("tea"), "at": NOON, "raw": b"\x00", "color": Color.RED, "box": Box[int](1)}
    assert codec(Any).encode(value) == (
        b'{"line":{"sku":"tea","unitPrice":1.5},"at":"2024-02-29T12:00:00Z","raw":"AA==","color":"red",'
        b'"box":{"content":1,"spares":[]}}'
    )


class Shout(str):
    __slots__ = ()


def test_kindred_values_become_plain_ones() -> None:
    numpy = pytest.importorskip("numpy")
    assert codec(int).encode(numpy.int64(3)) == b"3"
    assert codec(float).encode(numpy.float32(0.5)) == b"0.5"
    assert codec(float).encode(3) == b"3.0"
    assert codec(int).encode(Level.HIGH) == b"2"
    assert codec(str).encode(Color.RED) == b'"red"'
    assert codec(str).encode(Shout("x")) == b'"x"'


def test_offsets_of_broken_minutes_are_written_in_utc() -> None:
    odd = dt.timezone(dt.timedelta(minutes=53, seconds=28))
    assert codec(dt.datetime).encode(NOON.replace(tzinfo=odd)) == b'"2024-02-29T11:06:32Z"'


def test_what_decodes_does_not_alias() -> None:
    made = codec(Box[list[int]])
    first, second = made.decode(b'{"content":[]}'), made.decode(b'{"content":[]}')
    first.spares.append([1])
    assert second.spares == []


def test_many_threads_build_one_codec() -> None:
    @dataclass
    class Fresh:
        value: int

    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(codec(list[Fresh]).encode([Fresh(1)]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b'[{"value":1}]'] * 8


def test_the_schema_room_imports_no_msgspec() -> None:
    code = "import sys, ftl_nb.schema, ftl_nb.schema.json; print('msgspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


AWARE = st.datetimes(timezones=st.timezones() | st.just(UTC), min_value=dt.datetime(1900, 1, 1))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_floats_survive(values: list[float]) -> None:
    assert codec(list[float]).decode(codec(list[float]).encode(values)) == values


@given(AWARE)
def test_times_survive(moment: dt.datetime) -> None:
    back = codec(dt.datetime).decode(codec(dt.datetime).encode(moment))
    assert back.timestamp() == moment.timestamp()


@given(st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.binary()))
def test_maps_survive(value: dict[int, bytes]) -> None:
    assert codec(dict[int, bytes]).decode(codec(dict[int, bytes]).encode(value)) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    )
)
def test_any_json_survives(value: object) -> None:
    assert codec(Any).decode(codec(Any).encode(value)) == value
