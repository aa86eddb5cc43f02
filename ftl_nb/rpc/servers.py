"""The one way to serve: mutual TLS 1.3 on a free loopback port, every caller known by its identity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ftl_nb.errors import fail
from ftl_nb.rpc import tls
from ftl_nb.rpc.channels import Credentials
from ftl_nb.rpc.identity import Identity, Leaf
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.types import CertificateConfiguration, Context, Handler, ServerCredentials
from ftl_nb.rpc.wire import LOOPBACK, SERVER_OPTIONS
from ftl_nb.rpc.workers import Workers


class Server:
    """A serving server. `port` is the one it was given; `stop` ends it."""

    def __init__(self, server: Any, workers: Workers, port: int) -> None:
        self._server = server
        self._workers = workers
        self.port = port

    @property
    def endpoint(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def stop(self, grace: float | None = None) -> None:
        """Take no new call, give those in flight `grace` seconds (None: none), return when all have ended."""
        self._server.stop(grace).wait()
        self._workers.shutdown()

    def wait(self, timeout: float | None = None) -> bool:
        """Until stopped; False when `timeout` seconds passed before."""
        return not self._server.wait_for_termination(timeout)


def serve(handlers: Iterable[Handler], credentials: Credentials, threads: int = 8) -> Server:
    """Start a server of `handlers` with `threads` threads; it is reachable when this returns.

    Callers need a certificate of the same authority. A renewed certificate is used from the next handshake on.
    """
    if not tls.TLS13_ONLY:
        raise fail("internal", detail="gRPC was imported before ftl_nb.rpc.tls, so a server could not rule out TLS 1.2")
    workers = Workers(threads)
    server = grpc.server(workers, handlers=tuple(handlers), options=SERVER_OPTIONS)
    port = server.add_secure_port(f"{LOOPBACK}:0", _server_credentials(credentials))
    server.start()
    return Server(server, workers, port)


def peer(context: Context) -> Identity:
    """Who is calling. Raises FtlError `peer-refused` when the certificate names nothing of ours."""
    found = context.auth_context().get("peer_spiffe_id")
    if not found:
        raise fail("peer-refused", detail="its certificate has no identity")
    return Identity.parse(found[0].decode())


def _server_credentials(credentials: Credentials) -> ServerCredentials:
    used = credentials.leaf

    def fetch() -> CertificateConfiguration:
        nonlocal used
        if used is credentials.leaf:
            return None
        used = credentials.leaf
        return _configuration(used)

    return grpc.dynamic_ssl_server_credentials(_configuration(used), fetch, require_client_authentication=True)


def _configuration(leaf: Leaf) -> CertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(leaf.key_pem, leaf.certificate_pem)], leaf.ca_pem)
