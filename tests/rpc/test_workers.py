"""Calls are served by a bounded number of threads, each woken once a call."""

import threading
from collections.abc import Callable, Iterator

import pytest

from ftl_nb.rpc import Channel, Context, Credentials, Server, dial
from ftl_nb.rpc.services import VerbService
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.verb_pb2 import CallRequest, CallResponse
from ftl_nb.rpc.workers import Workers
from rpc.conftest import SHOP

Start = Callable[..., Server]


def name_of_thread(request: CallRequest, context: Context) -> CallResponse:
    return CallResponse(body=threading.current_thread().name.encode())


@pytest.fixture
def to(users: Credentials) -> Iterator[Callable[[Server], Channel]]:
    opened: list[Channel] = []

    def to(server: Server) -> Channel:
        opened.append(dial(server.endpoint, SHOP, users))
        return opened[-1]

    yield to
    for channel in opened:
        channel.close()


def test_calls_one_after_the_other_share_threads(start: Start, to: Callable[[Server], Channel]) -> None:
    call = VerbService.call.on(to(start(name_of_thread, threads=8)))
    # The next call may come before the thread of the last one is back.
    assert len({call(CallRequest()).body for _ in range(20)}) <= 2


def test_more_calls_than_threads_wait_their_turn(start: Start, to: Callable[[Server], Channel]) -> None:
    inside, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(2)

    def count(request: CallRequest, context: Context) -> CallResponse:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        together.wait(20)
        with lock:
            inside -= 1
        return CallResponse()

    call = VerbService.call.on(to(start(count)))
    answers = [call.future(CallRequest(), timeout=20) for _ in range(8)]
    assert [a.result() for a in answers] == [CallResponse()] * 8
    assert most == 2


def test_a_call_without_a_request_is_told_so(start: Start, to: Callable[[Server], Channel]) -> None:
    method = to(start(name_of_thread)).stream_unary(VerbService.call.path, request_serializer=bytes)
    with pytest.raises(grpc.RpcError) as caught:
        method(iter(()), timeout=20)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "requires exactly one request" in caught.value.details()


def test_a_request_that_cannot_be_read_fails_its_call_alone(start: Start, to: Callable[[Server], Channel]) -> None:
    channel = to(start(name_of_thread))
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(VerbService.call.path)(b"\xff\xff", timeout=20)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert VerbService.call.on(channel)(CallRequest(), timeout=20).body


def test_what_no_method_may_raise_does_not_cost_a_thread(capfd: pytest.CaptureFixture[str]) -> None:
    workers, served = Workers(1), threading.Event()

    def leave() -> None:
        raise SystemExit(3)

    workers.submit(leave)
    workers.submit(served.set)
    assert served.wait(20)
    assert "SystemExit" in capfd.readouterr().err
    workers.shutdown()


def test_without_the_names_of_grpc_calls_take_its_own_way(
    start: Start, to: Callable[[Server], Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("ftl_nb.rpc.workers._USED", ("cygrpc", "a_name_of_old"))
        server = start(name_of_thread)
    assert VerbService.call.on(to(server))(CallRequest(), timeout=20).body
