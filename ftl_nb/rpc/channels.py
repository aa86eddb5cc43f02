"""The one way to a peer: mutual TLS 1.3 to a loopback address, with the callee pinned by its identity."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ftl_nb.rpc.identity import Identity, Leaf
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.types import Channel
from ftl_nb.rpc.wire import CHANNEL_OPTIONS

#: A channel to a callee that has gone is closed so much later: who had found the way there before may still use it, and
#: a version that is replaced has fewer seconds than these for the calls that it has.
LINGER_SECONDS = 60.0


class Credentials:
    """Holds this process's current certificate; whoever renews it swaps it in. Shared by servers and channels."""

    def __init__(self, leaf: Leaf) -> None:
        self._leaf = leaf

    @property
    def leaf(self) -> Leaf:
        return self._leaf

    @property
    def identity(self) -> Identity:
        return self._leaf.identity

    def replace(self, leaf: Leaf) -> None:
        """New connections use `leaf`; open ones live on. Raises ValueError for a leaf of somebody else."""
        if leaf.identity != self.identity:
            raise ValueError(f"{leaf.identity} cannot stand in for {self.identity}")
        self._leaf = leaf


def dial(endpoint: str, callee: Identity, credentials: Credentials) -> Channel:
    """A channel to `endpoint` (`127.0.0.1:PORT`); connects on its first call, and only to `callee`.

    It keeps the certificate it was made with for reconnecting: what lives longer than a certificate takes its
    channels from `Channels`.
    """
    leaf = credentials.leaf
    secure = grpc.ssl_channel_credentials(leaf.ca_pem, leaf.key_pem, leaf.certificate_pem)
    pinned = ("grpc.ssl_target_name_override", callee.dns)
    channel: Channel = grpc.secure_channel(endpoint, secure, (*CHANNEL_OPTIONS, pinned))
    return channel


class Channels:
    """One channel a callee, shared by all threads, dialled anew after the certificate was renewed.

    A channel that a renewal replaced stays open until the next one, half a certificate's life later, so that no
    call in flight is cut.
    """

    def __init__(
        self,
        credentials: Credentials,
        dial: Callable[[str, Identity, Credentials], Channel] = dial,
        linger: float = LINGER_SECONDS,
    ) -> None:
        self._credentials = credentials
        self._linger = linger
        self._dial = dial
        self._lock = threading.Lock()
        self._leaf = credentials.leaf
        self._open: dict[tuple[str, Identity], Channel] = {}
        self._replaced: list[Channel] = []
        self._parting: list[tuple[float, Channel]] = []

    def to(self, endpoint: str, callee: Identity) -> Channel:
        """The channel to `callee` at `endpoint`; dialled on first use."""
        if self._leaf is self._credentials.leaf and (found := self._open.get((endpoint, callee))) is not None:
            return found
        with self._lock:
            if self._leaf is not self._credentials.leaf:
                self._retire()
            channel = self._open.get((endpoint, callee))
            if channel is None:
                channel = self._open[endpoint, callee] = self._dial(endpoint, callee, self._credentials)
            return channel

    def drop(self, endpoint: str, callee: Identity) -> None:
        """Close the channel to a callee that is gone; its calls in flight are cancelled."""
        with self._lock:
            channel = self._open.pop((endpoint, callee), None)
        if channel is not None:
            channel.close()

    def outgrow(self, endpoint: str, callee: Identity) -> list[Channel]:
        """The callee is being replaced: the channel serves who still comes, a while. Those closed for good by now."""
        with self._lock:
            self._part(self._open.get((endpoint, callee)))
            return self._parted()

    def leave(self, endpoint: str, callee: Identity) -> list[Channel]:
        """Dial anew for the next call; calls in flight on the channel of now learn for themselves what became of it.

        The answer are those closed for good by now.
        """
        with self._lock:
            self._part(self._open.pop((endpoint, callee), None))
            return self._parted()

    def _part(self, channel: Channel | None) -> None:
        if channel is not None and all(channel is not known for _, known in self._parting):
            self._parting.append((time.monotonic() + self._linger, channel))

    def _parted(self) -> list[Channel]:
        now = time.monotonic()
        gone = [channel for until, channel in self._parting if until <= now]
        if gone:
            self._parting = [(until, channel) for until, channel in self._parting if until > now]
            self._open = {key: channel for key, channel in self._open.items() if channel not in gone}
        for channel in gone:
            channel.close()
        return gone

    def close(self) -> None:
        with self._lock:
            channels = [*self._open.values(), *self._replaced, *(channel for _, channel in self._parting)]
            self._open, self._replaced, self._parting = {}, [], []
        for channel in channels:
            channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _retire(self) -> None:
        for channel in self._replaced:
            channel.close()
        self._replaced, self._open = list(self._open.values()), {}
        self._leaf = self._credentials.leaf
