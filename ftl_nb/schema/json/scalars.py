"""The primitive types: Int, Float, String, Bytes, Bool, Time, Unit."""

from __future__ import annotations

import base64
import binascii
import datetime
import math
import numbers
import operator
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

from ftl_nb.schema.json.errors import Mismatch, refused_json, refused_value
from ftl_nb.schema.json.shape import Shape

LEAST, MOST = -(2**63), 2**63 - 1
_INT_TEST = f"{{x}}.__class__ is int and {LEAST} <= {{x}} <= {MOST}"
#: A larger number is not written out: Python refuses to, from 4300 digits on.
_SHOWN_BITS = 512
_MINUTE = datetime.timedelta(minutes=1)


def encode_int(value: Any) -> int:
    """Whole numbers of any kind that say so through `__index__` (numpy's too); a bool is none."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise refused_value("Int", value)
    return _in_range(operator.index(value))


def decode_int(raw: Any) -> int:
    if raw.__class__ is int:
        return _in_range(raw)
    if raw.__class__ is float and raw.is_integer():
        return _in_range(int(raw))
    raise refused_json("Int", raw) if raw.__class__ is not float else Mismatch(f"expected Int, got {raw!r}")


def _in_range(value: int) -> int:
    if not LEAST <= value <= MOST:
        shown = value if value.bit_length() < _SHOWN_BITS else f"a number of {value.bit_length():,} bits"
        raise Mismatch(f"expected Int, got {shown}, which does not fit into 64 bits")
    return int(value)


def encode_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise refused_value("Float", value)
    return _finite(value)


def _finite(value: numbers.Real | int) -> float:
    try:
        number = float(value)
    except OverflowError as error:
        raise Mismatch("expected Float, got a number out of its range") from error
    if not math.isfinite(number):
        raise Mismatch(f"expected Float, got {number}, which JSON cannot carry")
    return number


def decode_float(raw: Any) -> float:
    if raw.__class__ is float:
        return raw
    if raw.__class__ is int:
        return _finite(raw)
    raise refused_json("Float", raw)


def encode_str(value: Any) -> str:
    if not isinstance(value, str):
        raise refused_value("String", value)
    return str(value.value) if isinstance(value, Enum) else str.__str__(value)


def decode_str(raw: Any) -> str:
    if raw.__class__ is not str:
        raise refused_json("String", raw)
    return raw


def encode_bool(value: Any) -> bool:
    if value.__class__ is not bool:
        raise refused_value("Bool", value)
    return value


def decode_bool(raw: Any) -> bool:
    if raw.__class__ is not bool:
        raise refused_json("Bool", raw)
    return raw


def encode_bytes(value: Any) -> str:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise refused_value("Bytes", value)
    return base64.b64encode(value).decode("ascii")


def decode_bytes(raw: Any) -> bytes:
    if raw.__class__ is not str:
        raise refused_json("Bytes", raw)
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Mismatch("expected Bytes, got a string that is not standard base64") from error


def encode_time(value: Any) -> str:
    """RFC 3339 with the fraction's trailing zeros cut, `Z` for UTC; an offset of broken minutes is written in UTC."""
    if not isinstance(value, datetime.datetime):
        raise refused_value("Time", value)
    offset = value.utcoffset()
    if offset is None:
        raise Mismatch("expected Time, got a datetime without a timezone")
    text = (value.astimezone(datetime.UTC) if offset % _MINUTE else value).isoformat()
    moment, zone = (text[:-6], text[-6:])
    if "." in moment:
        moment = moment.rstrip("0").rstrip(".")
    return moment + ("Z" if zone == "+00:00" else zone)


def time_decoder() -> Callable[[Any], datetime.datetime]:
    """A function from RFC 3339 text; digits past the microsecond are rounded."""
    import msgspec

    convert, failure = msgspec.convert, msgspec.ValidationError

    def decode(raw: Any) -> datetime.datetime:
        if raw.__class__ is not str:
            raise refused_json("Time", raw)
        try:
            moment: datetime.datetime = convert(raw, datetime.datetime)
        except failure as error:
            raise Mismatch(f"expected Time, got {raw!r}, which is not RFC 3339") from error
        if moment.tzinfo is None:
            raise Mismatch(f"expected Time, got {raw!r}, which has no offset")
        return moment

    return decode


def encode_unit(value: Any) -> dict[str, object]:
    if value is not None:
        raise refused_value("Unit", value)
    return {}


def decode_unit(raw: Any) -> None:
    if raw.__class__ is not dict:
        raise refused_json("Unit", raw)


class Zeroed(Shape):
    """A type whose key may be missing: it then stands for `zero`."""

    def __init__(self, shape: Shape, zero: Callable[[], object]) -> None:
        super().__init__(shape.name, shape.encode, shape.decode, native=shape.native)
        self._zero = zero

    def default(self) -> Callable[[], object] | None:
        return self._zero


def scalar_shapes() -> dict[object, Shape]:
    """The shape of each primitive Python type."""
    from msgspec import Meta

    whole, instant = Annotated[int, Meta(ge=LEAST, le=MOST)], Annotated[datetime.datetime, Meta(tz=True)]
    finite = "{x}.__class__ is float and {x} - {x} == 0.0"
    return {
        int: Shape("Int", encode_int, decode_int, _INT_TEST, _INT_TEST, whole),
        float: Shape("Float", encode_float, decode_float, finite, "{x}.__class__ is float", float),
        str: Shape("String", encode_str, decode_str, "{x}.__class__ is str", "{x}.__class__ is str", str),
        bool: Shape("Bool", encode_bool, decode_bool, "{x}.__class__ is bool", "{x}.__class__ is bool", bool),
        bytes: Zeroed(Shape("Bytes", encode_bytes, decode_bytes, native=bytes), bytes),
        datetime.datetime: Shape("Time", encode_time, time_decoder(), native=instant),
        type(None): Zeroed(Shape("Unit", encode_unit, decode_unit), lambda: None),
    }
