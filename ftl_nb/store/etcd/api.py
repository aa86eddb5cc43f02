"""The methods of etcd that are used, as data."""

from __future__ import annotations

from ftl_nb.rpc.services import BothStream, Unary
from ftl_nb.store.etcd import rpc_pb2

_KV, _WATCH, _LEASE = "etcdserverpb.KV", "etcdserverpb.Watch", "etcdserverpb.Lease"

RANGE = Unary(_KV, "Range", rpc_pb2.RangeRequest, rpc_pb2.RangeResponse)
TXN = Unary(_KV, "Txn", rpc_pb2.TxnRequest, rpc_pb2.TxnResponse)
COMPACT = Unary(_KV, "Compact", rpc_pb2.CompactionRequest, rpc_pb2.CompactionResponse)
WATCH = BothStream(_WATCH, "Watch", rpc_pb2.WatchRequest, rpc_pb2.WatchResponse)
GRANT = Unary(_LEASE, "LeaseGrant", rpc_pb2.LeaseGrantRequest, rpc_pb2.LeaseGrantResponse)
REVOKE = Unary(_LEASE, "LeaseRevoke", rpc_pb2.LeaseRevokeRequest, rpc_pb2.LeaseRevokeResponse)
KEEP_ALIVE = BothStream(_LEASE, "LeaseKeepAlive", rpc_pb2.LeaseKeepAliveRequest, rpc_pb2.LeaseKeepAliveResponse)
STATUS = Unary("etcdserverpb.Maintenance", "Status", rpc_pb2.StatusRequest, rpc_pb2.StatusResponse)

#: A member without a leader ends such a stream: what it would say is not the present.
HAS_LEADER = (("hasleader", "true"),)
