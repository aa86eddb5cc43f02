"""A commit as a transaction of etcd, made so that it can be sent again without happening twice.

With its writes goes one to a slot, a key that this client alone writes, and only while the slot is as the client left
it. A transaction that is sent again after it happened finds its own number there, with the revision at which it
happened; one that arrives late, after the client went on, finds something else and does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftl_nb.store.contract import Condition, Conflict, Delete, Put, Write
from ftl_nb.store.etcd import rpc_pb2
from ftl_nb.store.etcd.keyspace import Keyspace

#: etcd takes 128 operations, or as many as its `--max-txn-ops` says: added over the longest list of each level. So
#: there is room for 80 conditions beside 8,000 writes.
_WIDTH = 20


@dataclass(frozen=True, slots=True)
class Slot:
    """As the client left it: `revision` of etcd, 0 before its first use. The next commit is `number`."""

    key: bytes
    lease: int
    revision: int = 0
    number: int = 1

    @property
    def done(self) -> bytes:
        """What it holds when the next commit has happened."""
        return b"done %d" % self.number

    @property
    def settled(self) -> bytes:
        """What it holds when the next commit has not happened, and never will."""
        return b"settled %d" % self.number

    def put(self, value: bytes) -> rpc_pb2.RequestOp:
        return rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=self.key, value=value, lease=self.lease))

    def settle(self) -> rpc_pb2.RequestOp:
        """Let no earlier try happen, unless one has."""
        done = rpc_pb2.Compare(target=rpc_pb2.Compare.VALUE, key=self.key, value=self.done)
        return _nested(rpc_pb2.TxnRequest(compare=[done], failure=[self.put(self.settled)]))

    def unmoved(self) -> rpc_pb2.Compare:
        return _at(self.key, self.revision)


@dataclass(frozen=True, slots=True)
class Happened:
    """At a revision of etcd: the commit's own, or the latest where there was nothing to write."""

    revision: int


class SettledError(Exception):
    """The commit has not happened and never will: a try whose answer was lost saw to that. It can be made anew."""


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
        compare = [
            _at(self.space.key(c.key), self.space.theirs(c.revision) if c.revision else 0) for c in self.conditions
        ]
        asked = [self.space.key(c.key) for c in self.conditions]
        if self.slot is not None:
            compare.insert(0, self.slot.unmoved())
            asked.insert(0, self.slot.key)
        settle = [self.slot.settle()] if self.slot and again else []
        failure = [rpc_pb2.RequestOp(request_range=rpc_pb2.RangeRequest(key=key)) for key in asked]
        return rpc_pb2.TxnRequest(compare=compare, success=self._effects(settle), failure=[*failure, *settle])

    def result(self, response: rpc_pb2.TxnResponse) -> Happened | Conflict:
        """Raises SettledError, SlotLostError."""
        if response.succeeded:
            return Happened(response.header.revision)
        found = [answer.response_range.kvs for answer in response.responses if answer.HasField("response_range")]
        if self.slot is not None:
            left, *found = found
            if left and left[0].value == self.slot.done:
                return Happened(left[0].mod_revision)
            if left and left[0].value == self.slot.settled:
                raise SettledError
            if (left[0].mod_revision if left else 0) != self.slot.revision:
                raise SlotLostError
        for condition, kvs in zip(self.conditions, found, strict=True):
            revision = self.space.ours(kvs[0].mod_revision) if kvs else 0
            if revision != condition.revision:
                return Conflict(condition, revision)
        raise AssertionError("etcd failed a transaction whose conditions hold")

    def _effects(self, settle: Sequence[rpc_pb2.RequestOp]) -> list[rpc_pb2.RequestOp]:
        if self.slot is None:
            return []
        effects = _short([self.slot.put(self.slot.done), *map(self._operation, self.writes)])
        if len(self.writes) > _WIDTH or any(isinstance(write, Put) for write in self.writes):
            return effects
        # Deletes of keys none of which is there are no commit.
        absent = [_at(self.space.key(write.key), 0) for write in self.writes]
        return [_nested(rpc_pb2.TxnRequest(compare=absent, success=settle, failure=effects))]

    def _operation(self, write: Write) -> rpc_pb2.RequestOp:
        key = self.space.key(write.key)
        if isinstance(write, Delete):
            return rpc_pb2.RequestOp(request_delete_range=rpc_pb2.DeleteRangeRequest(key=key))
        return rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key, value=write.value, lease=write.lease))


def _at(key: bytes, revision: int) -> rpc_pb2.Compare:
    return rpc_pb2.Compare(result=rpc_pb2.Compare.EQUAL, target=rpc_pb2.Compare.MOD, key=key, mod_revision=revision)


def _short(operations: Sequence[rpc_pb2.RequestOp]) -> list[rpc_pb2.RequestOp]:
    """As a list that etcd takes, of lists of lists."""
    if len(operations) <= _WIDTH:
        return list(operations)
    parts = [operations[start : start + _WIDTH] for start in range(0, len(operations), _WIDTH)]
    return _short([_nested(rpc_pb2.TxnRequest(success=part)) for part in parts])


def _nested(request: rpc_pb2.TxnRequest) -> rpc_pb2.RequestOp:
    return rpc_pb2.RequestOp(request_txn=request)
