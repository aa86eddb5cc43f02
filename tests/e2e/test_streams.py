"""Verbs whose request or response is a stream, on real processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from e2e.driver import Notebook, System
from ftl_nb.errors import FtlError

FEED = """
    %%ftl_module feed
    import time
    from dataclasses import dataclass
    from itertools import count as numbers

    import ftl_nb as ftl
    from ftl_nb import ArrowStream, Stream

    made = 0

    @dataclass
    class Row:
        n: int
        word: str

    @ftl.verb(export=True)
    def rows(count: int) -> Stream[Row]:
        for i in range(count):
            yield Row(i, f"w{i}")
        print("made", count)

    @ftl.verb(export=True)
    def listed(count: int) -> Stream[int]:
        return list(range(count))

    @ftl.verb(export=True)
    def total(rows: Stream[Row]) -> int:
        return sum(row.n for row in rows)

    @ftl.verb(export=True)
    def doubled(rows: Stream[Row]) -> Stream[Row]:
        for row in rows:
            yield Row(row.n * 2, row.word)

    @ftl.verb(export=True)
    def big(rows: ArrowStream[Row]) -> ArrowStream[Row]:
        import pyarrow.compute as pc

        for batch in rows:
            yield batch.filter(pc.greater(batch["n"], 9))

    @ftl.verb(export=True)
    def sizes(rows: ArrowStream[Row]) -> list[int]:
        return [batch.num_rows for batch in rows]

    @ftl.verb(export=True)
    def failing(count: int) -> Stream[Row]:
        yield from (Row(i, "x") for i in range(count))
        raise ValueError("the end")

    @ftl.verb(export=True)
    def odd(count: int) -> Stream[Row]:
        for i in range(count):
            yield Row(i, "x" if i != 10_000 else None)  # type: ignore

    @ftl.verb(export=True)
    def slowly(count: int) -> Stream[int]:
        for i in range(count):
            yield i
            time.sleep(0.05)

    @ftl.verb(export=True)
    def endless(size: int) -> Stream[str]:
        global made
        for made in numbers(1):
            yield "x" * size

    @ftl.verb(export=True)
    def made_so_far() -> int:
        return made

    @ftl.verb(export=True)
    def first_two(rows: Stream[Row]) -> int:
        found = iter(rows)
        return next(found).n + next(found).n

    @ftl.verb(export=True)
    def died(count: int) -> Stream[int]:
        import os

        yield from range(count)
        time.sleep(0.2)
        os._exit(9)
"""
READER = """
    %%ftl_module reader
    import ftl_nb as ftl
    from ftl_nb import Stream
    from ftl_nb.modules import feed

    @ftl.verb(export=True)
    def piped(n: int) -> int:
        return sum(row.n for row in feed.doubled(feed.rows(n)))

    @ftl.verb(export=True)
    def evens(n: int) -> Stream[int]:
        for row in feed.rows(n):
            if row.n % 2 == 0:
                yield row.n

    @ftl.verb(export=True)
    def own(n: int) -> int:
        return sum(evens(n))
