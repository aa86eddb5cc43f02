"""Values between JSON and DuckDB, by type: one converter a type, made once.

A converter of None means that the value goes as it is. Converters raise ValueError with what is wrong.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from ftl_nb.binding.rows import parse_time
from ftl_nb.databases.duckdb.types import NativeType, field_names, table

Converter = Callable[[Any], Any]

_EPOCH = date(1970, 1, 1)
_INT = range(-(2**63), 2**63)


def to_json(native: NativeType, rename: bool = True) -> Converter | None:
    """From the engine's value to one that JSON has. `rename`: members of structs get their schema names."""
    if native.kind in ("LIST", "ARRAY"):
        return _list_to_json(_inner(native.member("child"), rename))
    if native.kind == "MAP":
        value = _inner(native.member("value"), rename)
        return lambda v: {str(k): _present(value(item), "map value") for k, item in v.items()}
    if native.kind == "STRUCT":
        return _struct_to_json(native, rename)
    return _TO_JSON.get(native.kind)


def from_json(native: NativeType) -> Converter:
    """From JSON's value to what the engine is given."""
    if native.kind in ("LIST", "ARRAY"):
        element = from_json(native.member("child"))
        return lambda v: [element(_present(item, "list element")) for item in _of(v, list, "a list")]
    if native.kind == "MAP" and native.member("key").kind == "VARCHAR":
        value = from_json(native.member("value"))
        return lambda v: {k: value(_present(i, "map value")) for k, i in _of(v, dict, "an object").items()}
    if native.kind == "STRUCT":
        return _struct_from_json(native)
    return _FROM_JSON.get(native.kind) or _FROM_JSON_BY_SCHEMA[table()[native.kind]["schema"]]


def _inner(native: NativeType, rename: bool) -> Converter:
    convert = to_json(native, rename)
    return (lambda v: v) if convert is None else (lambda v: None if v is None else convert(v))


def _list_to_json(element: Converter) -> Converter:
    return lambda v: [_present(element(item), "list element") for item in v]


def _struct_to_json(native: NativeType, rename: bool) -> Converter:
    sources = [name for name, _ in native.members]
    targets = field_names(iter(sources)) if rename else sources
    members = [(s, t, _inner(m, rename)) for s, t, (_, m) in zip(sources, targets, native.members, strict=True)]
    return lambda v: {target: convert(v[source]) for source, target, convert in members}


def _struct_from_json(native: NativeType) -> Converter:
    fields = field_names(name for name, _ in native.members)
    members = [(f, name, from_json(m)) for f, (name, m) in zip(fields, native.members, strict=True)]

    def convert(value: object) -> dict[str, object]:
        given = _of(value, dict, "an object")
        return {name: None if given.get(f) is None else inner(given[f]) for f, name, inner in members}

    return convert


def _present(value: object, what: str) -> Any:
    if value is None:
        raise ValueError(f"a {what} is NULL, which its type does not allow")
    return value


def _of(value: object, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{what} is expected, not {_shown(value)}")
    return value


def _shown(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 40 else f"{text[:37]}…"


def _whole(value: int) -> int:
    if value not in _INT:
        raise ValueError(f"{value} is past the 64 bits of Int; cast the column to VARCHAR")
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON number")
    return value


def _day(value: date | str) -> str:
    return f"{_in_years(value).isoformat()}T00:00:00Z"


def _instant(value: datetime | str) -> datetime:
    instant: datetime = _in_years(value)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _in_years(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f"{value} is outside of the years 1 to 9999")
    return value


def _clock(value: time | str) -> datetime:
    instant = _instant(datetime.combine(_EPOCH, _in_years(value)))
    return instant.replace(year=1970, month=1, day=1)


def _duration(value: timedelta) -> str:
    """DuckDB's own text: days, and the rest as a clock."""
    sign, rest = ("-", -value) if value < timedelta(0) else ("", value)
    clock = str(rest - timedelta(days=rest.days)).zfill(8)
    if not rest.days:
        return sign + clock
    days = f"{sign}{rest.days} day{'' if rest.days == 1 else 's'}"
    return days if clock == "00:00:00" else f"{days} {sign}{clock}"


def _given_int(value: object) -> int:
    if type(value) is not int or value not in _INT:
        raise ValueError(f"a whole number of 64 bits is expected, not {_shown(value)}")
    return value


def _given_float(value: object) -> float:
    if type(value) is not float and type(value) is not int:
        raise ValueError(f"a number is expected, not {_shown(value)}")
    return float(value)


def _given_bytes(value: object) -> bytes:
    return base64.b64decode(_of(value, str, "base64 text"), validate=True)


def _given_time(value: object) -> datetime:
    try:
        return parse_time(_of(value, str, "a time"))
    except ValueError:
        raise ValueError(f"a time is expected (RFC 3339), not {_shown(value)}") from None


_TO_JSON: dict[str, Converter] = {
    "UBIGINT": _whole, "HUGEINT": _whole, "UHUGEINT": _whole,
    "FLOAT": _finite, "DOUBLE": _finite,
    "DATE": _day, "TIME": _clock, "TIME_NS": _clock, "TIME WITH TIME ZONE": _clock,
    "TIMESTAMP": _instant, "TIMESTAMP_S": _instant, "TIMESTAMP_MS": _instant, "TIMESTAMP_NS": _instant,
    "TIMESTAMP WITH TIME ZONE": _instant, "TIMESTAMPTZ_NS": _instant,
    "INTERVAL": _duration,
    "JSON": lambda v: msgspec.Raw(v.encode()),
}  # fmt: skip

_FROM_JSON: dict[str, Converter] = {
    "DATE": lambda v: _given_time(v).date(),
    "TIME": lambda v: _given_time(v).time(),
    "TIME_NS": lambda v: _given_time(v).time(),
    "TIME WITH TIME ZONE": lambda v: _given_time(v).timetz(),
    "TIMESTAMP": lambda v: _given_time(v).replace(tzinfo=None),
    "JSON": lambda v: msgspec.json.encode(v).decode(),
}

_FROM_JSON_BY_SCHEMA: dict[str, Converter] = {
    "Bool": lambda v: _of(v, bool, "true or false"),
    "Int": _given_int,
    "Float": _given_float,
    "String": lambda v: _of(v, str, "a text"),
    "Bytes": _given_bytes,
    "Time": _given_time,
    "Any": lambda v: v,
}
