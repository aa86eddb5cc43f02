"""The wire: protocol messages and services, identities and certificates, channels and servers, keys, headers, failures.

Importing this room imports neither gRPC nor protobuf; what needs them is loaded on first use, and nothing here starts
a thread or opens a socket before `dial` or `serve` is called, so that a process which imported it can still be forked.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ftl_nb.rpc.headers import CallContext
from ftl_nb.rpc.identity import Authority, Identity, Leaf
from ftl_nb.rpc.keys import ChangesetKey, DeploymentKey, RequestKey, RunnerKey
from ftl_nb.rpc.wire import BODY_LIMIT, LOOPBACK

if TYPE_CHECKING:
    from ftl_nb.rpc.channels import Channels, Credentials, dial
    from ftl_nb.rpc.failures import abort, call_error, from_control_error, from_rpc_error
    from ftl_nb.rpc.renewal import keep_fresh
    from ftl_nb.rpc.servers import Server, peer, serve
    from ftl_nb.rpc.services import handlers
    from ftl_nb.rpc.types import Channel, Context

__all__ = [
    "BODY_LIMIT",
    "LOOPBACK",
    "Authority",
    "CallContext",
    "ChangesetKey",
    "Channel",
    "Channels",
    "Context",
    "Credentials",
    "DeploymentKey",
    "Identity",
    "Leaf",
    "RequestKey",
    "RunnerKey",
    "Server",
    "abort",
    "call_error",
    "dial",
    "from_control_error",
    "from_rpc_error",
    "handlers",
    "keep_fresh",
    "peer",
    "serve",
]

_LOADED_ON_USE = {
    **dict.fromkeys(("Channels", "Credentials", "dial"), "channels"),
    **dict.fromkeys(("abort", "call_error", "from_control_error", "from_rpc_error"), "failures"),
    **dict.fromkeys(("Server", "peer", "serve"), "servers"),
    "handlers": "services",
    "keep_fresh": "renewal",
    **dict.fromkeys(("Channel", "Context"), "types"),
}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LOADED_ON_USE[name]}"), name)
