"""The gate of a runner that is on its way out."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from ftl_nb.runner.service import Gate

SOON = 20.0


def test_a_closed_gate_waits_for_those_inside_and_lets_nobody_in() -> None:
    gate = Gate()
    assert gate.enter()
    with ThreadPoolExecutor(1) as threads:
        closing = threads.submit(gate.close, SOON)
        while gate.enter():
            gate.leave()
        assert not closing.done()
        gate.leave()
        assert closing.result(SOON) == 0
    assert gate.close(0) == 0


def test_the_bound_of_a_close_tells_how_many_are_left() -> None:
    gate = Gate()
    gate.enter()
    assert gate.close(0.01) == 1


def test_it_is_quiet_once_nobody_has_come_for_a_while() -> None:
    gate = Gate()
    gate.close(0)
    with ThreadPoolExecutor(1) as threads:
        quiet = threads.submit(gate.be_quiet, 0.2, SOON)
        last = time.monotonic()
        for _ in range(200):
            assert not gate.enter()
            last = time.monotonic()
        quiet.result(SOON)
    assert time.monotonic() - last >= 0.19
    began = time.monotonic()
    gate.be_quiet(SOON, 0.05)
    assert time.monotonic() - began < SOON / 2
