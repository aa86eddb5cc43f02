"""Columns of optionals, lists and maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate, chain, pairwise
from typing import Any

import pyarrow as pa

from ftl_nb.schema.arrow.column import Column, Part
from ftl_nb.schema.arrow.reading import is_list
from ftl_nb.schema.json.errors import Mismatch, refused_value


class OptionalColumn(Column):
    """Values or None: the values alone are written and read, and spread over the rows that have one."""

    def __init__(self, inner: Column) -> None:
        super().__init__(inner.name, inner.arrow)
        self._inner = inner

    def write(self, values: list[Any]) -> pa.Array:
        given = [value for value in values if value is not None]
        dense = self._inner.write(given)
        return dense if len(given) == len(values) else spread(dense, [value is not None for value in values])

    def read(self, array: pa.Array) -> list[Any]:
        if not array.null_count:
            return self._inner.read(array)
        found = iter(self._inner.read(array.drop_null()))
        return [next(found) if valid else None for valid in array.is_valid().to_pylist()]

    def value_parts(self, value: Any) -> Iterator[Part]:
        if value is not None:
            yield "", self._inner, value

    def array_parts(self, array: pa.Array) -> Iterator[Part]:
        yield "", self._inner, array.drop_null()

    def default(self) -> Callable[[], object]:
        return lambda: None


def spread(dense: pa.Array, present: list[bool]) -> pa.Array:
    """The array over as many rows as `present` has, null where there is no value."""
    places = accumulate(present, initial=0)
    indices = [place if there else None for place, there in zip(places, present, strict=False)]
    return dense.take(pa.array(indices, pa.int64()))


class ListColumn(Column):
    """Lists."""

    def __init__(self, arrow: pa.DataType, element: Column) -> None:
        super().__init__(f"[{element.name}]", arrow)
        self._element = element

    def write(self, values: list[Any]) -> pa.Array:
        _refuse_others(self, values, list)
        elements = self._element.write(list(chain.from_iterable(values)))
        return pa.ListArray.from_arrays(_offsets(values), elements, type=self.arrow)

    def read(self, array: pa.Array) -> list[Any]:
        self.refuse_nulls(array)
        ends, elements = self._elements(array)
        found = self._element.read(elements)
        return [found[start:end] for start, end in pairwise(ends)]

    def _elements(self, array: pa.Array) -> tuple[list[int], pa.Array]:
        """Offsets from 0 on, one more than rows, and the elements of all rows."""
        if not is_list(array.type):
            raise Mismatch(f"expected {self.name}, got {array.type}")
        if not isinstance(array, (pa.ListArray, pa.LargeListArray)):
            array = array.cast(pa.list_(array.type.value_field))
        return _cut(array, array.values)

    def value_parts(self, value: Any) -> Iterator[Part]:
        for i, inner in enumerate(value if isinstance(value, list) else ()):
            yield f"[{i}]", self._element, inner

    def array_parts(self, array: pa.Array) -> Iterator[Part]:
        if is_list(array.type) and not array.null_count:
            yield "[]", self._element, self._elements(array)[1]

    def default(self) -> Callable[[], object]:
        return list


class MapColumn(Column):
    """Dictionaries; of a key that a row has twice the last one counts."""

    def __init__(self, arrow: pa.DataType, key: Column, value: Column) -> None:
        super().__init__(f"{{{key.name}: {value.name}}}", arrow)
        self._key = key
        self._value = value

    def write(self, values: list[Any]) -> pa.Array:
        _refuse_others(self, values, dict)
        keys = self._key.write(list(chain.from_iterable(values)))
        items = self._value.write(list(chain.from_iterable(value.values() for value in values)))
        return pa.MapArray.from_arrays(_offsets(values), keys, items, type=self.arrow)

    def read(self, array: pa.Array) -> list[Any]:
        self.refuse_nulls(array)
        if not isinstance(array, pa.MapArray):
            raise Mismatch(f"expected {self.name}, got {array.type}")
        ends, keys = _cut(array, array.keys)
        pairs = list(zip(self._key.read(keys), self._value.read(_cut(array, array.items)[1]), strict=True))
        return [dict(pairs[start:end]) for start, end in pairwise(ends)]

    def value_parts(self, value: Any) -> Iterator[Part]:
        for key, inner in value.items() if isinstance(value, dict) else ():
            yield f"[{key!r}]", self._key, key
            yield f"[{key!r}]", self._value, inner

    def array_parts(self, array: pa.Array) -> Iterator[Part]:
        if isinstance(array, pa.MapArray) and not array.null_count:
            yield "[]", self._key, _cut(array, array.keys)[1]
            yield "[]", self._value, _cut(array, array.items)[1]

    def default(self) -> Callable[[], object]:
        return dict


def _refuse_others(column: Column, values: list[Any], cls: type) -> None:
    for value in values:
        if not isinstance(value, cls):
            raise refused_value(column.name, value)


def _offsets(values: list[Any]) -> pa.Array:
    return pa.array(list(accumulate(map(len, values), initial=0)), pa.int32())


def _cut(array: pa.Array, inner: pa.Array) -> tuple[list[int], pa.Array]:
    """Children of a slice lie somewhere in those of the whole."""
    offsets: list[int] = array.offsets.to_pylist() or [0]
    first = offsets[0]
    return [offset - first for offset in offsets], inner.slice(first, offsets[-1] - first)
