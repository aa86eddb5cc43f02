"""Batches between two processes of one host, through memory that both map: written once, read where they are.

The writer makes the memory, which has no name and is gone with its last user, and tells its reader where it is; a
reader that cannot open it, on another host or of another user, leaves it unmapped, and batches go over the connection.
Who may read is the business of that connection, and of the operating system's rules for `/proc`.
"""

from __future__ import annotations

import mmap
import os
import secrets
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from ftl_nb.rpc import stream_pb2

SLOTS = 8
SLOT_BYTES = 9 * 1024 * 1024
_PAGE = mmap.PAGESIZE
_TOKEN = 16
#: Where the reader writes that it has mapped the memory, and where the states of the slots begin.
_MAPPED, _STATES = _TOKEN, 64
_FREE, _FULL = 0, 1
#: A writer that finds every slot full looks again after so many seconds.
_SOONEST, _LATEST = 0.0001, 0.005


class Ring:
    """The writer's side. Used by one thread."""

    def __init__(self) -> None:
        self._fd = os.memfd_create("ftl-stream", os.MFD_CLOEXEC)
        weakref.finalize(self, os.close, self._fd)
        size = _PAGE + SLOTS * SLOT_BYTES
        os.ftruncate(self._fd, size)
        self._memory = np.frombuffer(mmap.mmap(self._fd, size), np.uint8)
        self._token = secrets.token_bytes(_TOKEN)
        self._memory[:_TOKEN] = np.frombuffer(self._token, np.uint8)
        self._states = self._memory[_STATES : _STATES + SLOTS]

    @property
    def offer(self) -> stream_pb2.Frame.Ring:
        """What the reader is told."""
        return stream_pb2.Frame.Ring(pid=os.getpid(), fd=self._fd, token=self._token, slots=SLOTS, slot_size=SLOT_BYTES)

    @property
    def mapped(self) -> bool:
        """Whether the reader has it before it."""
        return bool(self._memory[_MAPPED])

    def write(self, batch: pa.RecordBatch, wanted: Callable[[], bool]) -> tuple[int, int] | None:
        """Slot and size once there is a free slot; None for a batch that fits into none, and once nobody wants it."""
        index = self._free(wanted)
        if index is None:
            return None
        start = _PAGE + index * SLOT_BYTES
        try:
            sink = pa.FixedSizeBufferWriter(pa.py_buffer(self._memory[start : start + SLOT_BYTES]))
            with pa.ipc.new_stream(sink, batch.schema) as writer:
                writer.write_batch(batch)
        except OSError:
            return None
        self._memory[_STATES + index] = _FULL
        return index, sink.tell()

    def _free(self, wanted: Callable[[], bool]) -> int | None:
        """The first free slot, which is the one that a cache knows; None once nobody wants it.

        Readers give slots back by a byte in memory, of which nobody is told.
        """
        pause, nobody = _SOONEST, threading.Event()
        while (index := self._states.tobytes().find(_FREE)) < 0:
            if not wanted():
                return None
            nobody.wait(pause)
            pause = min(pause * 2, _LATEST)
        return index


class View:
    """The reader's side: batches that look into the memory, whose slots are free when nothing looks any more."""

    def __init__(self, memory: np.ndarray[Any, Any], offer: stream_pb2.Frame.Ring) -> None:
        self._memory = memory
        self._slot_size = offer.slot_size
        self._most = offer.slots // 2
        self._taken = 0

    def read(self, slot: stream_pb2.Frame.Slot) -> pa.Buffer:
        """What is in a slot. Where half of the slots are held already it is copied: its reader keeps batches."""
        start = _PAGE + slot.index * self._slot_size
        part = self._memory[start : start + slot.size]
        if self._taken >= self._most:
            copied = pa.py_buffer(part.tobytes())
            self._give_back(slot.index)
            return copied
        self._taken += 1
        held = _Held(part)
        weakref.finalize(held, self._released, slot.index)
        return pa.foreign_buffer(part.ctypes.data, slot.size, held)

    def _released(self, index: int) -> None:
        self._taken -= 1
        self._give_back(index)

    def _give_back(self, index: int) -> None:
        self._memory[_STATES + index] = _FREE


class _Held:
    """Lives as long as anything looks into a slot."""

    __slots__ = ("__weakref__", "part")

    def __init__(self, part: np.ndarray[Any, Any]) -> None:
        self.part = part


def opened(offer: stream_pb2.Frame.Ring) -> View | None:
    """The reader's side of a ring; None where its memory is not of this host, or cannot be opened."""
    try:
        fd = os.open(f"/proc/{offer.pid}/fd/{offer.fd}", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        size = _PAGE + offer.slots * offer.slot_size
        if os.fstat(fd).st_size != size:
            return None
        memory = np.frombuffer(mmap.mmap(fd, size), np.uint8)
    except OSError:
        return None
    finally:
        os.close(fd)
    if memory[:_TOKEN].tobytes() != offer.token:
        return None
    memory[_MAPPED] = 1
    return View(memory, offer)
