"""What is left to show of a long call's output, once its lines were followed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import pytest

from ftl_nb.client.live import Live, LiveCall, Piece, kept, piece_of, remaining
from ftl_nb.rpc import admin_pb2, event_pb2


def out(text: str, stream: str = "stdout") -> Piece:
    return Piece(stream=stream, text=text)


def texts(pieces: Iterable[Piece]) -> list[tuple[str, str]]:
    return [(p.stream, p.text) for p in pieces]


@pytest.mark.parametrize(
    ("shown", "output", "left"),
    [
        ([], [out("a\nb\n")], [("stdout", "a\nb\n")]),
        ([out("a\n")], [out("a\nb\n")], [("stdout", "b\n")]),
        ([out("a\n"), out("b\n")], [out("a\n"), out("b\n")], []),
        ([out("a\n"), out("b\n")], [out("a\n\n\nb\n\n")], []),
        ([out("b\n"), out("a\n")], [out("a\nb\nc\n")], [("stdout", "c\n")]),
        ([out("x\n")], [out("x\nx\n")], [("stdout", "x\n")]),
        ([out("step 0"), out("step 1")], [out("step 0step 1step 2")], [("stdout", "step 2")]),
        ([out("e\n", "stderr")], [out("o\n"), out("e\n", "stderr")], [("stdout", "o\n")]),
        ([out("elsewhere\n")], [out("a\n")], [("stdout", "a\n")]),
    ],
)
def test_what_was_shown_is_not_shown_again(
    shown: list[Piece], output: list[Piece], left: list[tuple[str, str]]
) -> None:
    assert texts(remaining(shown, output)) == left


def test_a_line_that_its_writer_left_open_stays_open() -> None:
    assert piece_of(event_pb2.LogEvent(message="a", attributes={"stream": "stdout", "open": "1"})).text == "a"
    assert piece_of(event_pb2.LogEvent(message="a", attributes={"stream": "stdout"})).text == "a\n"


def test_no_more_is_shown_than_an_answer_may_hold() -> None:
    from contextvars import copy_context

    call = LiveCall("req", 0.0, copy_context())
    pieces = kept(call, [out("x" * 60_000), out("y" * 60_000), out("z")])
    assert [p.text[:9] for p in pieces] == ["x" * 9, "… (the re"]
    assert call.full


class Lines:
    """The lines of one request; they come when `come` is set, and end when the call does."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def __iter__(self) -> Iterator[admin_pb2.StreamLogsResponse]:
        yield admin_pb2.StreamLogsResponse(logs=[event_pb2.LogEvent(message="early", attributes={"stream": "stdout"})])
        self.ended.wait(10)

    def cancel(self) -> None:
        self.ended.set()


def test_the_lines_of_a_long_call_are_shown_before_its_end_and_once() -> None:
    lines, shown, seen = Lines(), list[Piece](), threading.Event()

    def show(pieces: Iterable[Piece]) -> None:
        shown.extend(pieces)
        seen.set()

    live = Live(lambda key: lines, show)
    call = live.begin("req")
    assert seen.wait(10)
    assert texts(shown) == [("stdout", "early\n")]
    assert texts(live.end(call, [out("early\nlate\n")])) == [("stdout", "late\n")]
    assert lines.ended.is_set()
    live.close()


def test_a_short_call_is_not_followed() -> None:
    def follow(key: str) -> Lines:
        raise AssertionError(key)

    live = Live(follow, lambda pieces: None)
    output = [out("all\n")]
    assert live.end(live.begin("req"), output) is output
    live.close()
