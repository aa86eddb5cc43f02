"""Channels and servers together: who gets through, and who does not."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ftl_nb.errors import FtlError
from ftl_nb.rpc import (
    BODY_LIMIT,
    Authority,
    Channel,
    Channels,
    Context,
    Credentials,
    Identity,
    Leaf,
    Server,
    dial,
    handlers,
    peer,
    serve,
)
from ftl_nb.rpc.services import VerbService
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.verb_pb2 import CallRequest, CallResponse

REALM = "play"
SHOP = Identity.module("shop", REALM)
USERS = Identity.module("users", REALM)
Start = Callable[[Callable[[CallRequest, Context], CallResponse]], Server]


def ask(channel: Channel, body: bytes = b"", timeout: float = 10.0) -> bytes:
    return VerbService.call.on(channel)(CallRequest(body=body), timeout=timeout).body


def refused(channel: Channel) -> str:
    """Why the call did not get through."""
    with pytest.raises(grpc.RpcError) as caught:
        ask(channel, b"hello")
    channel.close()
    return f"{caught.value.code().name}: {caught.value.details()}"


def test_the_callee_knows_who_calls(channel: Channel) -> None:
    assert ask(channel) == b"spiffe://play/module/users"


def test_it_listens_on_loopback_only(server: Server) -> None:
    assert server.endpoint == f"127.0.0.1:{server.port}"
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", server.port), timeout=2):
        pass


def test_without_a_certificate_nothing_gets_through(server: Server, users: Credentials) -> None:
    bare = grpc.ssl_channel_credentials(users.leaf.ca_pem)
    channel = grpc.secure_channel(server.endpoint, bare, [("grpc.ssl_target_name_override", SHOP.dns)])
    assert "UNAVAILABLE" in refused(channel)


def test_with_another_clusters_certificate_nothing_gets_through(server: Server, users: Credentials) -> None:
    other = Authority(REALM).issue(USERS)
    credentials = grpc.ssl_channel_credentials(users.leaf.ca_pem, other.key_pem, other.certificate_pem)
    channel = grpc.secure_channel(server.endpoint, credentials, [("grpc.ssl_target_name_override", SHOP.dns)])
    assert "UNAVAILABLE" in refused(channel)


def test_another_clusters_server_is_not_believed(server: Server) -> None:
    other = Credentials(Authority(REALM).issue(USERS))
    assert "CERTIFICATE_VERIFY_FAILED" in refused(dial(server.endpoint, SHOP, other))


def test_plain_text_gets_nothing(server: Server) -> None:
    assert "UNAVAILABLE" in refused(grpc.insecure_channel(server.endpoint))


def test_an_expired_certificate_gets_nothing(server: Server, authority: Authority) -> None:
    ended = Credentials(authority.issue(USERS, timedelta(seconds=-1)))
    assert "UNAVAILABLE" in refused(dial(server.endpoint, SHOP, ended))


@pytest.mark.parametrize("callee", [USERS, Identity.module("Shop", REALM), Identity.service("shop", REALM)])
def test_a_callee_that_is_somebody_else_is_not_called(server: Server, users: Credentials, callee: Identity) -> None:
    assert "Hostname Verification Check failed" in refused(dial(server.endpoint, callee, users))


@pytest.fixture
def stdlib_tls(users: Credentials, tmp_path: Path) -> ssl.SSLContext:
    """A client of another TLS library with a certificate that is in order."""
    pem = tmp_path / "users.pem"
    pem.write_bytes(users.leaf.certificate_pem + users.leaf.key_pem)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=users.leaf.ca_pem.decode())
    client.load_cert_chain(pem)
    client.set_alpn_protocols(["h2"])
    return client


def shake_hands(server: Server, client: ssl.SSLContext) -> str | None:
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain,
        client.wrap_socket(plain, server_hostname=SHOP.dns) as secure,
    ):
        return secure.version()


def test_tls_1_3_is_spoken(server: Server, stdlib_tls: ssl.SSLContext) -> None:
    assert shake_hands(server, stdlib_tls) == "TLSv1.3"


def test_tls_1_2_is_not(server: Server, stdlib_tls: ssl.SSLContext) -> None:
    stdlib_tls.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake_hands(server, stdlib_tls)


def test_a_renewed_certificate_is_used_while_open_channels_live_on(
    server: Server, channel: Channel, shop: Credentials, users: Credentials, authority: Authority
) -> None:
    assert ask(channel, b"before") == b"before"
    first = presented(server, users.leaf)
    shop.replace(authority.issue(SHOP))
    assert presented(server, users.leaf) != first
    assert ask(channel, b"after") == b"after"
    fresh = dial(server.endpoint, SHOP, users)
    assert ask(fresh, b"fresh") == b"fresh"
    fresh.close()


def presented(server: Server, leaf: Leaf) -> str:
    """The certificate that the server shows in a new handshake."""
    return ssl.get_server_certificate(("127.0.0.1", server.port), timeout=5)


def test_a_certificate_of_somebody_else_is_not_taken(shop: Credentials, authority: Authority) -> None:
    with pytest.raises(ValueError, match="cannot stand in"):
        shop.replace(authority.issue(USERS))


@pytest.fixture
def channels(users: Credentials) -> Iterator[Channels]:
    with Channels(users) as channels:
        yield channels


def test_channels_are_shared_and_dialled_anew_after_a_renewal(
    server: Server, channels: Channels, users: Credentials, authority: Authority
) -> None:
    first = channels.to(server.endpoint, SHOP)
    assert channels.to(server.endpoint, SHOP) is first
    assert ask(first) == b"spiffe://play/module/users"
    users.replace(authority.issue(USERS))
    second = channels.to(server.endpoint, SHOP)
    assert second is not first
    assert ask(first, b"still") == b"still"
    assert ask(second, b"also") == b"also"
    users.replace(authority.issue(USERS))
    channels.to(server.endpoint, SHOP)
    with pytest.raises(ValueError, match="closed channel"):
        ask(first, b"no more")


def test_a_dropped_channel_is_dialled_anew(server: Server, channels: Channels) -> None:
    first = channels.to(server.endpoint, SHOP)
    channels.drop(server.endpoint, SHOP)
    channels.drop(server.endpoint, SHOP)
    assert channels.to(server.endpoint, SHOP) is not first


def test_an_outgrown_channel_serves_who_comes_late(server: Server, channels: Channels) -> None:
    first = channels.to(server.endpoint, SHOP)
    assert channels.outgrow(server.endpoint, SHOP) == channels.outgrow(server.endpoint, SHOP) == []
    assert channels.to(server.endpoint, SHOP) is first
    assert ask(first, b"late") == b"late"


def test_an_outgrown_channel_is_closed_in_the_end(server: Server, users: Credentials) -> None:
    with Channels(users, linger=0.0) as channels:
        first = channels.to(server.endpoint, SHOP)
        assert channels.outgrow(server.endpoint, SHOP) == [first]
        with pytest.raises(ValueError, match="closed channel"):
            ask(first, b"no more")
        assert channels.to(server.endpoint, SHOP) is not first


def test_a_call_waits_for_a_server_that_is_just_starting(shop: Credentials, users: Credentials) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{reserved.getsockname()[1]}"
    channel = dial(endpoint, SHOP, users)
    with pytest.raises(grpc.RpcError) as caught:
        ask(channel, b"hello")
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    channel.close()


def test_stopping_lets_calls_in_flight_end(start: Start, users: Credentials) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(request: CallRequest, context: Context) -> CallResponse:
        entered.set()
        leave.wait(10)
        return CallResponse(body=b"done")

    server = start(slow)
    with Channels(users) as channels:
        pending = VerbService.call.on(channels.to(server.endpoint, SHOP)).future(CallRequest(), timeout=10)
        assert entered.wait(10)
        stopping = threading.Thread(target=server.stop, args=(10,))
        stopping.start()
        leave.set()
        assert pending.result().body == b"done"
        stopping.join(10)
        assert server.wait(1)


def test_the_largest_body_gets_through_and_a_larger_one_does_not(channel: Channel) -> None:
    assert len(ask(channel, bytes(BODY_LIMIT))) == BODY_LIMIT
    with pytest.raises(grpc.RpcError) as caught:
        ask(channel, bytes(BODY_LIMIT * 2))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_peer_without_an_identity_is_refused() -> None:
    class Anonymous:
        def auth_context(self) -> dict[str, list[bytes]]:
            return {}

    with pytest.raises(FtlError) as caught:
        peer(Anonymous())  # type: ignore[arg-type]
    assert caught.value.slug == "peer-refused"


def test_a_server_is_not_started_where_tls_1_2_cannot_be_ruled_out(
    shop: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftl_nb.rpc.tls.TLS13_ONLY", False)
    with pytest.raises(FtlError, match=r"TLS 1\.2"):
        serve(handlers(), shop)
