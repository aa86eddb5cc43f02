"""Batches as frames, in pieces, through memory and over a connection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count

import pyarrow as pa
import pytest

from ftl_nb.errors import FtlError
from ftl_nb.rpc import BODY_LIMIT, frames
from ftl_nb.streams.batches import BATCH_BYTES, chunks, received, sent


def batch(rows: int, start: int = 0) -> pa.RecordBatch:
    return pa.record_batch({"n": pa.array(range(start, start + rows)), "word": pa.array(["word"] * rows)})


def kinds(made: Iterator[bytes]) -> list[str]:
    """What each frame is, while a reader takes it."""
    seen: list[str] = []

    def passing() -> Iterator[bytes]:
        for frame in made:
            found = "data" if frames.data_of(frame) is not None else str(frames.read(frame).WhichOneof("value"))
            seen.append(found)
            yield frame

    for _ in received(passing()):
        continue
    return seen


def test_small_batches_go_over_the_connection() -> None:
    assert kinds(sent([batch(10), batch(20)])) == ["data", "data"]


def test_large_batches_go_through_memory_that_both_have() -> None:
    assert kinds(sent([batch(60_000)] * 20)) == ["ring", *["slot"] * 20]


def test_where_the_memory_cannot_be_opened_they_go_over_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftl_nb.streams.ring.os.open", lambda *_: (_ for _ in ()).throw(OSError("not here")))
    assert kinds(sent([batch(60_000)] * 3)) == ["ring", "data", "data", "data"]


def test_all_rows_arrive_in_order() -> None:
    made = [batch(rows, start) for rows, start in ((3, 0), (100_000, 3), (70_000, 100_003))]
    numbers = [n for one in received(sent(made)) for n in one["n"].to_pylist()]
    assert numbers == list(range(170_003))


def test_dictionaries_travel_with_each_batch() -> None:
    words = pa.array(["a", "b", "a"]).dictionary_encode()
    found = list(received(sent([pa.record_batch({"w": words})] * 2)))
    assert [one["w"].to_pylist() for one in found] == [["a", "b", "a"]] * 2


def test_a_batch_is_cut_by_rows_and_by_bytes() -> None:
    assert [one.num_rows for one in chunks(batch(150_000))] == [65_536, 65_536, 18_928]
    wide = pa.record_batch({"b": pa.array([b"x" * 1_000_000] * 20)})
    assert all(one.nbytes <= BATCH_BYTES for one in chunks(wide))
    assert sum(one.num_rows for one in chunks(wide)) == 20
    assert list(chunks(batch(0))) == []


def test_a_row_beyond_the_limit_is_an_error() -> None:
    huge = pa.record_batch({"b": pa.array([os.urandom(1) * (BODY_LIMIT + 1)])})
    with pytest.raises(FtlError) as caught:
        kinds(sent([huge]))
    assert caught.value.slug == "stream-row-too-large"


def test_a_row_that_is_too_large_for_a_slot_goes_over_the_connection() -> None:
    large = pa.record_batch({"b": pa.array([b"x" * 20_000_000])})
    assert kinds(sent([large, large])) == ["ring", "data", "data"]


def test_nothing_is_sent_once_nobody_wants_it() -> None:
    asked = count()
    made = list(sent((batch(10) for _ in count()), lambda: next(asked) < 5))
    assert len(made) == 5


@pytest.mark.parametrize("garbage", [b"", b"garbage", bytes(100)])
def test_what_is_no_batch_is_an_error(garbage: bytes) -> None:
    with pytest.raises(FtlError) as caught:
        list(received([frames.data(garbage)]))
    assert caught.value.slug == "stream-broken"


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 70_000])
def test_a_frame_is_a_message_of_protocol_buffers(size: int) -> None:
    frame = frames.data(b"x" * size)
    assert frames.read(frame).data == b"x" * size
    assert bytes(frames.data_of(frame) or b"") == b"x" * size
    assert frames.data_of(frames.TAKEN) is None
    assert frames.is_done(frames.DONE)
    assert not frames.is_done(frame)
