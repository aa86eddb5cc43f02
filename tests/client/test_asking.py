"""What a session asks of the control plane."""

from __future__ import annotations

import types
from typing import Any, cast

import pytest

from ftl_nb.client import Session
from ftl_nb.errors import FtlError
from ftl_nb.rpc.services import WorkspaceService
from ftl_nb.rpc.tls import grpc


class Refused(grpc.RpcError):  # type: ignore[misc]
    """A call that ended with UNAVAILABLE."""

    def __init__(self, details: str) -> None:
        self._details = details

    def code(self) -> Any:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return self._details

    def trailing_metadata(self) -> tuple[()]:
        return ()


def asked(alive: bool, *errors: str) -> str:
    """What a session gets whose first calls end with `errors`."""
    left = [*errors]

    def call(request: object, timeout: float | None) -> str:
        if left:
            raise Refused(left.pop(0))
        return "answer"

    method = types.SimpleNamespace(on=lambda channel: call)
    session = types.SimpleNamespace(alive=alive, _control=lambda: None)
    return str(Session.ask(cast(Session, session), cast(Any, method), cast(Any, WorkspaceService)))


def test_a_connection_that_fails_on_a_busy_machine_is_made_again() -> None:
    assert asked(True, "failed to connect to all addresses", "Handshake read failed") == "answer"


def test_a_call_that_may_have_been_taken_is_not_made_again() -> None:
    with pytest.raises(FtlError, match="Socket closed"):
        asked(True, "Socket closed")


def test_nor_is_one_to_a_cluster_that_has_gone() -> None:
    with pytest.raises(FtlError, match="failed to connect"):
        asked(False, "failed to connect to all addresses")
