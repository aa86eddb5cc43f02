"""gRPC must be imported through the room that narrows it to TLS 1.3, before any test module imports it."""

from collections.abc import Callable, Iterator

import pytest

import ftl_nb.rpc.tls  # noqa: F401
from ftl_nb.rpc import Authority, Channel, Context, Credentials, Identity, Server, dial, handlers, peer, serve
from ftl_nb.rpc.services import VerbService
from ftl_nb.rpc.verb_pb2 import CallRequest, CallResponse

REALM = "play"
SHOP = Identity.module("shop", REALM)
USERS = Identity.module("users", REALM)

Call = Callable[[CallRequest, Context], CallResponse]


def echo(request: CallRequest, context: Context) -> CallResponse:
    """Answers the body; with an empty one, who is calling."""
    return CallResponse(body=request.body or str(peer(context)).encode())


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority(REALM)


@pytest.fixture
def shop(authority: Authority) -> Credentials:
    return Credentials(authority.issue(SHOP))


@pytest.fixture
def users(authority: Authority) -> Credentials:
    return Credentials(authority.issue(USERS))


@pytest.fixture
def start(shop: Credentials) -> Iterator[Callable[..., Server]]:
    """Serves a VerbService as module `shop` until the test's end."""
    started: list[Server] = []

    def start(call: Call = echo, threads: int = 2) -> Server:
        started.append(serve(handlers(VerbService.call.served_by(call)), shop, threads=threads))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def server(start: Callable[[Call], Server]) -> Server:
    return start(echo)


@pytest.fixture
def channel(server: Server, users: Credentials) -> Iterator[Channel]:
    """From module `users` to module `shop`."""
    channel = dial(server.endpoint, SHOP, users)
    yield channel
    channel.close()
