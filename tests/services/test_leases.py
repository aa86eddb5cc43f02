"""The lease service: one holder at a time, for as long as it renews, with tokens that grow."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

from ftl_nb.errors import FtlError
from ftl_nb.rpc import Identity, event_pb2, lease_pb2
from ftl_nb.services.leases import Leases, LeaseServer
from ftl_nb.store import SqliteStore

KEY = "module/shop/reindex/acme"


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "store")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leases(store: SqliteStore, clock: Clock) -> Leases:
    return Leases(store, clock)


def refused(call: object) -> str:
    with pytest.raises(FtlError) as caught:
        call()  # type: ignore[operator]
    return caught.value.slug


def test_a_lease_has_one_holder(leases: Leases) -> None:
    leases.take(KEY, "module/shop", 30)
    with pytest.raises(FtlError) as caught:
        leases.take(KEY, "module/shop", 30)
    assert caught.value.message == (
        "The lease reindex/acme is held by module/shop, for 30 s more unless it is renewed."
    )
    leases.take("module/shop/reindex/other", "module/shop", 30)


def test_a_lease_that_was_given_back_is_free_and_its_next_token_is_larger(leases: Leases) -> None:
    first = leases.take(KEY, "module/shop", 30)
    leases.release(KEY, first)
    assert leases.take(KEY, "module/shop", 30) > first


def test_a_late_release_does_not_end_the_next_holders_lease(leases: Leases, clock: Clock) -> None:
    first = leases.take(KEY, "module/shop", 30)
    clock.now += 31
    leases.take(KEY, "module/shop", 30)
    leases.release(KEY, first)
    assert refused(lambda: leases.take(KEY, "module/shop", 30)) == "lease-held"


def test_renewing_keeps_a_lease(leases: Leases, clock: Clock) -> None:
    token = leases.take(KEY, "module/shop", 30)
    for _ in range(5):
        clock.now += 20
        leases.renew(KEY, token, 30)
    assert refused(lambda: leases.take(KEY, "module/shop", 30)) == "lease-held"


def test_a_lease_that_ended_cannot_be_renewed_though_nobody_took_it(leases: Leases, clock: Clock) -> None:
    token = leases.take(KEY, "module/shop", 30)
    clock.now += 30
    assert refused(lambda: leases.renew(KEY, token, 30)) == "lease-lost"


def test_tokens_grow_over_restarts_and_old_leases_are_dropped(store: SqliteStore, clock: Clock) -> None:
    first = Leases(store, clock).take(KEY, "module/shop", 30)
    assert Leases(store, clock).take(KEY, "module/shop", 30) > first


def test_who_waits_gets_it_when_it_is_given_back(store: SqliteStore) -> None:
    leases, got = Leases(store), []
    first = leases.take(KEY, "module/shop", 30)
    waiting = threading.Thread(target=lambda: got.append(leases.take(KEY, "module/shop", 30, wait=20)))
    waiting.start()
    leases.release(KEY, first)
    waiting.join(20)
    assert got
    assert got[0] > first


def test_who_waits_gets_it_when_it_ends_by_itself(store: SqliteStore) -> None:
    leases = Leases(store)
    first = leases.take(KEY, "module/shop", 0.2)
    assert leases.take(KEY, "module/shop", 30, wait=20) > first


def test_who_has_gone_waits_no_more(store: SqliteStore) -> None:
    leases = Leases(store)
    leases.take(KEY, "module/shop", 30)
    assert refused(lambda: leases.take(KEY, "module/shop", 30, wait=20, alive=lambda: False)) == "lease-held"


class Peer:
    """The call of a runner of module shop."""

    def add_callback(self, callback: object) -> bool:
        return True

    def is_active(self) -> bool:
        return True


def test_each_step_of_a_lease_is_told(leases: Leases, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftl_nb.services.leases.peer", lambda context: Identity.module("shop", "lab"))
    told: list[event_pb2.LeaseEvent] = []
    server = LeaseServer(leases, told.append)
    asked = lease_pb2.AcquireLeaseRequest(key=KEY.split("/"), ttl=Duration(seconds=30))
    first = server.acquire(iter([asked, asked]), Peer())  # type: ignore[arg-type]
    token = next(first).token
    with pytest.raises(FtlError):
        list(server.acquire(iter([asked]), Peer()))  # type: ignore[arg-type]
    assert len(list(first)) == 1
    second = server.acquire(iter([asked]), Peer())  # type: ignore[arg-type]
    next(second)
    clock.now += 31
    assert list(second) == []
    steps = [(e.lease, e.action, e.token == token) for e in told]
    assert steps == [
        ("shop/reindex/acme", "acquired", True),
        ("shop/reindex/acme", "refused", False),
        ("shop/reindex/acme", "released", True),
        ("shop/reindex/acme", "acquired", False),
        ("shop/reindex/acme", "lost", False),
    ]
    assert "held by" in told[1].error
    assert told[0].ttl.seconds == 30
