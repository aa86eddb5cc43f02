"""gRPC, imported so that its core negotiates TLS 1.3 alone. Everybody in this project takes `grpc` from here.

gRPC's Python API has no knob for the lowest TLS version. Its core reads the list of TLS 1.2 cipher suites from the
environment, once, while it is imported; TLS 1.3 suites are not part of that list. So the list is narrowed to suites
that need an RSA certificate: the cluster's certificates are elliptic-curve ones, no TLS 1.2 handshake with them can
succeed, and TLS 1.3 is what is left. The environment is put back afterwards: processes started from here inherit
nothing, and a notebook's own gRPC use of outside servers keeps working.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SUITES = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
_IMPORT_ENVIRONMENT = {
    "GRPC_SSL_CIPHER_SUITES": _SUITES,
    "GRPC_VERBOSITY": os.environ.get("GRPC_VERBOSITY", "ERROR"),
    # Its handlers start threads in a child that a verb forks, which then dies of what its parent was doing.
    "GRPC_ENABLE_FORK_SUPPORT": "0",
}


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


#: Whether this process can speak TLS 1.3 only. False when something imported gRPC before this module:
#: such a process may be a client, it cannot be a server.
TLS13_ONLY: bool = "grpc" not in sys.modules or os.environ.get("GRPC_SSL_CIPHER_SUITES") == _SUITES

with _environment(_IMPORT_ENVIRONMENT):
    import grpc as _grpc

#: Untyped on purpose: what is used of it is typed in `types`.
grpc: Any = _grpc

__all__ = ["TLS13_ONLY", "grpc"]
