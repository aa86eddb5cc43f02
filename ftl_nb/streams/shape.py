"""What the rows of one stream are: as objects, as record batches, as anything that Arrow can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import Any

import pyarrow as pa

from ftl_nb import schema
from ftl_nb.binding.resources import externals
from ftl_nb.binding.streams import element, in_batches
from ftl_nb.errors import FtlError, fail
from ftl_nb.schema.arrow import BATCH_ROWS, ArrowError, ArrowRows, arrow_rows
from ftl_nb.streams.batches import BATCH_BYTES
from ftl_nb.streams.holding import Holder, Within

#: A batch of objects has at most so many times the rows of the one before, since how large they are is known from that.
_GROWTH = 8
#: Batches that are made ahead of the one that is being sent.
_AHEAD = 2


class Shape:
    """One side of a verb: `annotation` is its `Stream[T]` or `ArrowStream[T]`, `words` are how errors call it."""

    def __init__(self, rows: ArrowRows, annotation: Any, words: str) -> None:
        self.schema = rows.schema
        self.in_batches = in_batches(annotation)
        self._rows = rows
        self._words = words

    def batches(self, values: Any, within: Within = nullcontext) -> Iterator[pa.RecordBatch]:
        """Batches of what a verb gives or a caller hands over: objects, batches, tables, whatever Arrow can read.

        The values are iterated over `within()`, objects in a thread of their own. Raises what they raise, after what
        came before; FtlError `stream-row` for an object of another type, `stream-schema` for a batch of another.
        """
        found = self._iterator(values)
        if self.in_batches or hasattr(values, "__arrow_c_stream__"):
            return self._of_tables(_each(found, within))
        return self._held(Holder(found, within))

    def _held(self, holder: Holder) -> Iterator[pa.RecordBatch]:
        row = 0
        for held in holder.lists():
            if _is_arrow(held[0]):
                holder.size = _AHEAD
                yield from self._of_tables(held)
                continue
            batch = self._batch(held, row)
            holder.size = min(BATCH_ROWS, _GROWTH * len(held), max(1, BATCH_BYTES * len(held) // max(1, batch.nbytes)))
            row += len(held)
            yield batch

    def _iterator(self, values: Any) -> Iterator[Any]:
        if hasattr(values, "__arrow_c_stream__"):
            return iter(pa.RecordBatchReader.from_stream(values))
        if isinstance(values, str | bytes) or not isinstance(values, Iterable):
            detail = f"{type(values).__name__} cannot be iterated over"
            raise fail("stream-schema", stream=self._words, detail=detail)
        return iter(values)

    def _of_tables(self, values: Iterable[Any]) -> Iterator[pa.RecordBatch]:
        for value in values:
            if isinstance(value, pa.RecordBatch):
                yield self._fitting(value)
            elif hasattr(value, "__arrow_c_stream__"):
                yield from map(self._fitting, pa.RecordBatchReader.from_stream(value))
            elif hasattr(value, "__arrow_c_array__"):
                yield self._fitting(pa.record_batch(value))
            else:
                detail = f"{type(value).__name__} is no record batch"
                raise fail("stream-schema", stream=self._words, detail=detail)

    def _batch(self, values: list[Any], row: int) -> pa.RecordBatch:
        try:
            return self._rows.batch(values)
        except ArrowError as e:
            raise self._refused(e, row) from None

    def _refused(self, error: ArrowError, row: int) -> FtlError:
        index, _, path = error.path.removeprefix("[").partition("]")
        number = row + int(index) if index.isdigit() else row
        where = f"row {number:,}{', ' + path.lstrip('.') if path else ''}"
        return fail("stream-row", stream=self._words, where=where, detail=error.message)

    def _fitting(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.schema.equals(self.schema):
            return batch
        try:
            return batch.select(self.schema.names).cast(self.schema).replace_schema_metadata(self.schema.metadata)
        except (pa.ArrowException, KeyError) as e:
            raise fail("stream-schema", stream=self._words, detail=str(e).strip("'\"")) from None

    def rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Any]:
        """The objects of batches. Raises FtlError `stream-row`."""
        row = 0
        for batch in batches:
            try:
                found = self._rows.rows(batch)
            except ArrowError as e:
                raise self._refused(e, row) from None
            row += len(found)
            yield from found

    def given(self, batches: Iterator[pa.RecordBatch]) -> Iterator[Any]:
        """Batches in the form that the annotation says."""
        return map(self._fitting, batches) if self.in_batches else self.rows(batches)


def _each(values: Iterator[Any], within: Within) -> Iterator[Any]:
    while True:
        with within():
            value = next(values, None)
        if value is None:
            return
        yield value


def _is_arrow(value: Any) -> bool:
    return hasattr(value, "__arrow_c_array__") or hasattr(value, "__arrow_c_stream__")


def shape_of(system: schema.Schema, stream: schema.Type, annotation: Any, words: str) -> Shape:
    """The shape of a stream of a schema, which is validated; `annotation` is its Python side."""
    if not isinstance(stream, schema.Stream):
        raise TypeError(f"{words} is no stream")
    return Shape(arrow_rows(system, stream.element, element(annotation), externals()), annotation, words)
