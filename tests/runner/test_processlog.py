"""Who wrote what to a process's log file."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftl_nb.rpc import CallContext
from ftl_nb.runner.execution import Running
from ftl_nb.runner.processlog import READ_LIMIT, ProcessLog
from ftl_nb.runner.reporter import LogRecord, Record, Reporter


class Kept(Reporter):
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def add(self, record: Record) -> None:
        assert isinstance(record, LogRecord)
        self.lines.append((record.verb, record.text))


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def log(tmp_path: Path, kept: Kept) -> Iterator[ProcessLog]:
    path = tmp_path / "runner-shop.log"
    path.write_text("of an earlier run\n")
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    yield ProcessLog(fd, str(path), "shop", kept)
    os.close(fd)


def call(verb: str) -> Running:
    return Running(f"shop.{verb}", CallContext.start("req-ingress-test-0"), lambda: "")


def other(log: ProcessLog, text: str) -> None:
    """A subprocess writes."""
    subprocess.run(["printf", "%s", text], stdout=log.fileno(), check=True)


def text_of(made: Running) -> str:
    return "".join(piece.text for piece in made.output)


def test_what_comes_during_a_call_is_its_output(log: ProcessLog, kept: Kept) -> None:
    other(log, "before\n")
    made = call("a")
    log.begin(made, None)
    other(log, "one\n\ntw")
    log.write("our own\n")
    other(log, "o")
    log.end(made)
    other(log, "after\n")
    log.look()
    assert text_of(made) == "one\n\ntwo"
    assert kept.lines == [("", "before"), ("shop.a", "one"), ("shop.a", "two"), ("", "after")]


def test_of_calls_made_in_one_another_the_innermost_has_it(log: ProcessLog, kept: Kept) -> None:
    outer, inner = call("outer"), call("inner")
    log.begin(outer, None)
    other(log, "1\n")
    log.begin(inner, outer)
    other(log, "2\n")
    log.end(inner)
    other(log, "3\n")
    log.end(outer)
    assert (text_of(outer), text_of(inner)) == ("1\n3\n", "2\n")


def test_of_calls_side_by_side_nobody_knows_and_the_module_has_it(log: ProcessLog, kept: Kept) -> None:
    first, second = call("first"), call("second")
    log.begin(first, None)
    log.begin(second, None)
    other(log, "whose\n")
    log.end(first)
    log.end(second)
    assert (text_of(first), text_of(second)) == ("", "")
    assert kept.lines == [("", "whose")]


def test_a_letter_in_two_pieces_is_one_letter(log: ProcessLog, kept: Kept) -> None:
    made = call("a")
    log.begin(made, None)
    os.write(log.fileno(), "ü".encode()[:1])
    log.look()
    os.write(log.fileno(), "ü".encode()[1:] + b"\xff\n")
    log.end(made)
    assert text_of(made) == "ü\N{REPLACEMENT CHARACTER}\n"


def test_of_a_flood_there_is_the_beginning(log: ProcessLog, kept: Kept) -> None:
    made = call("a")
    log.begin(made, None)
    other(log, "x\n")
    log.look()
    os.write(log.fileno(), b"x\n" * READ_LIMIT)
    log.end(made)
    assert kept.lines[-1] == ("shop.a", f"… ({READ_LIMIT:,} bytes more are in the module's log file)")


def test_a_file_that_was_cut_is_no_trouble(log: ProcessLog, kept: Kept) -> None:
    made = call("a")
    log.begin(made, None)
    os.ftruncate(log.fileno(), 0)
    other(log, "x\n")
    log.look()
    other(log, "y\n")
    log.end(made)
    assert text_of(made).endswith("y\n")


def test_where_there_is_no_log_file_nothing_is_told(tmp_path: Path, kept: Kept) -> None:
    read, write = os.pipe()
    log = ProcessLog(write, str(tmp_path / "none.log"), "shop", kept)
    made = call("a")
    log.begin(made, None)
    log.write("ours\n")
    other(log, "theirs\n")
    log.end(made)
    assert (text_of(made), kept.lines) == ("", [])
    os.close(write)
    assert os.read(read, 100) == b"ours\ntheirs\n"
    os.close(read)


def test_what_another_runner_of_the_module_wrote_before_is_not_told(
    log: ProcessLog, kept: Kept, tmp_path: Path
) -> None:
    with (tmp_path / "runner-shop.log").open("a") as file:
        file.write("of another runner\n")
    made = call("a")
    log.begin(made, None)
    other(log, "ours\n")
    log.end(made)
    assert text_of(made) == "ours\n"
