"""A commit as a transaction of etcd, made so that it can be sent again without happening twice.

With its writes goes one to a slot, a key that this client alone writes, and only while the slot is as the client left
it. A transaction that is sent again after it happened finds its own number there, with the revision at which it
happened; one that arrives late, after the client went on, finds something else and does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ftl_nb.store.contract import Condition, Conflict, Delete, Put, Write
from ftl_nb.store.etcd import rpc_pb2
from ftl_nb.store.etcd.keyspace import Keyspace

#: etcd takes 128 comparisons, and 128 operations, in one list; longer ones are nested.
_MOST = 100
_SETTLED = b"settled"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slot:
    """As the client left it: `revision` of etcd, 0 before its first use. The next commit is `number`."""

    key: bytes
    lease: int
    revision: int = 0
    number: int = 1

    def put(self, value: bytes) -> rpc_pb2.RequestOp:
        return rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=self.key, value=value, lease=self.lease))

    def unmoved(self) -> rpc_pb2.Compare:
        return _at(self.key, self.revision)


@dataclass(frozen=True, slots=True)
class Happened:
    """At a revision of etcd: the commit's own, or the latest where there was nothing to write."""

    revision: int


class SlotLostError(Exception):
    """The slot is not as it was left: the lease of this client's session ended."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One commit. `slot` is None where nothing is written, and the question may be asked any number of times."""

    space: Keyspace
    conditions: Sequence[Condition]
    writes: Sequence[Write]
    slot: Slot | None

    def request(self, again: bool) -> rpc_pb2.TxnRequest:
        """`again`: where the commit does not happen now, it must not happen later by an earlier try either."""
        settle = [self.slot.put(_SETTLED)] if self.slot and again else []
        inner = self._effects(settle)
        parts = self._parts()
        for number in range(len(parts) - 1, -1, -1):
            inner = [_nested(self._level(parts[number], number == 0, inner, settle))]
        return inner[0].request_txn

    def result(self, response: rpc_pb2.TxnResponse) -> Happened | Conflict:
        """Raises SlotLostError."""
        level = response
        for number, part in enumerate(self._parts()):
            if not level.succeeded:
                return self._failed(level, part, number == 0)
            level = level.responses[0].response_txn if level.responses else level
        return Happened(response.header.revision)

    def _parts(self) -> list[Sequence[Condition]]:
        parts = _cut(self.conditions)
        return parts or [()]

    def _level(
        self,
        part: Sequence[Condition],
        first: bool,
        inner: Sequence[rpc_pb2.RequestOp],
        settle: Sequence[rpc_pb2.RequestOp],
    ) -> rpc_pb2.TxnRequest:
        compare = [_at(self.space.key(c.key), self.space.theirs(c.revision) if c.revision else 0) for c in part]
        asked = [self.space.key(c.key) for c in part]
        if first and self.slot:
            compare.insert(0, self.slot.unmoved())
            asked.insert(0, self.slot.key)
        failure = [rpc_pb2.RequestOp(request_range=rpc_pb2.RangeRequest(key=key)) for key in asked]
        return rpc_pb2.TxnRequest(compare=compare, success=inner, failure=[*failure, *settle])

    def _effects(self, settle: Sequence[rpc_pb2.RequestOp]) -> list[rpc_pb2.RequestOp]:
        if self.slot is None:
            return []
        done = self.slot.put(b"%d" % self.slot.number)
        effects = [done, *map(self._operation, self.writes)]
        if any(isinstance(write, Put) for write in self.writes):
            return _short(effects)
        return [self._unless_absent(_cut(self.writes), effects, settle)]

    def _unless_absent(
        self,
        parts: Sequence[Sequence[Write]],
        effects: Sequence[rpc_pb2.RequestOp],
        settle: Sequence[rpc_pb2.RequestOp],
    ) -> rpc_pb2.RequestOp:
        """Deletes of keys none of which is there are no commit."""
        nothing = [self._unless_absent(parts[1:], effects, settle)] if parts[1:] else settle
        absent = [_at(self.space.key(write.key), 0) for write in parts[0]]
        return _nested(rpc_pb2.TxnRequest(compare=absent, success=nothing, failure=_short(effects)))

    def _operation(self, write: Write) -> rpc_pb2.RequestOp:
        key = self.space.key(write.key)
        if isinstance(write, Delete):
            return rpc_pb2.RequestOp(request_delete_range=rpc_pb2.DeleteRangeRequest(key=key))
        return rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key, value=write.value, lease=write.lease))

    def _failed(self, level: rpc_pb2.TxnResponse, part: Sequence[Condition], first: bool) -> Happened | Conflict:
        found = [response.response_range.kvs for response in level.responses if response.HasField("response_range")]
        if first and self.slot:
            left, *found = found
            if left and left[0].value == b"%d" % self.slot.number:
                return Happened(left[0].mod_revision)
            if (left[0].mod_revision if left else 0) != self.slot.revision:
                raise SlotLostError
        for condition, kvs in zip(part, found, strict=True):
            revision = self.space.ours(kvs[0].mod_revision) if kvs else 0
            if revision != condition.revision:
                return Conflict(condition, revision)
        raise AssertionError("etcd failed a transaction whose conditions hold")


def _at(key: bytes, revision: int) -> rpc_pb2.Compare:
    return rpc_pb2.Compare(result=rpc_pb2.Compare.EQUAL, target=rpc_pb2.Compare.MOD, key=key, mod_revision=revision)


def _cut(these: Sequence[T]) -> list[Sequence[T]]:
    return [these[start : start + _MOST] for start in range(0, len(these), _MOST)]


def _short(operations: Sequence[rpc_pb2.RequestOp]) -> list[rpc_pb2.RequestOp]:
    """As one list that etcd takes."""
    if len(operations) <= _MOST:
        return list(operations)
    return _short([_nested(rpc_pb2.TxnRequest(success=part)) for part in _cut(operations)])


def _nested(request: rpc_pb2.TxnRequest) -> rpc_pb2.RequestOp:
    return rpc_pb2.RequestOp(request_txn=request)
