"""The wire of a raw database handle: bound parameters one way, rows with their types the other.

JSON has no bytes, times and decimals, and a raw statement has no schema that would tell them from texts: as parameters
they are tagged (`{"$time": "2026-01-02T03:04:05Z"}`), in rows the answer names each column's schema type.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


def encode_parameters(parameters: Mapping[str, object] | Sequence[object]) -> bytes:
    """A mapping for `@name` parameters, a sequence for `?`. Raises TypeError for a value that no database takes."""
    import msgspec

    if isinstance(parameters, Mapping):
        return msgspec.json.encode({name: _tag(value) for name, value in parameters.items()})
    return msgspec.json.encode([_tag(value) for value in parameters])


def decode_parameters(body: bytes) -> dict[str, Any] | list[Any]:
    """The inverse of `encode_parameters`; an empty body is no parameters. Raises ValueError."""
    import msgspec

    raw = msgspec.json.decode(body) if body else {}
    if isinstance(raw, dict):
        return {name: _untag(value) for name, value in raw.items()}
    if isinstance(raw, list):
        return [_untag(value) for value in raw]
    raise ValueError("parameters are a JSON object or a JSON list")


def encode_rows(columns: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """`columns` are the statement's own names, `types` schema types as text, `rows` values that JSON has."""
    import msgspec

    return msgspec.json.encode({"columns": columns, "types": types, "rows": rows})


def decode_rows(body: bytes) -> list[dict[str, Any]]:
    """One mapping a row, by column name; times are aware datetimes, bytes are bytes."""
    import msgspec

    raw = msgspec.json.decode(body)
    columns = [(name, _READERS.get(type_)) for name, type_ in zip(raw["columns"], raw["types"], strict=True)]
    return [
        {name: read(v) if read and v is not None else v for v, (name, read) in zip(row, columns, strict=True)}
        for row in raw["rows"]
    ]


def parse_time(text: str) -> datetime:
    """RFC 3339, the same without a zone (UTC) or with a blank for the T, or a date (midnight UTC), else ValueError."""
    value = datetime.fromisoformat(text)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _tag(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, list | tuple):
        return [_tag(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _tag(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"a {type(value).__name__} is not a value that a database takes")


_TAGS: dict[str, Callable[[str], object]] = {
    "$bytes": base64.b64decode,
    "$time": parse_time,
    "$date": date.fromisoformat,
    "$decimal": Decimal,
}
_READERS: dict[str, Callable[[str], object]] = {"Time": parse_time, "Bytes": base64.b64decode}


def _untag(value: object) -> object:
    if isinstance(value, list):
        return [_untag(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (read := _TAGS.get(next(iter(value)))) is not None:
        return read(next(iter(value.values())))
    return {key: _untag(item) for key, item in value.items()}
