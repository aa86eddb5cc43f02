"""What travels on a stream between two verbs: messages `Frame` of `stream.proto`, those with data written by hand.

Protocol Buffers would copy the data once more on either side; here it is written behind its head, and looked into in
place.
"""

from __future__ import annotations

from ftl_nb.rpc import stream_pb2, verb_pb2

#: The fields `data`, `done` and `ending`, whose length and bytes follow.
_DATA, _DONE, _ENDING = b"\x1a", b"\x22", b"\x2a"
_VARINT = 0x7F
#: Bytes before the data.
HEAD = 5


def opening(request: verb_pb2.CallRequest) -> bytes:
    """The first frame of a caller. `request.body` is empty where the verb's request is a stream."""
    return stream_pb2.Frame(opening=request).SerializeToString()


def ending(response: verb_pb2.CallResponse) -> bytes:
    """The last frame of a callee."""
    return stream_pb2.Frame(ending=response).SerializeToString()


TAKEN = stream_pb2.Frame(taken=stream_pb2.Frame.Taken()).SerializeToString()
DONE = stream_pb2.Frame(done=stream_pb2.Frame.Done()).SerializeToString()


def head(size: int) -> bytes:
    """What stands before `size` bytes of data: HEAD bytes, the length with zeros ahead, which is a length as well."""
    digits = [size >> 7 * place & _VARINT for place in range(HEAD - 1)]
    return bytes((_DATA[0], *(digit | 0x80 for digit in digits[:-1]), digits[-1]))


def data(stream: bytes | memoryview) -> bytes:
    """A frame with an Arrow IPC stream of one batch, of less than 256 MiB."""
    return b"".join((head(len(stream)), stream))


def data_of(frame: bytes) -> memoryview | None:
    """What is in a frame with data, not copied; None for any other frame."""
    if frame[:1] != _DATA:
        return None
    start = next(i for i in range(1, len(frame)) if frame[i] <= _VARINT) + 1
    return memoryview(frame)[start:]


def is_done(frame: bytes) -> bool:
    """Whether it is the last frame of a request."""
    return frame[:1] == _DONE


def is_ending(frame: bytes) -> bool:
    """Whether it is the last frame of a callee."""
    return frame[:1] == _ENDING


def ring(made: stream_pb2.Frame.Ring) -> bytes:
    """Where batches are put from now on."""
    return stream_pb2.Frame(ring=made).SerializeToString()


def slot(index: int, size: int) -> bytes:
    """A batch is in the ring."""
    return stream_pb2.Frame(slot=stream_pb2.Frame.Slot(index=index, size=size)).SerializeToString()


def read(frame: bytes) -> stream_pb2.Frame:
    """Any other frame. Raises `google.protobuf.message.DecodeError`."""
    return stream_pb2.Frame.FromString(frame)
