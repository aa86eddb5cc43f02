"""A watch on etcd that goes on at another member where one left off."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from types import TracebackType
from typing import Self

from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.types import Stream
from ftl_nb.store.contract import Change, Commit, CompactedError, StoreClosedError
from ftl_nb.store.etcd import api, kv_pb2, rpc_pb2
from ftl_nb.store.etcd.keyspace import Keyspace
from ftl_nb.store.etcd.members import Members

_PAUSE_SECONDS = 0.1


class EtcdWatch:
    """A `Watch`. It connects when it is first asked, and anew for as long as it takes."""

    def __init__(self, members: Members, space: Keyspace, prefix: str, from_revision: int) -> None:
        self._members = members
        self._space = space
        self._first, self._end = space.below(prefix)
        self._next = from_revision
        self._ready: deque[Commit] = deque()
        self._lock = threading.Lock()
        self._stream: Stream[rpc_pb2.WatchResponse] | None = None
        self._turn = 0
        self._stopped = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Commit:
        while not self._stopped:
            if self._ready:
                commit = self._ready.popleft()
                self._next = commit.revision + 1
                return commit
            self._read()
        raise StopIteration

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            stream = self._stream
        if stream is not None:
            stream.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _read(self) -> None:
        """What comes next of the stream, which is opened where there is none and left where it fails."""
        try:
            stream = self._stream or self._open()
        except (StoreClosedError, ValueError):
            # gRPC has a ValueError for a channel that was closed meanwhile.
            self.stop()
            return
        try:
            response = next(stream)
        except (grpc.RpcError, StopIteration):
            self._leave()
        else:
            self._take(response)

    def _open(self) -> Stream[rpc_pb2.WatchResponse]:
        self._turn, channel = self._members.channel()
        # etcd keeps what was deleted at the revision to which it is compacted out of a watch that begins there; from
        # one before, it says that it is compacted.
        start = self._space.theirs(self._next - 1)
        create = rpc_pb2.WatchCreateRequest(key=self._first, range_end=self._end, start_revision=start)
        request = rpc_pb2.WatchRequest(create_request=create)
        stream = api.WATCH.on(channel)(iter([request]), metadata=api.HAS_LEADER)
        with self._lock:
            self._stream = stream
            stopped = self._stopped
        if stopped:
            stream.cancel()
        return stream

    def _leave(self) -> None:
        with self._lock:
            self._stream = None
        if not self._stopped:
            self._members.leave(self._turn)
            self._pause()

    def _pause(self) -> None:
        try:
            self._members.pause(_PAUSE_SECONDS)
        except StoreClosedError:
            self.stop()

    def _take(self, response: rpc_pb2.WatchResponse) -> None:
        if response.compact_revision:
            self.stop()
            raise CompactedError(self._next, self._space.ours(response.compact_revision))
        if response.canceled:
            self._leave()
        self._ready.extend(commit for commit in self._commits(response.events) if commit.revision >= self._next)

    def _commits(self, events: Iterable[kv_pb2.Event]) -> Iterator[Commit]:
        """etcd never cuts a revision in two, and sends revisions in order."""
        for revision, group in groupby(events, key=lambda event: event.kv.mod_revision):
            changes = sorted((self._change(event) for event in group), key=lambda change: change.key.encode())
            yield Commit(self._space.ours(revision), tuple(changes))

    def _change(self, event: kv_pb2.Event) -> Change:
        deleted = event.type == kv_pb2.Event.DELETE
        return Change(self._space.name(event.kv.key), None if deleted else self._space.item(event.kv))
