"""Keeps a process's certificate fresh."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from ftl_nb.errors import FtlError
from ftl_nb.rpc.channels import Credentials
from ftl_nb.rpc.identity import Leaf
from ftl_nb.rpc.tls import grpc

#: A machine that slept is noticed after this many seconds: clocks that threads wait on sleep with it.
_LONGEST_WAIT = 60.0
_TRIES_IN_A_LIFE = 40


def keep_fresh(
    credentials: Credentials, renew: Callable[[], Leaf], on_expired: Callable[[], None] = lambda: None
) -> None:
    """Starts a thread that swaps in what `renew()` gives from half of the certificate's life on.

    A renewal that fails is tried again; `on_expired` is called when the certificate has ended meanwhile.
    """
    threading.Thread(target=_run, args=(credentials, renew, on_expired), name="ftl-renew", daemon=True).start()


def _run(credentials: Credentials, renew: Callable[[], Leaf], on_expired: Callable[[], None]) -> None:
    pause = threading.Event()
    while True:
        leaf = credentials.leaf
        due = (leaf.renew_at - datetime.now(UTC)).total_seconds()
        if due > 0:
            pause.wait(min(due, _LONGEST_WAIT))
            continue
        try:
            credentials.replace(renew())
        except (FtlError, grpc.RpcError) as e:
            print(f"the certificate of {leaf.identity.path} was not renewed: {type(e).__name__}", flush=True)
            if leaf.not_after < datetime.now(UTC):
                on_expired()
            life = (leaf.not_after - leaf.not_before).total_seconds()
            pause.wait(min(life / _TRIES_IN_A_LIFE, _LONGEST_WAIT))
