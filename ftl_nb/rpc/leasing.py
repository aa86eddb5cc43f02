"""A lease as its holder has it: taken over a stream of its own, renewed in the background, noticed when it is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from google.protobuf.duration_pb2 import Duration

from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import lease_pb2
from ftl_nb.rpc.failures import from_control_error
from ftl_nb.rpc.services import LeaseService
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.types import Channel

#: A lease is renewed so many times within its life.
_RENEWALS = 3
#: Beside the wait for the lease itself: for a service that is just starting.
_PATIENCE_SECONDS = 10.0
#: For the service to say that it has the lease back; where it does not, the end of the stream gives it back.
_RETURN_SECONDS = 2.0

Request = lease_pb2.AcquireLeaseRequest


class HeldLease:
    """Taken when this is made. `on_lost` is called once, from another thread, unless `release` comes first.

    Raises FtlError `lease-held` where another still has it after `wait` seconds, `lease-invalid`, `cluster-gone`.
    """

    def __init__(
        self, channel: Channel, key: tuple[str, ...], ttl: float, wait: float, on_lost: Callable[[], None]
    ) -> None:
        self._request = Request(key=key, ttl=_duration(ttl))
        self._ttl = ttl
        self._on_lost = on_lost
        self._messages: SimpleQueue[Request | None] = SimpleQueue()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.lost = False
        self._until = 0.0
        self._gone = threading.Event()
        self._stream = LeaseService.acquire_lease.on(channel)(iter(self._messages.get, None))
        self._stream.add_done_callback(lambda _: self._gone.set())
        self.token = self._take(wait)
        for work in (self._renew, self._watch):
            threading.Thread(target=work, name="ftl-lease", daemon=True).start()

    def _take(self, wait: float) -> int:
        asked = Request(key=self._request.key, ttl=self._request.ttl, wait=_duration(wait))
        late = threading.Timer(wait + _PATIENCE_SECONDS, self._stream.cancel)
        late.start()
        try:
            return self._exchange(asked)
        except grpc.RpcError as error:
            self._messages.put(None)
            raise _failure(error) from None
        finally:
            late.cancel()

    def _exchange(self, request: Request) -> int:
        """One message and its answer; the lease then lasts from when the message was sent."""
        sent = time.monotonic()
        self._messages.put(request)
        answer = next(self._stream)
        self._until = sent + self._ttl
        return answer.token

    def _renew(self) -> None:
        while not self._ended.wait(self._ttl / _RENEWALS):
            try:
                self._exchange(self._request)
            except (grpc.RpcError, StopIteration):
                self._lose()

    def _watch(self) -> None:
        """A service that does not answer at all must not keep its holder in the belief that it has the lease."""
        while not self._ended.wait(max(self._until - time.monotonic(), 0.0)):
            if time.monotonic() >= self._until:
                self._lose()

    def _lose(self) -> None:
        with self._lock:
            if self._ended.is_set():
                return
            self.lost = True
            self._end()
        self._stream.cancel()
        self._on_lost()

    def release(self) -> None:
        """Gives the lease back; the next may have it when this returns. Nothing where it was lost."""
        with self._lock:
            if self._ended.is_set():
                return
            self._end()
        if not self._gone.wait(_RETURN_SECONDS):
            self._stream.cancel()

    def _end(self) -> None:
        self._ended.set()
        self._messages.put(None)


def _duration(seconds: float) -> Duration:
    made = Duration()
    made.FromNanoseconds(int(seconds * 1e9))
    return made


def _failure(error: grpc.RpcError) -> FtlError:
    if error.code() is grpc.StatusCode.CANCELLED:
        return fail("cluster-gone", detail="its lease service does not answer")
    return from_control_error(error)
