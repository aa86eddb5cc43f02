"""What every user surface calls: a session with the project's cluster, its modules as objects, calls and control.

Importing this room loads neither gRPC nor protobuf; the session does, when it is opened.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftl_nb.client.session import Connection, Defined, LastCall, Session

__all__ = ["Connection", "Defined", "LastCall", "Session"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.session"), name)
