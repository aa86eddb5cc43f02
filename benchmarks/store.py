"""A commit to the store, on each engine: the floor is the same write as a bare transaction of what it stands on."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from math import inf
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.measure import Row, Scale, in_turn, ratio_row, stated, timed
from ftl_nb.errors import FtlError
from ftl_nb.rpc.tls import grpc
from ftl_nb.store import Condition, Conflict, Put, Store, open_store
from ftl_nb.store.etcd import api, rpc_pb2

VALUE = b"x" * 256
MEMBERS = 3
_UP_SECONDS = 30.0


def measure(bench: Bench) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="ftl-bench-") as name:
        return [_sqlite(Path(name), bench.scale), _etcd(Path(name), bench.scale)]


def _sqlite(folder: Path, scale: Scale) -> Row:
    with open_store(folder / "ours") as store, closing(_bare_file(folder / "bare.db")) as bare:
        turns = in_turn(timed(_commits(store)), timed(_bare_commits(bare)), scale)
    note = "floor: one row into SQLite with the same WAL and synchronous=FULL"
    return stated(ratio_row("store", "commit of one key to the store on SQLite, p50", turns, 0.5, inf, note))


def _etcd(folder: Path, scale: Scale) -> Row:
    what = "commit of one key to the store on etcd, three members, p50"
    if shutil.which("etcd") is None:
        return Row("store_etcd", what, "ms", None, None, None, "–", None, None, "etcd is missing: make servers")
    with (
        _members(folder) as endpoints,
        closing(grpc.insecure_channel(endpoints[0])) as channel,
        _opened(f"etcd://{','.join(endpoints)}/bench") as store,
    ):
        turns = in_turn(timed(_commits(store)), timed(_bare_transactions(api.TXN.on(channel))), scale)
    note = "floor: one bare Txn over grpcio, one condition and one put"
    return stated(ratio_row("store_etcd", what, turns, 0.5, inf, note))


def _commits(store: Store) -> Callable[[], object]:
    """Each on condition that the key is as the one before left it."""
    revision = 0

    def commit() -> None:
        nonlocal revision
        after = store.commit([Condition("key", revision)], [Put("key", VALUE)])
        if isinstance(after, Conflict):
            raise RuntimeError("somebody else writes to the store of a benchmark")
        revision = after

    return commit


def _bare_file(file: Path) -> sqlite3.Connection:
    bare = sqlite3.connect(file, isolation_level=None)
    bare.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (n INTEGER, v BLOB);")
    return bare


def _bare_commits(bare: sqlite3.Connection) -> Callable[[], object]:
    numbers = count()

    def commit() -> None:
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("INSERT INTO t VALUES (?, ?)", (next(numbers), VALUE))
        bare.execute("COMMIT")

    return commit


def _bare_transactions(send: Callable[[rpc_pb2.TxnRequest], rpc_pb2.TxnResponse]) -> Callable[[], object]:
    revision = 0
    put = rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=b"bare", value=VALUE))

    def commit() -> None:
        nonlocal revision
        unmoved = rpc_pb2.Compare(target=rpc_pb2.Compare.MOD, key=b"bare", mod_revision=revision)
        response = send(rpc_pb2.TxnRequest(compare=[unmoved], success=[put]))
        revision = response.header.revision

    return commit


@contextmanager
def _members(folder: Path) -> Iterator[list[str]]:
    """A real etcd on loopback; the endpoints of its clients."""
    endpoints, peers = (_free(MEMBERS) for _ in range(2))
    cluster = ",".join(f"m{n}=http://{peer}" for n, peer in enumerate(peers))
    with ExitStack() as stack, (folder / "etcd.log").open("ab") as log:
        for n, (endpoint, peer) in enumerate(zip(endpoints, peers, strict=True)):
            client, other = (f"http://{address}" for address in (endpoint, peer))
            words = ["etcd", f"--name=m{n}", f"--data-dir={folder}/m{n}", f"--initial-cluster={cluster}"]
            words += [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
            words += [f"--listen-peer-urls={other}", f"--initial-advertise-peer-urls={other}"]
            process = subprocess.Popen(words, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield endpoints


def _free(number: int) -> list[str]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]


def _opened(address: str) -> Store:
    """As soon as there is a leader."""
    give_up, pause = time.monotonic() + _UP_SECONDS, threading.Event()
    while True:
        try:
            return open_store(address)
        except FtlError:
            if time.monotonic() > give_up:
                raise
            pause.wait(0.1)
