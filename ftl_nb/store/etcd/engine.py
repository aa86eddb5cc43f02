"""A store on etcd: any number of processes on any number of machines, one truth that outlives the loss of a member.

Every read goes through etcd's consensus, so it shows all that was committed before it began, at whatever member.
"""

from __future__ import annotations

import math
import secrets
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc.types import Channel
from ftl_nb.store.contract import (
    CompactedError,
    Condition,
    Conflict,
    FutureRevisionError,
    Item,
    Lease,
    LeaseGoneError,
    Put,
    StoreClosedError,
    Write,
)
from ftl_nb.store.etcd import api, rpc_pb2
from ftl_nb.store.etcd.address import Address
from ftl_nb.store.etcd.keyspace import Keyspace
from ftl_nb.store.etcd.members import EtcdError, Members
from ftl_nb.store.etcd.session import Session
from ftl_nb.store.etcd.transactions import Happened, SettledError, SlotLostError, Transaction
from ftl_nb.store.etcd.watching import EtcdWatch
from ftl_nb.store.keys import checked

#: Of how a store lies in etcd; another is not read.
FORMAT = b"1"
Res = TypeVar("Res")
_PARTING_SECONDS = 1.0
_OUT_OF_RANGE = ("OUT_OF_RANGE",)
_NOT_FOUND = ("NOT_FOUND",)


