"""A column: the values of one type, all at once, to an Arrow array and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pyarrow as pa

from ftl_nb.schema.json.errors import JsonError, Mismatch

#: What writing a column of wrong values raises, here or in Arrow; `AttributeError` is of a value of another class.
WRITE_ERRORS = (Mismatch, JsonError, pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError, KeyError)
READ_ERRORS = (Mismatch, JsonError, pa.ArrowException, TypeError, ValueError, OverflowError)
Part: TypeAlias = "tuple[str, Column, Any]"


class ArrowError(ValueError):
    """Rows or a batch that are not of their type; `path` is in schema names (`[3].lines[0].sku`), empty for a batch."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class Column(ABC):
    """`write` makes an array of as many values, `read` a list of as many as the array has; both raise what is above.

    Neither records where a value is wrong: `locate` finds out once one was refused.
    """

    def __init__(self, name: str, arrow: pa.DataType) -> None:
        self.name = name
        self.arrow = arrow

    @abstractmethod
    def write(self, values: list[Any]) -> pa.Array: ...

    @abstractmethod
    def read(self, array: pa.Array) -> list[Any]: ...

    def value_parts(self, value: Any) -> Iterator[Part]:
        """Path segment, column and value of each part of a value; nothing for a value of another type."""
        return iter(())

    def array_parts(self, array: pa.Array) -> Iterator[Part]:
        """The same of an array's children."""
        return iter(())

    def default(self) -> Callable[[], object] | None:
        """What each row has where the column is not there; nothing when it must be."""
        return None

    def refuse_nulls(self, array: pa.Array) -> None:
        if array.null_count:
            raise Mismatch(f"expected {self.name}, got null")

    def failure(self, error: Exception) -> str:
        """What is wrong, in our words where they are known."""
        if isinstance(error, UnicodeEncodeError):
            return f"a text is not valid Unicode: {error.reason}"
        if isinstance(error, (Mismatch, pa.ArrowException)):
            return str(error)
        return f"expected {self.name}: {error}"


def locate(column: Column, value: Any) -> tuple[str, Column]:
    """The path of the first part that cannot be written, and its column; empty when it is the value itself."""
    for segment, part, inner in column.value_parts(value):
        if _fails(part.write, [inner], WRITE_ERRORS):
            path, deepest = locate(part, inner)
            return segment + path, deepest
    return "", column


def locate_array(column: Column, array: pa.Array) -> tuple[str, Column]:
    """The same for reading."""
    for segment, part, inner in column.array_parts(array):
        if _fails(part.read, inner, READ_ERRORS):
            path, deepest = locate_array(part, inner)
            return segment + path, deepest
    return "", column


def _fails(convert: Callable[[Any], object], given: Any, errors: tuple[type[Exception], ...]) -> bool:
    try:
        convert(given)
    except errors:
        return True
    return False
