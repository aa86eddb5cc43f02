"""What travels on a stream between two verbs: messages `Frame` of `stream.proto`, those with data written by hand.

Protocol Buffers would copy the data once more on either side; here it is joined to its head, and looked into in place.
"""

from __future__ import annotations

from ftl_nb.rpc import stream_pb2, verb_pb2

#: The field `data`, whose length and bytes follow.
_DATA = b"\x1a"
_VARINT = 0x7F


def opening(request: verb_pb2.CallRequest) -> bytes:
    """The first frame of a caller. `request.body` is empty where the verb's request is a stream."""
    return stream_pb2.Frame(opening=request).SerializeToString()


def ending(response: verb_pb2.CallResponse) -> bytes:
    """The last frame of a callee."""
    return stream_pb2.Frame(ending=response).SerializeToString()


TAKEN = stream_pb2.Frame(taken=stream_pb2.Frame.Taken()).SerializeToString()
DONE = stream_pb2.Frame(done=stream_pb2.Frame.Done()).SerializeToString()


def data(stream: memoryview) -> bytes:
    """A frame with an Arrow IPC stream of one batch."""
    head, left = bytearray(_DATA), len(stream)
    while left > _VARINT:
        head.append(left & _VARINT | 0x80)
        left >>= 7
    head.append(left)
    return b"".join((head, stream))


def data_of(frame: bytes) -> memoryview | None:
    """What is in a frame with data, not copied; None for any other frame."""
    if frame[:1] != _DATA:
        return None
    start = next(i for i in range(1, len(frame)) if frame[i] <= _VARINT) + 1
    return memoryview(frame)[start:]


def read(frame: bytes) -> stream_pb2.Frame:
    """Any other frame. Raises `google.protobuf.message.DecodeError`."""
    return stream_pb2.Frame.FromString(frame)
