"""Blocking calls that can be ended: the short way answers, fails and ends as gRPC's own stubs do."""

import threading
from collections.abc import Callable

import pytest

from ftl_nb.errors import fail
from ftl_nb.rpc import Channel, Context, Credentials, Identity, Server, cutting, dial, from_rpc_error
from ftl_nb.rpc.cutting import InFlight, cuttable, flight, together
from ftl_nb.rpc.services import VerbService
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.verb_pb2 import CallRequest, CallResponse

Call = Callable[[CallRequest, Context], CallResponse]
SHOP = Identity.module("shop", "play")


def test_it_answers(channel: Channel) -> None:
    stub = cuttable(VerbService.call.on(channel))
    assert stub(CallRequest(body=b"1"), timeout=5.0, metadata=(("ftl-verb", "a.b"),)).body == b"1"


def test_what_fails_is_grpcs_own_error(start: Callable[[Call], Server], users: Credentials) -> None:
    def refuse(request: CallRequest, context: Context) -> CallResponse:
        raise fail("unknown-verb", verb="shop.x", near="shop.y")

    channel = dial(start(refuse).endpoint, SHOP, users)
    with pytest.raises(grpc.RpcError) as caught:
        cuttable(VerbService.call.on(channel))(CallRequest())
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert from_rpc_error(caught.value, "shop.x").slug == "unknown-verb"
    channel.close()


def test_a_deadline_ends_it(start: Callable[[Call], Server], users: Credentials) -> None:
    free = threading.Event()
    channel = dial(start(lambda request, context: CallResponse(recorded=free.wait(10))).endpoint, SHOP, users)
    with pytest.raises(grpc.RpcError) as caught:
        cuttable(VerbService.call.on(channel))(CallRequest(), timeout=0.05)
    free.set()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    channel.close()


def test_it_is_cut_from_another_thread(start: Callable[[Call], Server], users: Credentials) -> None:
    free, inside = threading.Event(), threading.Event()

    def wait(request: CallRequest, context: Context) -> CallResponse:
        inside.set()
        free.wait(10)
        return CallResponse()

    channel = dial(start(wait).endpoint, SHOP, users)

    def end(here: InFlight) -> None:
        inside.wait(10)
        here.cut()

    with together():
        cut = threading.Thread(target=end, args=(flight.get(),))
        cut.start()
        with pytest.raises(grpc.RpcError) as caught:
            cuttable(VerbService.call.on(channel))(CallRequest())
    free.set()
    cut.join()
    assert caught.value.code() is grpc.StatusCode.CANCELLED
    channel.close()


class Noted:
    """A call that says whether it was cancelled."""

    cancelled = False

    def cancel(self, *why: object) -> None:
        self.cancelled = True


def test_a_block_that_is_left_by_an_exception_ends_its_calls_and_those_begun_later() -> None:
    running, late = Noted(), Noted()

    def left() -> None:
        with together():
            found.append(flight.get() or InFlight())
            found[0].add(running)
            raise KeyboardInterrupt

    found: list[InFlight] = []
    with pytest.raises(KeyboardInterrupt):
        left()
    found[0].add(late)
    assert (running.cancelled, late.cancelled) == (True, True)
    assert flight.get() is None


def test_a_block_that_ends_well_leaves_its_calls_alone() -> None:
    call = Noted()
    with together():
        (flight.get() or InFlight()).add(call)
    assert not call.cancelled


def test_another_version_of_grpc_gets_plain_stubs(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "_USED", ("what_is_not_there",))
    plain = VerbService.call.on(channel)
    assert cuttable(plain) is plain
