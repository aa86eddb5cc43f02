"""The floor: a plain grpcio server of its own process with nothing in it but an echo, over the TLS of the cluster.

`python -m benchmarks.bare` reads its certificate, its thread count and, to relay, the address of a second one from
standard input, prints its own address and serves until that input ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import msgspec

from ftl_nb.rpc import Authority, Credentials, Identity, Leaf, dial
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.wire import SERVER_OPTIONS

REALM = "bench"
ECHO, RELAY = "/bench.Bare/Echo", "/bench.Bare/Relay"


class Body(msgspec.Struct):
    """The same shape as the verbs' request."""

    text: str
    number: int


#: 256 bytes as JSON.
BODY = msgspec.json.encode(Body("x" * (256 - len(msgspec.json.encode(Body("", 1)))), 1))

Call = Callable[[bytes], bytes]


@dataclass(slots=True)
class Bare:
    """One running server; `call` and `relay` go to it over `channel`, with the certificate `leaf`."""

    process: subprocess.Popen[str]
    endpoint: str
    identity: Identity
    leaf: Leaf
    channel: Any
    call: Call
    relay: Call

    @classmethod
    def start(cls, authority: Authority, threads: int, behind: str = "") -> Self:
        identity = Identity.service("bare", REALM)
        given = {"leaf": authority.issue(identity).to_dict(), "threads": threads, "behind": behind}
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.bare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the pipes of a child are always there")
        process.stdin.write(json.dumps(given) + "\n")
        process.stdin.flush()
        endpoint = process.stdout.readline().strip()
        leaf = authority.issue(Identity.client("bench", "1", REALM))
        channel = dial(endpoint, identity, Credentials(leaf))
        return cls(process, endpoint, identity, leaf, channel, channel.unary_unary(ECHO), channel.unary_unary(RELAY))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()
        self.process.communicate()


def main() -> None:
    given = json.loads(sys.stdin.readline())
    credentials = Credentials(Leaf.from_dict(given["leaf"]))
    decode, encode = msgspec.json.Decoder(Body).decode, msgspec.json.Encoder().encode

    def echo(body: bytes, context: object) -> bytes:
        return encode(decode(body))

    methods = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    if given["behind"]:
        further = dial(given["behind"], credentials.identity, credentials).unary_unary(ECHO)

        def relay(body: bytes, context: object) -> bytes:
            return encode(decode(further(encode(decode(body)))))

        methods["Relay"] = grpc.unary_unary_rpc_method_handler(relay)
    server = grpc.server(ThreadPoolExecutor(given["threads"]), options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Bare", methods),))
    leaf = credentials.leaf
    pair = [(leaf.key_pem, leaf.certificate_pem)]
    secure = grpc.ssl_server_credentials(pair, leaf.ca_pem, require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", secure)
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main()
