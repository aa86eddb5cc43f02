"""When leases end, on a clock that the test turns."""

from __future__ import annotations

import threading

import pytest

from ftl_nb.errors import fail
from ftl_nb.store import LeaseGoneError
from ftl_nb.store.expiry import Expiry


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_lease_ends_when_its_time_is_over_and_not_before() -> None:
    clock, dropped = Clock(), list[int]()
    expiry = Expiry(dropped.append, clock)
    expiry.add(1, 10)
    expiry.add(2, 30)
    clock.now += 9.9
    expiry.drop_ended()
    assert dropped == []
    assert expiry.renew(1) == 10
    clock.now += 9.9
    assert expiry.lives(1)
    clock.now += 0.1
    assert not expiry.lives(1)
    with pytest.raises(LeaseGoneError):
        expiry.renew(1)
    expiry.drop_ended()
    assert dropped == [1]
    assert expiry.renew(2) == 30
    expiry.close()


def test_a_lease_that_is_given_back_is_not_dropped_again() -> None:
    clock, dropped = Clock(), list[int]()
    expiry = Expiry(dropped.append, clock)
    expiry.add(1, 1)
    expiry.forget(1)
    clock.now += 2
    expiry.drop_ended()
    expiry.close()
    assert dropped == []


def test_an_end_that_cannot_be_written_is_written_later() -> None:
    clock, full, dropped = Clock(), [True], list[int]()

    def drop(lease: int) -> None:
        if full[0]:
            raise fail("disk-full", folder="state", detail="no space")
        dropped.append(lease)

    expiry = Expiry(drop, clock)
    expiry.add(1, 1)
    clock.now += 2
    expiry.drop_ended()
    assert not expiry.lives(1)
    full[0] = False
    expiry.drop_ended()
    expiry.close()
    assert dropped == [1]


def test_the_thread_wakes_for_the_lease_that_ends_first() -> None:
    ended = threading.Event()
    expiry = Expiry(lambda lease: ended.set() if lease == 2 else None)
    expiry.add(1, 3600)
    expiry.add(2, 0.05)
    assert ended.wait(10)
    assert expiry.lives(1)
    expiry.close()
