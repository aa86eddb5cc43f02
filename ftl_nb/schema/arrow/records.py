"""Columns of data and of enums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from typing import Any, NamedTuple

import pyarrow as pa

from ftl_nb.schema.arrow import table
from ftl_nb.schema.arrow.column import Column, Part
from ftl_nb.schema.arrow.containers import spread
from ftl_nb.schema.json.data import maker, refusal_of
from ftl_nb.schema.json.enums import variant_name
from ftl_nb.schema.json.errors import Mismatch, refused_value
from ftl_nb.schema.json.hints import FieldHint


class FieldColumn(NamedTuple):
    """A field of a dataclass and its column."""

    hint: FieldHint
    column: Column


class DataColumn(Column):
    """Objects of a dataclass, as a struct; `columns` and `rows` are the same as columns of a batch."""

    def __init__(self, arrow: pa.DataType, cls: type, parts: tuple[FieldColumn, ...]) -> None:
        super().__init__(cls.__name__, arrow)
        self._class = cls
        self._parts = parts
        self._make = maker(cls, tuple(part.hint for part in parts))
        self._refusal = refusal_of(cls)

    def write(self, values: list[Any]) -> pa.Array:
        self.refuse_others(values)
        if not self._parts:
            return pa.array([{}] * len(values), self.arrow)
        return pa.StructArray.from_arrays(self.columns(values), fields=list(self.arrow))

    def columns(self, values: list[Any]) -> list[pa.Array]:
        self.refuse_others(values)
        return [part.column.write([getattr(value, part.hint.name) for value in values]) for part in self._parts]

    def refuse_others(self, values: list[Any]) -> None:
        if not all(issubclass(cls, self._class) for cls in set(map(type, values))):
            raise next(self._refusal(self.name, value) for value in values if not isinstance(value, self._class))

    def read(self, array: pa.Array) -> list[Any]:
        self.refuse_nulls(array)
        if not pa.types.is_struct(array.type):
            raise Mismatch(f"expected {self.name}, got {array.type}")
        return self.rows(array, len(array))

    def rows(self, found: pa.Array | pa.RecordBatch, count: int) -> list[Any]:
        """Of a struct's children or a batch's columns. Those without a field are skipped, as codecs skip keys."""
        columns = [self._column(part, found, count) for part in self._parts]
        return list(map(self._make, *columns)) if columns else [self._make() for _ in range(count)]

    def _column(self, part: FieldColumn, found: pa.Array | pa.RecordBatch, count: int) -> list[Any]:
        child = _child(found, part.hint.schema_name)
        if child is not None:
            return part.column.read(child)
        default = part.hint.default or part.column.default()
        if default is None and count:
            raise Mismatch(f"there is no column {part.hint.schema_name}")
        return [default() for _ in range(count)] if default else []

    def value_parts(self, value: Any) -> Iterator[Part]:
        for hint, column in self._parts if isinstance(value, self._class) else ():
            yield f".{hint.schema_name}", column, getattr(value, hint.name)

    def array_parts(self, array: pa.Array | pa.RecordBatch) -> Iterator[Part]:
        for hint, column in self._parts:
            child = _child(array, hint.schema_name)
            if child is not None:
                yield f".{hint.schema_name}", column, child


def _child(found: pa.Array | pa.RecordBatch, name: str) -> pa.Array | None:
    if isinstance(found, pa.RecordBatch):
        index = found.schema.get_field_index(name)
        return found.column(index) if index >= 0 else None
    known = isinstance(found, pa.StructArray) and found.type.get_field_index(name) >= 0
    return found.field(name) if known else None


class EnumColumn(Column):
    """Members of a value enum, as a dictionary of all its values."""

    def __init__(self, arrow: pa.DataType, cls: type[Enum], values: tuple[object, ...]) -> None:
        super().__init__(cls.__name__, arrow)
        self._class = cls
        self._values = pa.array(values, arrow.value_type)
        self._places = {value: place for place, value in enumerate(values)}
        self._members = {member.value: member for member in cls}

    def write(self, values: list[Any]) -> pa.Array:
        if not set(map(type, values)) <= {self._class}:
            raise next(refused_value(self.name, value) for value in values if not isinstance(value, self._class))
        places = [self._places.get(value.value) for value in values]
        if None in places:
            raise self._unknown(values[places.index(None)].value)
        return pa.DictionaryArray.from_arrays(pa.array(places, table.INDEX), self._values)

    def read(self, array: pa.Array) -> list[Any]:
        self.refuse_nulls(array)
        if not isinstance(array, pa.DictionaryArray):
            array = array.dictionary_encode()
        members = [self._members.get(value) for value in array.dictionary.to_pylist()]
        found = [members[place] for place in array.indices.to_pylist()]
        if None in found:
            raise self._unknown(array[found.index(None)].as_py())
        return found

    def _unknown(self, value: object) -> Mismatch:
        return Mismatch(f"{value} is not a valid variant of enum {self.name}")


class VariantColumn(NamedTuple):
    """A variant of a type enum: the class of its values in Python, and the column of what it holds."""

    name: str
    cls: type
    column: Column

    def held(self, value: Any) -> Any:
        """What a stand-in stands for; any other value itself."""
        return value if variant_name(self.cls) is None else getattr(value, fields(self.cls)[0].name)

    def values(self, held: list[Any]) -> list[Any]:
        return held if variant_name(self.cls) is None else list(map(self.cls, held))


class TypeEnumColumn(Column):
    """Values of one of several classes: a tag, and of each variant a child that is null in the rows of others."""

    def __init__(self, arrow: pa.DataType, variants: tuple[VariantColumn, ...]) -> None:
        super().__init__(" | ".join(variant.name for variant in variants), arrow)
        self._variants = variants
        self._names = pa.array([variant.name for variant in variants], table.STRING)
        self._by_class = {variant.cls: place for place, variant in enumerate(variants)}

    def write(self, values: list[Any]) -> pa.Array:
        places = [self._place(value) for value in values]
        tags = pa.DictionaryArray.from_arrays(pa.array(places, table.INDEX), self._names)
        children = [self._written(place, values, places) for place in range(len(self._variants))]
        return pa.StructArray.from_arrays([tags, *children], fields=list(self.arrow))

    def _place(self, value: object) -> int:
        exact = self._by_class.get(type(value))
        if exact is not None:
            return exact
        for cls, place in self._by_class.items():
            if isinstance(value, cls):
                return place
        raise refused_value(self.name, value)

    def _written(self, place: int, values: list[Any], places: list[int]) -> pa.Array:
        variant, present = self._variants[place], [other == place for other in places]
        held = [variant.held(value) for value, there in zip(values, present, strict=True) if there]
        return spread(variant.column.write(held), present)

    def read(self, array: pa.Array) -> list[Any]:
        self.refuse_nulls(array)
        names = self._tags(array)
        found: list[Any] = [None] * len(array)
        for variant in self._variants:
            rows = [row for row, name in enumerate(names) if name == variant.name]
            if rows:
                held = variant.column.read(array.field(variant.name).take(pa.array(rows, pa.int64())))
                for row, value in zip(rows, variant.values(held), strict=True):
                    found[row] = value
        return found

    def _tags(self, array: pa.Array) -> list[str]:
        tag = _child(array, table.TAG)
        if tag is None:
            raise Mismatch(f"expected {self.name} with a child {table.TAG}, got {array.type}")
        names: list[str] = tag.to_pylist()
        known = {variant.name for variant in self._variants if _child(array, variant.name) is not None}
        for name in names:
            if name not in known:
                raise Mismatch(f"no enum variant found by name {name}, there is {self.name}")
        return names

    def value_parts(self, value: Any) -> Iterator[Part]:
        for variant in self._variants:
            if isinstance(value, variant.cls):
                yield "", variant.column, variant.held(value)
