import json
import threading
from collections.abc import Callable

import pytest

from ftl_nb.errors import CATALOGUE, FtlError, Place, VerbError, fail
from ftl_nb.rpc import (
    Channel,
    Channels,
    Context,
    Credentials,
    Identity,
    Server,
    call_error,
    from_control_error,
    from_rpc_error,
)
from ftl_nb.rpc.failures import _STATUS, DETAILS
from ftl_nb.rpc.services import VerbService
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.types import Failure
from ftl_nb.rpc.verb_pb2 import CallRequest, CallResponse

SHOP = Identity.module("shop", "play")
Start = Callable[[Callable[[CallRequest, Context], CallResponse]], Server]


def raising(error: Exception) -> Callable[[CallRequest, Context], CallResponse]:
    def call(request: CallRequest, context: Context) -> CallResponse:
        raise error

    return call


def failed(channel: Channel, timeout: float = 10.0) -> Failure:
    with pytest.raises(grpc.RpcError) as caught:
        VerbService.call.on(channel)(CallRequest(), timeout=timeout)
    failure: Failure = caught.value
    return failure


PLACE = Place("<shop/checkout>", 3, 5, "    return 1 / 0", 12)
ERRORS = [
    (fail("unknown-verb", verb="shop.nope", near="did you mean buy?"), grpc.StatusCode.NOT_FOUND),
    (fail("json-invalid", PLACE, detail="é ‘quoted’", verb="v", type="T"), grpc.StatusCode.INVALID_ARGUMENT),
    (fail("not-visible", verb="a.b", caller="c"), grpc.StatusCode.PERMISSION_DENIED),
    (fail("no-rows", verb="a.b"), grpc.StatusCode.NOT_FOUND),
    (fail("sql-failed", verb="a.b", detail="x\ny"), grpc.StatusCode.FAILED_PRECONDITION),
    (FtlError("internal", "two", None, "", [fail("cancelled", verb="a.b")]), grpc.StatusCode.INTERNAL),
]


@pytest.mark.parametrize(("error", "status"), ERRORS, ids=lambda e: getattr(e, "slug", None))
def test_an_error_arrives_whole(start: Start, users: Credentials, error: FtlError, status: object) -> None:
    server = start(raising(error))
    with Channels(users) as channels:
        caught = failed(channels.to(server.endpoint, SHOP))
    assert caught.code() is status
    assert from_rpc_error(caught, "shop.checkout").to_dict() == error.to_dict()
    assert from_control_error(caught).to_dict() == error.to_dict()


def test_an_error_too_long_for_the_wire_is_cut(start: Start, users: Credentials) -> None:
    error = FtlError("internal", "m" * 3_000_000, PLACE, "h" * 3_000_000, [fail("internal", detail="o" * 3_000_000)])
    error.remote = "r" * 3_000_000
    server = start(raising(error))
    with Channels(users) as channels:
        got = from_rpc_error(failed(channels.to(server.endpoint, SHOP)), "shop.checkout")
    assert got.slug == "internal"
    assert got.message.startswith("mmm")
    assert got.remote.startswith("rrr")


def test_a_defect_is_told_as_one(start: Start, users: Credentials, caplog: pytest.LogCaptureFixture) -> None:
    server = start(raising(ZeroDivisionError("oh")))
    with Channels(users) as channels:
        got = from_rpc_error(failed(channels.to(server.endpoint, SHOP)), "shop.checkout")
    assert got.slug == "internal"
    assert "oh" in got.message
    assert "ZeroDivisionError" in caplog.text


def test_a_call_past_its_deadline(start: Start, users: Credentials) -> None:
    leave = threading.Event()

    def slow(request: CallRequest, context: Context) -> CallResponse:
        leave.wait(10)
        return CallResponse()

    server = start(slow)
    with Channels(users) as channels:
        caught = failed(channels.to(server.endpoint, SHOP), timeout=0.05)
    leave.set()
    got = from_rpc_error(caught, "shop.checkout", seconds=0.05)
    assert (got.slug, got.hint) == ("deadline", "give it longer: checkout.with_timeout(SECONDS)(request)")
    assert "within 0.05 s" in got.message


