"""How a store lies in etcd: its keys below a prefix, its revisions counted from the one that made the prefix."""

from __future__ import annotations

from dataclasses import dataclass

from ftl_nb.store.contract import Item
from ftl_nb.store.etcd import kv_pb2
from ftl_nb.store.keys import end


@dataclass(frozen=True, slots=True)
class Keyspace:
    """`origin` is the revision of etcd at which the store was made, its own revision 0."""

    prefix: bytes
    origin: int

    @staticmethod
    def origin_key(prefix: str) -> bytes:
        return f"/{prefix}/origin".encode()

    @property
    def keys(self) -> bytes:
        return self.prefix + b"/keys/"

    def slot(self, name: str) -> bytes:
        """Where a client notes which of its commits happened last."""
        return self.prefix + b"/commits/" + name.encode()

    def key(self, key: str) -> bytes:
        return self.keys + key.encode()

    def below(self, prefix: str) -> tuple[bytes, bytes]:
        first = self.key(prefix)
        return first, end(first)

    def name(self, key: bytes) -> str:
        return key[len(self.keys) :].decode()

    def theirs(self, revision: int) -> int:
        """etcd's number of a revision of the store."""
        return self.origin + revision

    def ours(self, revision: int) -> int:
        """The store's number of a revision of etcd; 0 stays what it is, a key that is not there."""
        return revision - self.origin if revision else 0

    def item(self, kv: kv_pb2.KeyValue) -> Item:
        return Item(self.name(kv.key), kv.value, self.ours(kv.create_revision), self.ours(kv.mod_revision))
