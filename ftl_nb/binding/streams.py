"""Streams in the signature of a verb: many values, one after another, that need not fit in memory.

`Stream[T]` is written against objects, `ArrowStream[T]` against record batches whose rows are of T. Both are the same
in the schema and on the wire, so a caller takes the form that suits it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, get_args, get_origin

if TYPE_CHECKING:
    import pyarrow

T_co = TypeVar("T_co", covariant=True)


class Stream(Protocol[T_co]):
    """What is iterated over for values of type T: a parameter of a verb, or what a generator verb makes."""

    def __iter__(self) -> Iterator[T_co]: ...


class ArrowStream(Protocol[T_co]):
    """The same as `pyarrow.RecordBatch`es, whose schema is that of T."""

    def __iter__(self) -> Iterator[pyarrow.RecordBatch]: ...


class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


class _ArrowBatch(Protocol):
    def __arrow_c_array__(self, requested_schema: object = None) -> object: ...


#: What is handed over for a stream besides its values: whatever gives Arrow's C stream (a table, a DataFrame, a
#: relation of DuckDB, another verb's stream), or record batches. Protocols, since pyarrow has no types of its own.
ArrowReadable: TypeAlias = _ArrowStream | Iterable[_ArrowBatch]


def is_stream(annotation: Any) -> bool:
    """Whether an annotation says `Stream[T]` or `ArrowStream[T]`."""
    return get_origin(annotation) in (Stream, ArrowStream)


def in_batches(annotation: Any) -> bool:
    """Whether it is a stream of record batches."""
    return get_origin(annotation) is ArrowStream


def element(annotation: Any) -> Any:
    """The T of a stream's annotation."""
    return get_args(annotation)[0]