def test_a_cancelled_call(start: Start, users: Credentials) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(request: CallRequest, context: Context) -> CallResponse:
        context.add_callback(leave.set)
        entered.set()
        leave.wait(10)
        return CallResponse()

    server = start(slow)
    with Channels(users) as channels:
        pending = VerbService.call.on(channels.to(server.endpoint, SHOP)).future(CallRequest(), timeout=10)
        assert entered.wait(10)
        assert pending.cancel()
        assert leave.wait(10)


def test_a_runner_that_goes_during_a_call(start: Start, users: Credentials) -> None:
    entered = threading.Event()

    def never(request: CallRequest, context: Context) -> CallResponse:
        gone = threading.Event()
        context.add_callback(gone.set)
        entered.set()
        gone.wait(10)
        return CallResponse()

    server = start(never)
    with Channels(users) as channels:
        pending = VerbService.call.on(channels.to(server.endpoint, SHOP)).future(CallRequest(), timeout=10)
        assert entered.wait(10)
        server.stop()
        with pytest.raises(grpc.RpcError):
            pending.result()
        away = from_rpc_error(failed(channels.to(server.endpoint, SHOP)), "shop.checkout")
    assert away.slug == "runner-away"
    assert "runner of shop" in away.message


class Made:
    """A failure as gRPC makes it."""

    def __init__(self, code: str, details: str = "", metadata: list[tuple[str, bytes]] | None = None) -> None:
        self._code, self._details, self._metadata = code, details, metadata

    def code(self) -> object:
        return grpc.StatusCode[self._code]

    def details(self) -> str:
        return self._details

    def trailing_metadata(self) -> list[tuple[str, bytes]] | None:
        return self._metadata


@pytest.mark.parametrize(
    ("code", "details", "slug"),
    [
        ("UNAVAILABLE", "failed to connect to all addresses; last error: …", "runner-away"),
        ("UNAVAILABLE", "Socket closed", "runner-lost"),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", "deadline"),
        ("CANCELLED", "Locally cancelled by application!", "cancelled"),
        ("RESOURCE_EXHAUSTED", "CLIENT: Sent message larger than max (2 vs. 1)", "body-too-large"),
        ("RESOURCE_EXHAUSTED", "quota", "internal"),
        ("UNKNOWN", "", "internal"),
    ],
)
def test_a_status_without_details_gets_the_code_of_its_kind(code: str, details: str, slug: str) -> None:
    assert from_rpc_error(Made(code, details), "shop.checkout").slug == slug


@pytest.mark.parametrize(
    ("code", "slug"), [("UNAVAILABLE", "cluster-gone"), ("DEADLINE_EXCEEDED", "cluster-gone"), ("UNKNOWN", "internal")]
)
def test_the_clusters_own_services_fail_as_the_cluster(code: str, slug: str) -> None:
    assert from_control_error(Made(code, "Socket closed.")).slug == slug


def test_an_error_of_a_newer_version_is_still_an_error() -> None:
    raw = json.dumps({"type": "FtlError", "slug": "not-yet-known", "message": "Something new."}).encode()
    assert from_rpc_error(Made("UNKNOWN", "", [(DETAILS, raw)]), "a.b").message == "Something new."


def test_what_a_verb_raised_is_an_answer() -> None:
    error = fail("verb-raised", verb="shop.buy", error="ValueError: no")
    assert isinstance(error, VerbError)
    assert not call_error(error).HasField("stack")
    error.remote = "at line 1"
    assert (call_error(error).message, call_error(error).stack) == (error.message, "at line 1")


def test_every_status_belongs_to_an_error_of_the_catalogue() -> None:
    assert set(_STATUS) <= set(CATALOGUE)
    assert {name for name in _STATUS.values() if name not in grpc.StatusCode.__members__} == set()