class EtcdStore:
    """A `Store` at `address`, made there when it is not. Its compaction is of the whole etcd.

    Raises FtlError `store-address`, `store-away`, and `cluster-folder` for a store of another format.
    """

    def __init__(self, address: str) -> None:
        where = Address.parse(address)
        self._members = Members(where)
        try:
            self._space = Keyspace(f"/{where.prefix}".encode(), self._origin(where))
        except BaseException:
            self._members.close()
            raise
        self._session = Session(self._space, self.grant, self.keep_alive)
        self._watches: weakref.WeakSet[EtcdWatch] = weakref.WeakSet()

    @property
    def revision(self) -> int:
        return self._count(0)

    def get(self, key: str, revision: int | None = None) -> Item | None:
        items, _ = self._read(rpc_pb2.RangeRequest(key=self._space.key(key)), revision)
        return items[0] if items else None

    def range(self, prefix: str, revision: int | None = None) -> tuple[tuple[Item, ...], int]:
        first, end = self._space.below(prefix)
        return self._read(rpc_pb2.RangeRequest(key=first, range_end=end), revision)

    def commit(self, conditions: Iterable[Condition], writes: Iterable[Write]) -> int | Conflict:
        asked, wanted = tuple(conditions), checked(writes)
        while True:
            try:
                return self._commit(asked, wanted)
            except (SettledError, SlotLostError):
                self._members.check_open()

    def watch(self, prefix: str, from_revision: int) -> EtcdWatch:
        since = max(1, from_revision)
        # What is still there can be read as it was just before.
        with suppress(FutureRevisionError):
            try:
                self._count(self._space.theirs(since - 1))
            except CompactedError as error:
                raise CompactedError(since, error.compacted) from None
        watch = EtcdWatch(self._members, self._space, prefix, since)
        self._watches.add(watch)
        return watch

    def compact(self, revision: int) -> None:
        request = rpc_pb2.CompactionRequest(revision=self._space.theirs(revision))
        try:
            self._members.call(api.COMPACT, lambda again: request, _OUT_OF_RANGE)
        except EtcdError as error:
            if "compacted" not in error.details:
                raise FutureRevisionError(revision, self.revision) from error

    def grant(self, ttl: float) -> Lease:
        if not ttl > 0:
            raise ValueError("a lease lasts some time")
        # A number of our own: when it is sent again it is still one lease.
        request = rpc_pb2.LeaseGrantRequest(ID=secrets.randbelow(2**62) + 1, TTL=math.ceil(ttl))
        try:
            granted = self._members.call(api.GRANT, lambda again: request, ("FAILED_PRECONDITION",))
        except EtcdError as error:
            if error.sure:
                raise fail("store-refused", store=self._members.address, detail=error.details) from error
            return Lease(request.ID, request.TTL)
        return Lease(granted.ID, granted.TTL)

    def keep_alive(self, lease: int) -> float:
        request = rpc_pb2.LeaseKeepAliveRequest(ID=lease)

        def attempt(channel: Channel, again: bool, timeout: float) -> rpc_pb2.LeaseKeepAliveResponse:
            stream = api.KEEP_ALIVE.on(channel)(iter([request]), timeout=timeout, metadata=api.HAS_LEADER)
            try:
                return _first(stream, lambda response: True)
            finally:
                stream.cancel()

        left = self._members.attempt(attempt).TTL
        if left <= 0:
            raise LeaseGoneError(lease)
        return float(left)

    def revoke(self, lease: int) -> None:
        request = rpc_pb2.LeaseRevokeRequest(ID=lease)
        with suppress(EtcdError):
            self._members.call(api.REVOKE, lambda again: request, _NOT_FOUND)

    def close(self) -> None:
        lease = self._session.close()
        for watch in list(self._watches):
            watch.stop()
        # Where no member answers soon, the lease ends by itself.
        self._members.hurry(_PARTING_SECONDS)
        with suppress(FtlError, StoreClosedError):
            if lease:
                self.revoke(lease)
        self._members.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _origin(self, where: Address) -> int:
        key = Keyspace.origin_key(where.prefix)
        absent = rpc_pb2.Compare(target=rpc_pb2.Compare.CREATE, key=key, create_revision=0)
        made = rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key, value=FORMAT))
        found = rpc_pb2.RequestOp(request_range=rpc_pb2.RangeRequest(key=key))
        request = rpc_pb2.TxnRequest(compare=[absent], success=[made], failure=[found])
        response = self._members.call(api.TXN, lambda again: request)
        if response.succeeded:
            return response.header.revision
        kv = response.responses[0].response_range.kvs[0]
        if kv.value != FORMAT:
            found_format, known = kv.value.decode(errors="replace"), FORMAT.decode()
            raise fail("cluster-folder", folder=where, found=found_format, known=known)
        return kv.create_revision

    def _commit(self, conditions: tuple[Condition, ...], writes: list[Write]) -> int | Conflict:
        slot = self._session.take() if writes else None
        transaction = Transaction(self._space, conditions, writes, slot)
        tried_again = False

        def request(again: bool) -> rpc_pb2.TxnRequest:
            nonlocal tried_again
            tried_again = again
            return transaction.request(again)

        try:
            response = self._members.call(api.TXN, request, _NOT_FOUND, writes=slot is not None)
            result = transaction.result(response)
        except EtcdError as error:
            self._lease_gone(transaction, error)
        except SlotLostError:
            self._slot_lost(transaction, tried_again)
        # A slot of which an earlier try may still arrive is left behind.
        if slot and not tried_again:
            self._session.give_back(slot, response.header.revision if _wrote(response) else None)
        return self._space.ours(result.revision) if isinstance(result, Happened) else result

    def _lease_gone(self, transaction: Transaction, error: EtcdError) -> NoReturn:
        """A lease that the transaction puts under is gone: that of the session, or one that it was given."""
        slot = transaction.slot
        if slot is not None and not self._session.lives(slot.lease):
            self._slot_lost(transaction, not error.sure)
        if slot is not None and error.sure:
            self._session.give_back(slot)
        for lease in sorted({write.lease for write in transaction.writes if isinstance(write, Put) and write.lease}):
            self.keep_alive(lease)
        raise fail("store-refused", store=self._members.address, detail=error.details) from error

    def _slot_lost(self, transaction: Transaction, tried_again: bool) -> NoReturn:
        if transaction.slot is not None:
            self._session.lost(transaction.slot.lease)
        if tried_again:
            where = self._members.address
            raise fail("store-outcome-unknown", store=where, seconds=f"{where.patience:g}", detail="the session ended")
        raise SlotLostError

    def _read(self, request: rpc_pb2.RangeRequest, revision: int | None) -> tuple[tuple[Item, ...], int]:
        if revision is not None:
            request.revision = self._space.theirs(revision)
        response = self._range(request)
        at = self._space.ours(response.header.revision) if revision is None else revision
        return tuple(map(self._space.item, response.kvs)), at

    def _count(self, at: int) -> int:
        """The latest revision, read at one of etcd's, 0 for the present."""
        request = rpc_pb2.RangeRequest(key=self._space.keys, revision=at, count_only=True)
        return self._space.ours(self._range(request).header.revision)

    def _range(self, request: rpc_pb2.RangeRequest) -> rpc_pb2.RangeResponse:
        try:
            return self._members.call(api.RANGE, lambda again: request, _OUT_OF_RANGE, writes=False)
        except EtcdError as error:
            asked = self._space.ours(request.revision)
            if "compacted" in error.details:
                raise CompactedError(asked, self._compacted()) from error
            raise FutureRevisionError(asked, self.revision) from error

    def _compacted(self) -> int:
        """etcd says it to a watch that would begin before."""
        create = rpc_pb2.WatchCreateRequest(key=self._space.keys, start_revision=1)
        request = rpc_pb2.WatchRequest(create_request=create)

        def attempt(channel: Channel, again: bool, timeout: float) -> rpc_pb2.WatchResponse:
            stream = api.WATCH.on(channel)(iter([request]), timeout=timeout)
            try:
                return _first(stream, lambda response: bool(response.compact_revision))
            finally:
                stream.cancel()

        return self._space.ours(self._members.attempt(attempt, writes=False).compact_revision)


def _first(stream: Iterable[Res], wanted: Callable[[Res], bool]) -> Res:
    for response in stream:
        if wanted(response):
            return response
    raise fail("internal", detail="etcd ended a stream without an answer")


def _wrote(response: rpc_pb2.TxnResponse) -> bool:
    """Whether the slot was put; deletes of what is not there put nothing."""
    return any(operation.HasField("response_put") or _wrote(operation.response_txn) for operation in response.responses)
