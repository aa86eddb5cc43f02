"""One connection of the supervisor's loop. Nothing that the other side does, or leaves undone, blocks the loop."""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress

from ftl_nb.cluster.wire import LIMIT, Inbox, Message, pack
from ftl_nb.rpc.identity import Leaf

#: What may wait for a peer that does not read; one that leaves more is cut off.
OUTBOX_LIMIT = 64 << 20
#: The largest message of a peer that has not said who it is, or is a client.
GUEST_LIMIT = 64 << 10


class Peer:
    """A non-blocking socket with its messages. `role` is empty until it has said what it is; `leaf` is a client's, and
    so is `owner`.
    """

    def __init__(self, sock: socket.socket, selector: selectors.BaseSelector, role: str = "") -> None:
        self.role = role
        self.identity = ""
        self.owner = ""
        self.leaf: Leaf | None = None
        self.closed = False
        self._sock = sock
        self._selector = selector
        self._inbox = Inbox(LIMIT if role else GUEST_LIMIT)
        self._outbox = bytearray()
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ, self)

    def trust(self, role: str) -> None:
        """The peer is one of the cluster's own processes: its messages may be large."""
        self.role = role
        self._inbox.limit = LIMIT

    def read(self) -> tuple[list[Message], bool]:
        """The messages that have come, and whether the other side is still there. Raises Malformed."""
        data = self._receive()
        return list(self._inbox.feed(data or b"")), data != b""

    def read_rest(self) -> list[Message]:
        """Everything that a peer had sent before it went. Raises Malformed."""
        found: list[Message] = []
        while not self.closed and (data := self._receive()):
            found += self._inbox.feed(data)
        return found

    def _receive(self) -> bytes | None:
        """Bytes, none at the end, None while there is nothing."""
        try:
            return self._sock.recv(1 << 20)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def send(self, message: Message) -> None:
        """Sends what fits now and keeps the rest; a peer that has gone is noticed by reading from it."""
        if self.closed:
            return
        self._outbox += pack(message)
        self.flush()
        if len(self._outbox) > OUTBOX_LIMIT:
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)

    def flush(self) -> None:
        try:
            with suppress(BlockingIOError):
                while self._outbox:
                    del self._outbox[: self._sock.send(self._outbox)]
        except OSError:
            # It has gone, which is noticed by reading.
            self._outbox.clear()
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outbox else 0)
        if wanted != self._selector.get_key(self._sock).events:
            self._selector.modify(self._sock, wanted, self)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._selector.unregister(self._sock)
            self._sock.close()

    def forget(self) -> None:
        """In a forked child: closes the copy and leaves the parent's selector alone."""
        self._sock.close()
