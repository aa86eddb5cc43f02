"""Who may call what: each method is served to some kinds of identity only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ftl_nb.errors import fail
from ftl_nb.rpc import Context, ftl_pb2, peer

Serve = TypeVar("Serve", bound=Callable[..., Any])


def only(kinds: tuple[str, ...], serve: Serve) -> Serve:
    """`serve`, refused to peers of other kinds (`client`, `module`, `database`, `service`)."""

    def guarded(request: Any, context: Context) -> Any:
        identity = peer(context)
        if identity.kind not in kinds:
            raise fail("peer-refused", detail=f"{identity} may not call this")
        return serve(request, context)

    return guarded  # type: ignore[return-value]


def ping(request: ftl_pb2.PingRequest, context: Context) -> ftl_pb2.PingResponse:
    """Up and ready: a service is reachable only once it is."""
    return ftl_pb2.PingResponse()


CLIENTS = ("client",)
PROCESSES = ("module", "database")
EVERYBODY = ("client", "module", "database", "service")
