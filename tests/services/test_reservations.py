"""Who changes which module: beside each other, one after the other, or refused."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ftl_nb.services.reservations import Reservations

SOON = 20.0


class HeldError(Exception):
    """Tells the module and who holds it."""


@pytest.fixture
def reservations() -> Reservations:
    def refuse(module: str, holder: str) -> None:
        raise HeldError(module, holder)

    return Reservations(refuse)


def test_different_modules_are_held_beside_each_other(reservations: Reservations) -> None:
    with reservations.of("a", ["shop"]), reservations.of("b", ["till"]) as both:
        assert both is None


def test_a_held_module_is_refused_with_its_holder_and_holds_nothing(reservations: Reservations) -> None:
    with reservations.of("a", ["shop"]):
        with pytest.raises(HeldError, match=r"shop.*'a'"), reservations.of("b", ["till", "shop"]):
            pass
        with reservations.of("c", ["till"]):
            pass
    with reservations.of("b", ["shop", "till"]):
        pass


def test_what_one_client_asks_goes_one_after_the_other(reservations: Reservations) -> None:
    entered, leave, order = threading.Event(), threading.Event(), list[str]()

    def first() -> None:
        with reservations.turn("a"):
            entered.set()
            leave.wait(SOON)
            order.append("first")

    def second() -> None:
        with reservations.turn("a"):
            order.append("second")

    with ThreadPoolExecutor() as threads:
        threads.submit(first)
        assert entered.wait(SOON)
        waiting = threads.submit(second)
        with reservations.turn("b"):
            assert order == []
        leave.set()
        waiting.result(SOON)
    assert order == ["first", "second"]


def test_all_waits_for_what_is_held_and_holds_the_rest_up(reservations: Reservations) -> None:
    entered, leave, order = threading.Event(), threading.Event(), list[str]()

    def everything() -> None:
        with reservations.of_all():
            order.append("all")
            entered.set()
            leave.wait(SOON)
            order.append("all over")

    def one() -> None:
        with reservations.of("b", ["till"]):
            order.append("one")

    with ThreadPoolExecutor() as threads:
        with reservations.of("a", ["shop"]):
            resetting = threads.submit(everything)
            assert not entered.is_set()
            order.append("held")
        assert entered.wait(SOON)
        waiting = threads.submit(one)
        leave.set()
        resetting.result(SOON)
        waiting.result(SOON)
    assert order == ["held", "all", "all over", "one"]
