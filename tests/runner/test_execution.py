"""One verb, run: what comes back, and how it is cancelled."""

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ftl_nb.binding.verbs import Verb
from ftl_nb.rpc import CallContext
from ftl_nb.runner.execution import OUTPUT_LIMIT, Executor, Interruptible, Outcome, Running, running


def double(n: int) -> int:
    return 2 * n


async def double_later(n: int) -> int:
    return 2 * n


def wrong(n: int) -> int:
    return "text"  # type: ignore[return-value]


def broken(n: int) -> int:
    return n // 0


def call() -> Running:
    return Running("shop.double", CallContext.start("req-ingress-test-0"), lambda: "")


def run(function: Callable[..., Any], body: bytes) -> Outcome:
    return Executor().execute(Verb("shop", function.__name__, function=function), body, call(), Interruptible())


def unsayable(n: int) -> int:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    raise Mute


def lengthy(n: int) -> int:
    raise ValueError("x" * n)


def grouped(n: int) -> int:
    raise ExceptionGroup("many", [ValueError("a"), ExceptionGroup("few", [TypeError("b")])])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (unsayable, "shop.unsayable raised Mute: (its message raised RuntimeError)."),
        (grouped, "shop.grouped raised ExceptionGroup: many (2 sub-exceptions)."),
    ],
)
def test_odd_exceptions_are_told_like_others(function: Callable[..., Any], message: str) -> None:
    error = run(function, b"1").error
    assert error is not None
    assert error.message == message


def test_an_exception_of_many_words_is_cut() -> None:
    error = run(lengthy, b"1000000").error
    assert error is not None
    assert len(error.message) + len(error.remote) < 20_000
    assert "(1,000,000 characters in all)" in error.message


def test_the_exceptions_of_a_group_are_told() -> None:
    error = run(grouped, b"1").error
    assert error is not None
    assert error.remote.splitlines()[-3:] == [
        "  ValueError: a",
        "  ExceptionGroup: few (1 sub-exception)",
        "    TypeError: b",
    ]


def test_a_process_that_a_verb_forked_does_not_answer_too() -> None:
    def fork(n: int) -> int:
        child = os.fork()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if child else 0

    assert run(fork, b"1").body == b"77"


@pytest.mark.parametrize("function", [double, double_later])
def test_a_verb_answers(function: Callable[..., Any]) -> None:
    assert run(function, b"21").body == b"42"


@pytest.mark.parametrize(
    ("function", "body", "slug"),
    [(double, b'"x"', "json-invalid"), (wrong, b"1", "result-invalid"), (broken, b"1", "verb-raised")],
)
def test_what_goes_wrong_is_in_the_outcome(function: Callable[..., Any], body: bytes, slug: str) -> None:
    error = run(function, body).error
    assert error is not None
    assert error.slug == slug


def test_the_traceback_is_the_authors() -> None:
    error = run(broken, b"1").error
    assert error is not None
    assert "return n // 0" in error.remote
    assert "in _call" not in error.remote
    assert error.place is not None
    assert error.place.source_line.strip() == "return n // 0"


def test_a_busy_loop_is_cancelled_and_its_finally_runs() -> None:
    started, ended, guard = threading.Event(), threading.Event(), Interruptible()

    def spin(n: int) -> int:
        try:
            started.set()
            while True:
                n += 1
        finally:
            ended.set()

    outcomes: list[Outcome] = []
    verb = Verb("shop", "spin", function=spin)
    thread = threading.Thread(target=lambda: outcomes.append(Executor().execute(verb, b"1", call(), guard)))
    thread.start()
    assert started.wait(5)
    guard.cancel()
    thread.join(5)
    assert ended.is_set()
    assert outcomes[0].error is not None
    assert outcomes[0].error.slug == "cancelled"


def test_cancelling_after_the_end_does_nothing() -> None:
    guard = Interruptible()
    Executor().execute(Verb("shop", "double", function=double), b"1", call(), guard)
    guard.cancel()
    assert running.get() is None


def test_output_is_bounded() -> None:
    made = call()
    for _ in range(3):
        made.write("stdout", "x" * OUTPUT_LIMIT, "shop")
    assert sum(len(o.text) for o in made.output) < OUTPUT_LIMIT + 100
    assert "%ftl logs" not in made.output[0].text
