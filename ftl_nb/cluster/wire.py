"""Messages between the supervisor and those it serves: a length, then msgpack, over Unix sockets."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import msgspec

Message = dict[str, Any]
_LENGTH = struct.Struct("!I")
#: The largest message in bytes: a fork carries the whole schema and a module's text.
LIMIT = 256 << 20


class Malformed(ValueError):
    """What came is no message."""


def pack(message: Message) -> bytes:
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


def send(to: socket.socket, message: Message) -> None:
    """Sends one message whole, on a blocking socket."""
    to.sendall(pack(message))


def receive(source: socket.socket) -> Message | None:
    """The next message of a blocking socket, None when the other side has closed it. Raises Malformed."""
    head = _exactly(source, _LENGTH.size)
    if head is None:
        return None
    body = _exactly(source, _length(head, LIMIT))
    return None if body is None else _decode(body)


def _exactly(source: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = source.recv(min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _length(head: bytes | bytearray, limit: int) -> int:
    found = int(_LENGTH.unpack_from(head)[0])
    if found > limit:
        raise Malformed(f"a message of {found} bytes, where {limit} is the most")
    return found


def _decode(body: bytes) -> Message:
    try:
        return msgspec.msgpack.decode(body, type=Message)
    except msgspec.MsgspecError as e:
        raise Malformed(str(e)) from None


class Inbox:
    """Turns the bytes of a non-blocking socket into messages of at most `limit` bytes each."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole with `data`. Raises Malformed."""
        self._bytes += data
        while len(self._bytes) >= _LENGTH.size:
            end = _LENGTH.size + _length(self._bytes, self.limit)
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_LENGTH.size : end])
            del self._bytes[:end]
            yield _decode(body)
