"""Columns of the types without parts."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from ftl_nb.schema.arrow import table
from ftl_nb.schema.arrow.column import Column
from ftl_nb.schema.arrow.reading import is_bytes, is_instant, is_text
from ftl_nb.schema.json.codec import Codec
from ftl_nb.schema.json.errors import JsonError, Mismatch, refused_value
from ftl_nb.schema.json.scalars import encode_bool, encode_int, encode_str
from ftl_nb.schema.nodes import types

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_Test = Callable[[pa.DataType], bool]


class ScalarColumn(Column):
    """Values that Arrow takes as they are when all are of exactly one class; else each is looked at."""

    def __init__(self, name: str, arrow: pa.DataType, exact: type, one: Callable[[Any], Any], accepts: _Test) -> None:
        super().__init__(name, arrow)
        self._exact = exact
        self._one = one
        self._accepts = accepts

    def write(self, values: list[Any]) -> pa.Array:
        if not set(map(type, values)) <= {self._exact}:
            values = self._each(values)
        try:
            return pa.array(values, self.arrow)
        except (OverflowError, pa.ArrowException):
            self._each(values)
            raise

    def _each(self, values: list[Any]) -> list[Any]:
        return [self._one(value) for value in values]

    def read(self, array: pa.Array) -> list[Any]:
        found: list[Any] = self.whole(array).to_pylist()
        return found

    def whole(self, array: pa.Array) -> pa.Array:
        """The array in the column's own type. Narrower types of the same kind are taken; nulls are not."""
        self.refuse_nulls(array)
        if array.type == self.arrow:
            return array
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if not self._accepts(array.type):
            raise Mismatch(f"expected {self.name}, got {array.type}")
        return array.cast(self.arrow, safe=not pa.types.is_timestamp(array.type))


class TimeColumn(ScalarColumn):
    """Instants; a zone other than UTC is not kept."""

    def write(self, values: list[Any]) -> pa.Array:
        exact = set(map(type, values)) <= {datetime.datetime}
        if not exact or None in map(datetime.datetime.utcoffset, values):
            values = self._each(values)
        return pa.array([(value - _EPOCH) // _MICROSECOND for value in values], table.INT).cast(self.arrow)

    def read(self, array: pa.Array) -> list[Any]:
        since = self.whole(array).cast(table.INT).to_pylist()
        return [_EPOCH + datetime.timedelta(microseconds=number) for number in since]


class UnitColumn(Column):
    """None."""

    def __init__(self) -> None:
        super().__init__("Unit", table.UNIT)

    def write(self, values: list[Any]) -> pa.Array:
        for value in values:
            if value is not None:
                raise refused_value("Unit", value)
        return pa.nulls(len(values))

    def read(self, array: pa.Array) -> list[Any]:
        if array.null_count < len(array):
            raise Mismatch(f"expected Unit, got {array.type}")
        return [None] * len(array)


class JsonColumn(Column):
    """Values as JSON text: of any type, and of a data inside itself."""

    def __init__(self, codec: Codec) -> None:
        super().__init__("Any", table.JSON)
        self._codec = codec

    def write(self, values: list[Any]) -> pa.Array:
        encode = self._codec.encode
        return pa.ExtensionArray.from_storage(self.arrow, pa.array([encode(value) for value in values], table.STRING))

    def read(self, array: pa.Array) -> list[Any]:
        self.refuse_nulls(array)
        storage = array.storage if isinstance(array, pa.ExtensionArray) else array
        if not is_text(storage.type):
            raise Mismatch(f"expected JSON as text, got {array.type}")
        decode = self._codec.decode
        return [decode(text) for text in storage.cast(table.BYTES).to_pylist()]

    def failure(self, error: Exception) -> str:
        return str(error) if isinstance(error, JsonError) else super().failure(error)


def scalar(of: types.Type) -> Column:
    """The column of a type without parts that is no `Any`."""
    make = _COLUMNS[type(of)]
    return make()


def _float(value: Any) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise refused_value("Float", value)
    try:
        return float(value)
    except OverflowError as error:
        raise Mismatch("expected Float, got a number out of its range") from error


def _bytes(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise refused_value("Bytes", value)
    return bytes(value)


def _time(value: Any) -> datetime.datetime:
    if not isinstance(value, datetime.datetime):
        raise refused_value("Time", value)
    if value.utcoffset() is None:
        raise Mismatch("expected Time, got a datetime without a timezone")
    return value


def _is_number(of: pa.DataType) -> bool:
    return bool(pa.types.is_floating(of) or pa.types.is_integer(of))


_COLUMNS: dict[type, Callable[[], Column]] = {
    types.Int: lambda: ScalarColumn("Int", table.INT, int, encode_int, pa.types.is_integer),
    types.Float: lambda: ScalarColumn("Float", table.FLOAT, float, _float, _is_number),
    types.String: lambda: ScalarColumn("String", table.STRING, str, encode_str, is_text),
    types.Bytes: lambda: ScalarColumn("Bytes", table.BYTES, bytes, _bytes, is_bytes),
    types.Bool: lambda: ScalarColumn("Bool", table.BOOL, bool, encode_bool, pa.types.is_boolean),
    types.Time: lambda: TimeColumn("Time", table.TIME, datetime.datetime, _time, is_instant),
    types.Unit: UnitColumn,
}
