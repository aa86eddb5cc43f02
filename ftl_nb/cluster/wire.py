"""Messages between the supervisor and those it serves: a length, then msgpack, over Unix sockets."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import msgspec

Message = dict[str, Any]
_LENGTH = struct.Struct("!I")


def pack(message: Message) -> bytes:
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


def send(to: socket.socket, message: Message) -> None:
    """Sends one message whole, on a blocking socket."""
    to.sendall(pack(message))


def receive(source: socket.socket) -> Message | None:
    """The next message of a blocking socket, None when the other side has closed it."""
    head = _exactly(source, _LENGTH.size)
    if head is None:
        return None
    body = _exactly(source, _LENGTH.unpack(head)[0])
    return None if body is None else msgspec.msgpack.decode(body, type=dict)


def _exactly(source: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = source.recv(min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


class Inbox:
    """Turns the bytes of a non-blocking socket into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        self._bytes += data
        while len(self._bytes) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._bytes)[0]
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_LENGTH.size : end])
            del self._bytes[:end]
            yield msgspec.msgpack.decode(body, type=dict)
