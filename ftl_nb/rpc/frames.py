"""What travels on a stream between two verbs: messages `Frame` of `stream.proto`, those with data written by hand.

Protocol Buffers would copy the data once more on either side; here it is written behind its head, and looked into in
place.
"""

from __future__ import annotations

from ftl_nb.rpc import stream_pb2, verb_pb2

#: The field `data`, whose length and bytes follow.
_DATA = b"\x1a"
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


def read(frame: bytes) -> stream_pb2.Frame:
    """Any other frame. Raises `google.protobuf.message.DecodeError`."""
    return stream_pb2.Frame.FromString(frame)
