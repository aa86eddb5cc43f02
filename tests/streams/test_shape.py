"""Values of one type as batches and back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice, pairwise
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from ftl_nb import schema
from ftl_nb.binding import ArrowStream, Stream
from ftl_nb.errors import FtlError
from ftl_nb.streams import Shape, StreamResult, shape_of

SYSTEM = schema.parse(
    """
    realm play {
      module shop {
        data Row {
          n Int
          word String
        }
      }
    }
    """
)


@dataclass
class Row:
    n: int
    word: str


def shape(annotation: Any = Stream[Row]) -> Shape:
    return shape_of(SYSTEM, schema.Stream(schema.Ref("shop", "Row")), annotation, "the rows")


def rows(many: int) -> Iterator[Row]:
    return (Row(n, f"w{n}") for n in range(many))


def test_objects_go_there_and_back() -> None:
    assert list(shape().rows(shape().batches(rows(1000)))) == list(rows(1000))


def test_numbers_are_rows_too() -> None:
    numbers = shape_of(SYSTEM, schema.Stream(schema.Int()), Stream[int], "the numbers")
    assert list(numbers.rows(numbers.batches(iter(range(5))))) == [0, 1, 2, 3, 4]


def test_batches_grow_with_what_comes() -> None:
    sizes = [batch.num_rows for batch in shape().batches(rows(200_000))]
    assert sum(sizes) == 200_000
    assert max(sizes) <= 65_536
    assert sizes[0] == 1
    assert all(size <= 8 * before for before, size in pairwise(sizes))


def test_large_values_come_in_small_batches() -> None:
    made = shape().batches(Row(n, "x" * 4_000_000) for n in range(12))
    assert max(batch.num_rows for batch in made) <= 3


def test_a_value_is_on_its_way_while_the_next_one_takes_its_time() -> None:
    go = threading.Event()

    def slow() -> Iterator[Row]:
        yield from rows(3)
        assert go.wait(20)
        yield Row(3, "late")

    found = shape().rows(shape().batches(slow()))
    assert [row.n for row in islice(found, 3)] == [0, 1, 2]
    go.set()
    assert [row.n for row in found] == [3]


def test_who_stops_reading_ends_the_values() -> None:
    ended = threading.Event()

    def endless() -> Iterator[Row]:
        try:
            yield from (Row(n, "") for n in count())
        finally:
            ended.set()

    made = shape().batches(endless())
    next(made)
    made.close()  # type: ignore[attr-defined]
    assert ended.wait(20)


def test_values_are_made_within() -> None:
    inside = threading.local()

    @contextmanager
    def within() -> Iterator[None]:
        inside.here = True
        yield
        inside.here = False

    def values() -> Iterator[Row]:
        for row in rows(3):
            assert inside.here
            yield row

    assert len(list(shape().rows(shape().batches(values(), within)))) == 3


def test_an_error_comes_after_what_was_before_it() -> None:
    def broken() -> Iterator[Row]:
        yield from rows(5)
        raise RuntimeError("broken")

    found: list[int] = []
    with pytest.raises(RuntimeError, match="broken"):
        found.extend(row.n for row in shape().rows(shape().batches(broken())))
    assert found == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("wrong", [5, "text", b"bytes", None])
def test_what_cannot_be_iterated_over_is_refused(wrong: Any) -> None:
    with pytest.raises(FtlError, match="cannot be iterated over"):
        list(shape().batches(wrong))


def test_a_value_of_another_type_is_told_with_its_row() -> None:
    def odd() -> Iterator[Any]:
        for n in range(100_000):
            yield Row(n, "x") if n != 70_000 else Row(n, 5)  # type: ignore[arg-type]

    with pytest.raises(FtlError, match=r"the rows does not fit its type at row 70,000, word") as caught:
        list(shape().batches(odd()))
    assert caught.value.slug == "stream-row"


def test_columns_are_taken_by_name_and_cast() -> None:
    frame = pd.DataFrame({"word": ["a"], "more": [1.5], "n": [7]}).astype({"n": "int32"})
    assert list(shape().rows(shape().batches(frame))) == [Row(7, "a")]


def test_a_batch_of_another_type_is_refused() -> None:
    with pytest.raises(FtlError) as caught:
        list(shape().batches(pa.table({"n": ["not a number"], "word": ["a"]})))
    assert caught.value.slug == "stream-schema"
    with pytest.raises(FtlError, match="int is no record batch"):
        list(shape(ArrowStream[Row]).batches([5]))


def test_a_result_is_given_as_its_annotation_says() -> None:
    objects = StreamResult[Row]("rows", shape(), shape().batches(rows(3)))
    assert next(objects) == Row(0, "w0")
    batches = StreamResult[Any]("rows", shape(ArrowStream[Row]), shape().batches(rows(3)))
    assert isinstance(next(batches), pa.RecordBatch)


def test_a_result_is_read_by_whatever_reads_arrow() -> None:
    result = StreamResult[Row]("rows", shape(), shape().batches(rows(10)))
    assert pa.table(result)["n"].to_pylist() == list(range(10))
    assert (result.num_rows, result.schema.names) == (10, ["n", "word"])
