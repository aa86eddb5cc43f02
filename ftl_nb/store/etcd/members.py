"""The members of an etcd: a call goes to one of them, and to the next when that one does not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import Message

from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc.services import Unary
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.types import Channel, Failure
from ftl_nb.rpc.wire import CHANNEL_OPTIONS, Option
from ftl_nb.store.contract import StoreClosedError
from ftl_nb.store.etcd.address import Address

Req = TypeVar("Req", bound=Message)
Res = TypeVar("Res", bound=Message)
#: What is done at a member: its channel, whether an earlier try may still take effect, the seconds it has.
Attempt = Callable[[Channel, bool, float], Res]

#: Of a try in the first round over all members; each round gives twice the time.
_ATTEMPT_SECONDS = 1.0
_PAUSE_SECONDS = 0.05
#: A frozen member is noticed while a watch waits for it. etcd wants at least 5 s between pings.
_LIVELINESS: tuple[Option, ...] = (("grpc.keepalive_time_ms", 6_000), ("grpc.keepalive_timeout_ms", 3_000))
_AWAY = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL", "ABORTED", "UNKNOWN"}
#: Texts of failures after which nothing of the try can happen any more.
_NEVER_TAKEN = ("failed to connect", "no leader", "too many requests")


class EtcdError(Exception):
    """etcd's own answer that something cannot be. `sure` unless an earlier try may have taken effect."""

    def __init__(self, status: str, details: str, sure: bool) -> None:
        super().__init__(f"{status}: {details}")
        self.status, self.details, self.sure = status, details, sure


class Members:
    """Thread-safe. Dials a member when it is first tried."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._credentials = _credentials(address)
        self._channels: dict[str, Channel] = {}
        self._lock = threading.Lock()
        self._turn = 0
        self._patience = address.patience
        self._closed = threading.Event()

    def hurry(self, seconds: float) -> None:
        """From now on no call takes longer: its caller is about to go."""
        self._patience = min(self._patience, seconds)

    def call(
        self, method: Unary[Req, Res], build: Callable[[bool], Req], expected: tuple[str, ...] = (), writes: bool = True
    ) -> Res:
        """`build` is told whether an earlier try may still take effect.

        Raises EtcdError for the statuses in `expected`, FtlError (`store-away`, `store-outcome-unknown`,
        `store-refused`, `disk-full`) and StoreClosedError.
        """
        return self.attempt(lambda at, again, timeout: method.on(at)(build(again), timeout=timeout), expected, writes)

    def attempt(self, attempt: Attempt[Res], expected: tuple[str, ...] = (), writes: bool = True) -> Res:
        """As `call`, for what is no unary method."""
        give_up = time.monotonic() + self._patience
        sure, tries = True, 0
        while (left := give_up - time.monotonic()) > 0 or not tries:
            turn, channel = self.channel()
            seconds = _ATTEMPT_SECONDS * 2 ** (tries // len(self.address.endpoints))
            try:
                return attempt(channel, not sure, min(seconds, max(left, _PAUSE_SECONDS)))
            except (grpc.RpcError, ValueError) as error:
                failure = self._told(error, expected, sure)
            sure = sure and any(text in (failure.details() or "") for text in _NEVER_TAKEN)
            tries += 1
            self.leave(turn)
            if tries % len(self.address.endpoints) == 0:
                self.pause(_PAUSE_SECONDS)
        raise self._given_up(failure, sure or not writes)

    def channel(self) -> tuple[int, Channel]:
        """The member whose turn it is, and the number of the turn."""
        with self._lock:
            self.check_open()
            endpoint = self.address.endpoints[self._turn % len(self.address.endpoints)]
            if endpoint not in self._channels:
                self._channels[endpoint] = self._dial(endpoint)
            return self._turn, self._channels[endpoint]

    def leave(self, turn: int) -> None:
        """The member of that turn did not answer; the next is tried unless somebody went on already."""
        with self._lock:
            if self._turn == turn:
                self._turn += 1

    def pause(self, seconds: float) -> None:
        """Raises StoreClosedError as soon as it is closed."""
        self._closed.wait(seconds)
        self.check_open()

    def check_open(self) -> None:
        if self._closed.is_set():
            raise StoreClosedError(f"the store at {self.address} is closed")

    def close(self) -> None:
        with self._lock:
            self._closed.set()
            channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            channel.close()

    def _dial(self, endpoint: str) -> Channel:
        options = (*(option for option in CHANNEL_OPTIONS if not option[0].startswith("grpc.keepalive")), *_LIVELINESS)
        if self._credentials is None:
            plain: Channel = grpc.insecure_channel(endpoint, options)
            return plain
        secure: Channel = grpc.secure_channel(endpoint, self._credentials, options)
        return secure

    def _told(self, error: Exception, expected: tuple[str, ...], sure: bool) -> Failure:
        """The failure of a try after which the next may succeed; everything else is raised."""
        self.check_open()
        if not isinstance(error, grpc.RpcError):
            raise error
        failure: Failure = error
        status, details = failure.code().name, failure.details() or ""
        if status in expected:
            raise EtcdError(status, details, sure) from error
        if status in _AWAY or "too many requests" in details:
            return failure
        if "space exceeded" in details:
            raise fail("disk-full", folder=self.address, detail=details) from error
        raise fail("store-refused", store=self.address, detail=f"{status}, {details}") from error

    def _given_up(self, failure: Failure, nothing_happened: bool) -> FtlError:
        detail = f"{failure.code().name}, {failure.details()}"
        slug = "store-away" if nothing_happened else "store-outcome-unknown"
        return fail(slug, store=self.address, seconds=f"{self._patience:g}", detail=detail)


def _credentials(address: Address) -> object | None:
    if address.files is None:
        return None
    try:
        ca, certificate, key = (file.read_bytes() for file in address.files)
    except OSError as error:
        raise fail("store-address", url=address, detail=error) from error
    credentials: object = grpc.ssl_channel_credentials(ca, key, certificate)
    return credentials
