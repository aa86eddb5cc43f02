"""Record batches on the wire: each an Arrow IPC stream of its own, small enough to pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from ftl_nb.errors import fail
from ftl_nb.rpc import frames
from ftl_nb.rpc.wire import BODY_LIMIT
from ftl_nb.schema.arrow import BATCH_ROWS
from ftl_nb.streams.ring import Ring, View, opened

#: Bytes that a batch is cut down to where its rows allow.
BATCH_BYTES = 8 * 1024 * 1024
_FIRST_ROOM = 64 * 1024
#: Batches of fewer bytes are as fast over the connection.
_RING_BYTES = 128 * 1024


def chunks(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Slices of at most BATCH_ROWS rows and about BATCH_BYTES bytes; nothing of an empty batch."""
    if batch.num_rows == 0:
        return
    size = max(1, batch.nbytes // batch.num_rows)
    rows = max(1, min(BATCH_ROWS, BATCH_BYTES // size))
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def sent(batches: Iterable[pa.RecordBatch], wanted: Callable[[], bool] = lambda: True) -> Iterator[bytes]:
    """The batches as frames, until nobody has `wanted` them any more. Raises FtlError `stream-row-too-large`.

    Large ones go through memory that reader and writer share, once the reader has that before it.
    """
    writer, ring = _FrameWriter(), None
    for whole in batches:
        for batch in chunks(whole):
            if batch.nbytes >= _RING_BYTES:
                if ring is None:
                    ring = Ring()
                    yield frames.ring(ring.offer)
                if ring.mapped and (slot := ring.write(batch, wanted)) is not None:
                    yield frames.slot(*slot)
                    continue
            if not wanted():
                return
            yield writer.frame(batch)


class _FrameWriter:
    """Writes each frame into memory that is used again: fresh pages would cost more than all the rest."""

    def __init__(self) -> None:
        self._room = bytearray(_FIRST_ROOM)

    def frame(self, batch: pa.RecordBatch) -> bytes:
        while True:
            try:
                return self._written(batch)
            except OSError:
                # It does not fit.
                if len(self._room) > BODY_LIMIT:
                    raise fail("stream-row-too-large", size=batch.nbytes, limit=BODY_LIMIT) from None
            self._room = bytearray(2 * max(len(self._room), batch.nbytes))

    def _written(self, batch: pa.RecordBatch) -> bytes:
        room = memoryview(self._room)
        sink = pa.FixedSizeBufferWriter(pa.py_buffer(room[frames.HEAD :]))
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        size = sink.tell()
        if size > BODY_LIMIT:
            raise fail("stream-row-too-large", size=size, limit=BODY_LIMIT)
        room[: frames.HEAD] = frames.head(size)
        return bytes(room[: frames.HEAD + size])


def received(incoming: Iterable[bytes]) -> Iterator[pa.RecordBatch]:
    """The batches of frames, which they look into. Raises FtlError `stream-broken`."""
    view: View | None = None
    for frame in incoming:
        data = frames.data_of(frame)
        if data is not None:
            yield from _read(pa.py_buffer(data))
            continue
        control = frames.read(frame)
        if control.HasField("ring"):
            view = opened(control.ring)
        elif view is not None:
            yield from _read(view.read(control.slot))


def _read(buffer: pa.Buffer) -> Iterator[pa.RecordBatch]:
    try:
        yield from pa.ipc.open_stream(buffer)
    except pa.ArrowException as e:
        raise fail("stream-broken", detail=str(e)) from None
