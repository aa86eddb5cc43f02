"""Messages over Unix sockets: whole, in pieces, and what is none."""

from __future__ import annotations

import selectors
import socket
import struct
from collections.abc import Iterator

import pytest

from ftl_nb.cluster import peer as peers
from ftl_nb.cluster.peer import Peer
from ftl_nb.cluster.wire import Inbox, Malformed, Message, pack, receive

HELLO = {"op": "hello", "id": "a"}
NONSENSE = [
    struct.pack("!I", 3) + b"\xc1\xc1\xc1",
    struct.pack("!I", 1) + b"\x07",
    struct.pack("!I", 0xFFFFFFFF) + b"x",
    b"GET / HTTP/1.1\r\n\r\n",
]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_pieces_become_messages_when_they_are_whole() -> None:
    inbox = Inbox()
    sent = pack(HELLO) + pack({"op": "renew"})
    got = [message for i in range(len(sent)) for message in inbox.feed(sent[i : i + 1])]
    assert got == [HELLO, {"op": "renew"}]


@pytest.mark.parametrize("raw", NONSENSE)
def test_nonsense_is_refused_by_both_readers(raw: bytes, pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(Malformed):
        list(Inbox(1 << 16).feed(raw))
    ours, theirs = pair
    theirs.sendall(raw)
    with pytest.raises(Malformed):
        receive(ours)


def test_a_peer_that_does_not_read_blocks_nobody_and_is_cut_off(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "OUTBOX_LIMIT", 1 << 20)
    with selectors.DefaultSelector() as selector:
        peer = Peer(pair[0], selector, "client")
        for _ in range(100):
            peer.send({"op": "x", "body": b"0" * (1 << 16)})
        _, alive = peer.read()
        assert not alive
        peer.close()


def test_what_did_not_fit_goes_out_when_the_peer_reads_again(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    with selectors.DefaultSelector() as selector:
        peer = Peer(ours, selector, "control")
        sent = [{"op": "x", "number": n, "body": b"0" * (1 << 16)} for n in range(20)]
        for message in sent:
            peer.send(message)
        inbox = Inbox()
        got: list[Message] = []
        while len(got) < len(sent):
            got += list(inbox.feed(theirs.recv(1 << 16)))
            peer.flush()
        assert got == sent
        assert selector.get_key(ours).events == selectors.EVENT_READ
        peer.close()


def test_what_a_peer_said_before_it_went_is_heard(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    with selectors.DefaultSelector() as selector:
        peer = Peer(ours, selector, "zygote")
        theirs.sendall(pack(HELLO) * 3)
        theirs.close()
        assert peer.read_rest() == [HELLO] * 3
        peer.close()


def test_a_peer_that_goes_with_messages_waiting_is_noticed(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    with selectors.DefaultSelector() as selector:
        peer = Peer(ours, selector, "client")
        while selector.get_key(ours).events == selectors.EVENT_READ:
            peer.send({"op": "x", "body": b"0" * (1 << 16)})
        theirs.close()
        peer.flush()
        assert selector.get_key(ours).events == selectors.EVENT_READ
        assert peer.read() == ([], False)
        peer.close()
