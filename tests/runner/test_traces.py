"""Tracebacks across calls: the author's frames of every hop, once each."""

import linecache

from ftl_nb.errors import FtlError, VerbError
from ftl_nb.runner.traces import gone_through

SOURCE = """
def call(error):
    raise error
"""


def passed(error: FtlError, cell: str, times: int) -> FtlError:
    """The error after it went through a call that a cell makes, so many times."""
    names: dict[str, object] = {}
    linecache.cache[cell] = len(SOURCE), None, SOURCE.splitlines(keepends=True), cell
    exec(compile(SOURCE, cell, "exec"), names)
    for _ in range(times):
        try:
            names["call"](error)  # type: ignore[operator]
        except FtlError as caught:
            below = caught.__traceback__.tb_next if caught.__traceback__ else None
            error = gone_through(caught.with_traceback(below))
    return error


def test_every_hop_stands_before_what_it_called() -> None:
    error = passed(passed(VerbError("verb-raised", "no"), "<shop/inner>", 1), "<cafe/outer>", 1)
    assert [line for line in error.remote.splitlines() if "File" in line] == [
        '  File "<cafe/outer>", line 3, in call',
        '  File "<shop/inner>", line 3, in call',
    ]
    assert error.place is not None
    assert error.place.filename == "<shop/inner>"


def test_a_verb_that_calls_itself_is_counted() -> None:
    error = passed(passed(VerbError("verb-raised", "no"), "<shop/deep>", 1000), "<cafe/outer>", 1)
    frame = ['  File "<shop/deep>", line 3, in call', "    raise error"]
    head, outer, line, *lines, last = error.remote.splitlines()
    assert lines == [*frame, *frame, *frame, "  [Previous call repeated 997 more times]"]
    assert (head, outer) == ("Traceback (most recent call last):", '  File "<cafe/outer>", line 3, in call')
    assert line == "    raise error"
    assert last.endswith("no")


def test_one_more_is_counted_in_the_singular() -> None:
    error = passed(VerbError("verb-raised", "no"), "<shop/deep>", 4)
    assert "  [Previous call repeated 1 more time]" in error.remote.splitlines()