"""


@pytest.fixture(scope="module")
def feed(system: System) -> Notebook:
    """A notebook with modules that stream."""
    system.notebook.run(FEED).ok  # noqa: B018
    system.notebook.run(READER).ok  # noqa: B018
    return system.notebook


def verb(feed: Notebook, name: str) -> Any:
    return feed.value(name)


def row_of(feed: Notebook) -> Any:
    return feed.value("Row")


def test_the_schema_says_what_streams(feed: Notebook) -> None:
    text = feed.run("%ftl schema feed").ok.text
    assert "export verb rows(Int) stream feed.Row" in text
    assert "export verb doubled(stream feed.Row) stream feed.Row" in text
    assert "export verb sizes(stream feed.Row) [Int]" in text


def test_objects_come_one_after_the_other(feed: Notebook) -> None:
    row = row_of(feed)
    assert list(verb(feed, "rows")(3)) == [row(0, "w0"), row(1, "w1"), row(2, "w2")]
    assert list(verb(feed, "listed")(4)) == [0, 1, 2, 3]
    assert list(verb(feed, "rows")(0)) == []


def test_a_stream_is_a_table_and_a_frame(feed: Notebook) -> None:
    table = verb(feed, "rows")(100_000).arrow()
    assert table.num_rows == 100_000
    assert table.schema.names == ["n", "word"]
    frame = verb(feed, "rows")(3).df()
    assert frame.to_dict("list") == {"n": [0, 1, 2], "word": ["w0", "w1", "w2"]}


def test_a_stream_is_written_to_parquet(feed: Notebook, tmp_path: Any) -> None:
    assert verb(feed, "rows")(1000).to_parquet(tmp_path / "rows.parquet") == 1000
    assert pd.read_parquet(tmp_path / "rows.parquet")["n"].sum() == 499_500


def test_whatever_arrow_reads_can_be_handed_over(feed: Notebook) -> None:
    frame = pd.DataFrame({"n": [1, 2, 3], "word": ["a", "b", "c"]})
    table = pa.Table.from_pandas(frame)
    row = row_of(feed)
    given: list[Any] = [frame, table, table.to_batches(), (row(n, "x") for n in (1, 2, 3)), [row(6, "y")]]
    assert [verb(feed, "total")(one) for one in given] == [6] * 5
    assert verb(feed, "total")(verb(feed, "rows")(4)) == 6
    assert verb(feed, "total")([]) == 0


def test_batches_are_filtered_as_batches(feed: Notebook) -> None:
    assert verb(feed, "big")(verb(feed, "rows")(12)).df()["n"].tolist() == [10, 11]


def test_a_large_table_is_cut_into_batches(feed: Notebook) -> None:
    table = pa.table({"n": range(150_000), "word": ["x"] * 150_000})
    assert verb(feed, "sizes")(table) == [65_536, 65_536, 18_928]


def test_verbs_pipe_into_each_other(feed: Notebook) -> None:
    assert verb(feed, "piped")(1000) == 999_000
    assert list(verb(feed, "evens")(7)) == [0, 2, 4, 6]
    assert verb(feed, "own")(7) == 12


def test_what_is_printed_comes_with_the_end(feed: Notebook) -> None:
    assert feed.run("len(list(rows(2)))").ok.stdout == "made 2\n"


def test_an_error_comes_after_what_was_sent_before_it(feed: Notebook) -> None:
    got: list[Any] = []
    with pytest.raises(FtlError, match=r"feed\.failing raised ValueError: the end") as caught:
        got.extend(verb(feed, "failing")(3))
    assert [row.n for row in got] == [0, 1, 2]
    assert '"<feed/module>", line' in caught.value.remote


def test_a_value_of_another_type_is_told_with_its_row(feed: Notebook) -> None:
    with pytest.raises(FtlError, match=r"response of feed\.odd does not fit its type at row 10,000, word"):
        list(verb(feed, "odd")(20_000))


def test_a_request_that_does_not_fit_is_refused_here(feed: Notebook) -> None:
    with pytest.raises(FtlError, match=r"request of feed\.total does not fit its type at row 1") as caught:
        verb(feed, "total")([row_of(feed)(1, "a"), 7])
    assert caught.value.slug == "stream-row"
    with pytest.raises(FtlError, match="int cannot be iterated over"):
        verb(feed, "total")(5)
    with pytest.raises(FtlError, match="word"):
        verb(feed, "total")(pd.DataFrame({"n": [1]}))


def test_what_the_callers_own_iterator_raises_is_what_the_call_raises(feed: Notebook) -> None:
    def broken() -> Iterator[Any]:
        yield row_of(feed)(1, "a")
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        verb(feed, "total")(broken())
    assert verb(feed, "total")([]) == 0


def test_slow_values_are_not_held_back(feed: Notebook) -> None:
    began = time.monotonic()
    first = next(verb(feed, "slowly")(100))
    assert (first, time.monotonic() - began < 2) == (0, True)


def test_a_slow_reader_stops_the_maker(feed: Notebook) -> None:
    stream = verb(feed, "endless")(100_000)
    next(stream)
    settled = wait_until_still(verb(feed, "made_so_far"))
    assert settled < 2000
    assert len(list(islice(stream, 2 * settled))) == 2 * settled
    stream.cancel()


def test_who_stops_reading_ends_the_maker(feed: Notebook) -> None:
    with verb(feed, "endless")(10) as stream:
        next(stream)
    so_far = verb(feed, "made_so_far")
    assert wait_until_still(so_far) == so_far()


def wait_until_still(number: Callable[[], int]) -> int:
    """A number once it no longer grows."""
    before, pause = -1, threading.Event()
    while (now := number()) != before:
        before = now
        pause.wait(0.3)
    return now


def test_a_verb_need_not_read_all(feed: Notebook) -> None:
    row = row_of(feed)
    assert verb(feed, "first_two")(row(n, "endless") for n in count()) == 1


def test_a_dead_runner_is_a_named_error(feed: Notebook) -> None:
    got: list[int] = []
    with pytest.raises(FtlError) as caught:
        got.extend(verb(feed, "died")(3))
    assert (caught.value.slug, got) == ("runner-lost", [0, 1, 2])
    assert list(verb(feed, "listed")(2)) == [0, 1]


def test_a_stream_is_read_once(feed: Notebook) -> None:
    stream = verb(feed, "rows")(2)
    assert stream.arrow().num_rows == 2
    with pytest.raises(FtlError, match="read already"):
        stream.arrow()
    assert list(stream) == []
    assert repr(stream) == "<stream of feed.rows: 2 rows so far>"


def test_a_deadline_is_of_the_whole_stream(feed: Notebook) -> None:
    with pytest.raises(FtlError) as caught:
        list(verb(feed, "slowly").with_timeout(0.3)(1000))
    assert caught.value.slug == "deadline"


def test_a_trace_has_the_streams(feed: Notebook) -> None:
    verb(feed, "piped")(10)
    lines = feed.run("%ftl trace --stable").ok.text.splitlines()
    assert lines[0] == "trace · 3 spans"
    assert [line.split() for line in lines[1:]] == [
        ["verb", "reader.piped"],
        ["stream", "├─", "feed.rows", "10", "rows"],
        ["stream", "└─", "feed.doubled", "20", "rows"],
    ]


def test_a_streaming_verb_is_no_coroutine(feed: Notebook) -> None:
    text = """
        %%ftl_verb --module feed
        async def later(n: int) -> Stream[int]:
            yield n
    """
    refused = feed.run(text).refusal
    assert refused.slug == "stream-async"
    assert refused.place is not None
    assert (refused.place.filename, refused.place.line) == ("<feed/later>", 2)


def test_a_stream_is_a_whole_side_of_a_verb(feed: Notebook) -> None:
    text = """
        %%ftl_verb --module feed
        def nested(n: list[Stream[int]]) -> int:
            return 1
    """
    assert feed.run(text).refusal.slug == "type-unsupported"


def test_what_a_caller_gives_is_type_checked(feed: Notebook) -> None:
    text = """
        %%ftl_verb --module reader
        def wrong(n: int) -> int:
            return feed.total([n])
    """
    assert feed.run(text).refusal.slug == "type-check"


def test_people_call_streams_with_json(feed: Notebook) -> None:
    assert feed.run("%ftl call feed.rows 2").ok.value == [{"n": 0, "word": "w0"}, {"n": 1, "word": "w1"}]
    assert feed.run('%ftl call feed.total [{"n": 4, "word": "a"}, {"n": 5, "word": "b"}]').ok.value == 9
    assert feed.cluster.call("feed.doubled", [{"n": 4, "word": "a"}]) == [{"n": 8, "word": "a"}]
    assert feed.run("%ftl call feed.total 5").refusal.slug == "json-invalid"
    assert "word" in feed.run('%ftl call feed.total [{"n": 4}]').refusal.message
