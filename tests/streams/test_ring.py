"""Memory that a writer and a reader of one host share."""

from __future__ import annotations

import gc
import os

import pyarrow as pa
import pytest

from ftl_nb.rpc import stream_pb2
from ftl_nb.streams.ring import SLOT_BYTES, SLOTS, Ring, View, opened


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def view(ring: Ring) -> View:
    found = opened(ring.offer)
    assert found is not None
    return found


def batch(number: int, rows: int = 1000) -> pa.RecordBatch:
    return pa.record_batch({"n": pa.array([number] * rows)})


def written(ring: Ring, number: int) -> stream_pb2.Frame.Slot:
    """The slot of a batch."""
    found = ring.write(batch(number), lambda: True)
    assert found is not None
    return stream_pb2.Frame.Slot(index=found[0], size=found[1])


def first(buffer: pa.Buffer) -> int:
    with pa.ipc.open_stream(buffer) as reader:
        value: int = reader.read_next_batch()["n"][0].as_py()
    return value


def test_a_reader_says_that_it_has_the_memory(ring: Ring) -> None:
    assert not ring.mapped
    assert opened(ring.offer) is not None
    assert ring.mapped


def test_batches_are_read_where_they_were_written(ring: Ring, view: View) -> None:
    for number in range(3 * SLOTS):
        assert first(view.read(written(ring, number))) == number


def test_a_slot_is_free_once_nothing_looks_into_it(ring: Ring, view: View) -> None:
    kept = view.read(written(ring, 1))
    assert written(ring, 2).index != 0
    del kept
    gc.collect()
    assert written(ring, 3).index == 0


def test_a_reader_that_keeps_batches_holds_half_of_the_slots(ring: Ring, view: View) -> None:
    kept = [view.read(written(ring, number)) for number in range(5 * SLOTS)]
    assert [first(buffer) for buffer in kept] == list(range(5 * SLOTS))


def test_a_writer_waits_for_a_slot_until_nobody_wants_it(ring: Ring) -> None:
    for number in range(SLOTS):
        written(ring, number)
    asked: list[int] = []

    def wanted() -> bool:
        asked.append(1)
        return len(asked) < 3

    assert ring.write(batch(9), wanted) is None
    assert len(asked) == 3


def test_a_batch_that_fits_into_no_slot_is_not_written(ring: Ring) -> None:
    assert ring.write(batch(1, rows=SLOT_BYTES // 8 + 1), lambda: True) is None
    assert written(ring, 2).index == 0


def test_what_is_no_ring_is_not_opened(ring: Ring) -> None:
    there = ring.offer
    wrong = stream_pb2.Frame.Ring(pid=there.pid, fd=there.fd, token=b"x" * 16, slots=SLOTS, slot_size=SLOT_BYTES)
    assert opened(wrong) is None
    assert opened(stream_pb2.Frame.Ring(pid=there.pid, fd=there.fd, token=there.token, slots=1, slot_size=1)) is None
    assert opened(stream_pb2.Frame.Ring(pid=2**22 + 1, fd=3)) is None
    assert not ring.mapped


def test_the_memory_is_gone_with_its_users() -> None:
    before = set(os.listdir("/proc/self/fd"))
    made = Ring()
    view = opened(made.offer)
    assert view is not None
    buffer = view.read(written(made, 7))
    del made, view
    assert first(buffer) == 7
    del buffer
    gc.collect()
    assert set(os.listdir("/proc/self/fd")) == before
    with open("/proc/self/maps") as maps:
        assert "ftl-stream" not in maps.read()
