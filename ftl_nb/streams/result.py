"""What a caller gets of a stream, and a verb of the stream that it takes: read once, as objects or as batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import pyarrow as pa

from ftl_nb.errors import fail

if TYPE_CHECKING:
    import pandas

    from ftl_nb.streams.shape import Shape

T = TypeVar("T")


class StreamResult(Generic[T]):
    """Values of type T as they come. Iterating, or one of the methods, reads it; it is read once.

    Errors of the other side are raised where they come, after what was sent before them. Leaving a `with` block, and
    `cancel`, end the stream early: its maker is cancelled.
    """

    def __init__(
        self, name: str, shape: Shape, batches: Iterator[pa.RecordBatch], cancel: Callable[[], object] = lambda: None
    ) -> None:
        #: How many rows and bytes have come so far.
        self.num_rows = 0
        self.nbytes = 0
        self._name = name
        self._shape = shape
        self._source = batches
        self._cancel = cancel
        self._values: Iterator[Any] | None = None

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of its batches."""
        return self._shape.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as they were sent, in batches of at most 65,536."""
        if self._values is not None:
            raise fail("stream-read", stream=self._name)
        self._values = iter(())
        return self._counted()

    def _counted(self) -> Iterator[pa.RecordBatch]:
        for batch in self._source:
            self.num_rows += batch.num_rows
            self.nbytes += batch.nbytes
            yield batch

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._values is None:
            self._values = self._shape.given(self._counted())
        value: T = next(self._values)
        return value

    def arrow(self) -> pa.Table:
        """All of it, as a table in memory."""
        return pa.Table.from_batches(list(self.batches()), self.schema)

    def df(self) -> pandas.DataFrame:
        """All of it, as a DataFrame in memory."""
        frame: pandas.DataFrame = self.arrow().to_pandas()
        return frame

    def to_parquet(self, path: str | Path) -> int:
        """Writes a Parquet file, batch by batch; how many rows there were."""
        from pyarrow import parquet

        with parquet.ParquetWriter(path, self.schema) as writer:
            for batch in self.batches():
                writer.write_batch(batch)
        return self.num_rows

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """For whatever reads Arrow: pandas, Polars, DuckDB, Ray Data."""
        reader = pa.RecordBatchReader.from_batches(self.schema, self.batches())
        return reader.__arrow_c_stream__(requested_schema)

    def cancel(self) -> None:
        """Ends the stream."""
        self._cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()

    def __repr__(self) -> str:
        return f"<stream of {self._name}: {self.num_rows:,} rows so far>"
