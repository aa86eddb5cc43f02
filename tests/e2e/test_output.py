"""What verbs write, what they raise and what they did: under the calling cell, in the logs, on the trace."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from e2e.driver import Notebook, System
from ftl_nb.errors import VerbError
from ftl_nb.widgets import Span, Trace

OVEN = '''
    %%ftl_module oven
    """What bakes."""
    import logging
    import sys
'''
SHELF = """
    %%ftl_sql oven.shelf
    -- migrate:up
    CREATE TABLE loaves (name TEXT NOT NULL);
    -- migrate:down
    DROP TABLE loaves;

    -- name: LoafOf :one
    SELECT name FROM loaves WHERE name = @name;

    -- name: AddLoaf :exec
    INSERT INTO loaves (name) VALUES (@name);
"""
BAKE = """
    %%ftl_verb --export
    def bake(name: str, *, loaf_of) -> str:
        print("baking", name)
        print("hot", file=sys.stderr)
        logging.getLogger("oven").warning("door open")
        logging.getLogger("oven").debug("not shown")
        return loaf_of(name)
"""
BURN = """
    %%ftl_verb --export
    def burn(name: str) -> str:
        print("smoke")
        return _ash(name)

    def _ash(name: str) -> str:
        raise ValueError(f"{name} is ash")
"""
BAKERY = """
    import ftl_nb as ftl
    ftl.module("bakery")
    from ftl_nb.modules import oven

    @ftl.verb(export=True)
    def order(name: str) -> str:
        print("ordered")
        return oven.bake(name)

    @ftl.verb(export=True)
    def spoil(name: str) -> str:
        return oven.burn(name)

    @ftl.verb(export=True)
    async def wait(name: str) -> str:
        print("waiting")
        return await oven.bake.aio(name)

    @ftl.verb(export=True)
    def recover(name: str) -> str:
        try:
            return oven.burn(name)
        except Exception as e:
            return type(e).__name__
"""


@pytest.fixture(scope="module")
def bakery(system: System) -> Notebook:
    """Two modules: one calls the other, that one its database."""
    for cell in (OVEN, SHELF, BAKE, BURN, BAKERY):
        system.notebook.run(cell).ok  # noqa: B018
    system.notebook["add_loaf"]("rye")
    return system.notebook


# --- output ---------------------------------------------------------------------------------------------------------


def test_what_a_verb_writes_appears_under_the_calling_cell(bakery: Notebook) -> None:
    output = bakery.run("bake('rye')").ok
    assert output.value == "rye"
    assert output.stdout == "baking rye\n"
    assert output.stderr == "hot\nWARNING oven: door open\n"


def test_so_does_what_the_verbs_write_that_it_calls(bakery: Notebook) -> None:
    output = bakery.run("order('rye')").ok
    assert output.stdout == "ordered\nbaking rye\n"
    assert output.stderr == "hot\nWARNING oven: door open\n"


def test_and_what_an_async_verb_writes(bakery: Notebook) -> None:
    output = bakery.run("wait('rye')").ok
    assert (output.value, output.stdout) == ("rye", "waiting\nbaking rye\n")


def test_what_was_written_before_an_exception_is_shown_too(bakery: Notebook) -> None:
    assert "smoke\n" in bakery.run("spoil('rye')").shown


def test_logs_have_each_line_with_its_verb_right_after_the_call(bakery: Notebook) -> None:
    bakery.run("order('rye')").ok  # noqa: B018
    lines = bakery.run("%ftl logs --limit 4").ok.value.lines
    assert [(line.level, line.source, line.message) for line in lines] == [
        ("info", "bakery.order", "ordered"),
        ("info", "oven.bake", "baking rye"),
        ("info", "oven.bake", "hot"),
        ("warn", "oven.bake", "WARNING oven: door open"),
    ]


def test_logs_of_one_module(bakery: Notebook) -> None:
    bakery.run("order('rye')").ok  # noqa: B018
    assert {line.source for line in bakery.run("%ftl logs bakery").ok.value.lines} <= {
        "bakery.order",
        "bakery.wait",
        "bakery",
    }


def test_long_output_is_cut_with_a_word(bakery: Notebook) -> None:
    verb = """
        %%ftl_verb --module oven
        def crumbs(count: int) -> int:
            for n in range(count):
                print("crumb", n)
            return count
    """
    bakery.run(verb).ok  # noqa: B018
    output = bakery.run("crumbs(20_000)").ok
    assert len(output.stdout) < 70_000
    assert output.stdout.endswith("… (the rest is in %ftl logs)\n")
    assert bakery.run("crumbs(2)").ok.stdout == "crumb 0\ncrumb 1\n"


def test_output_of_many_callees_is_cut_as_one(bakery: Notebook) -> None:
    verb = """
        import ftl_nb as ftl
        ftl.module("loud")

        @ftl.verb(export=True)
        def shout(size: int) -> int:
            print("A" * size)
            return size

        @ftl.verb(export=True)
        def choir(times: int) -> int:
            return sum(shout(30_000) for _ in range(times))
    """
    bakery.run(verb).ok  # noqa: B018
    output = bakery.run("choir(5)").ok
    assert output.value == 150_000
    assert len(output.stdout) < 70_000
    assert output.stdout.endswith("… (the rest is in %ftl logs)\n")


# --- exceptions -----------------------------------------------------------------------------------------------------


def test_an_exception_is_one_verb_error_with_the_lines_of_the_own_cells(bakery: Notebook) -> None:
    output = bakery.run("burn('rye')")
    refused = output.refusal
    assert isinstance(refused, VerbError)
    assert refused.message == "oven.burn raised ValueError: rye is ash."
    assert refused.place is not None
    assert (refused.place.filename, refused.place.line) == ("<oven/burn>", 7)
    assert files_in(refused.remote) == ["<oven/burn>:4", "<oven/burn>:7"]
    assert "return _ash(name)" in refused.remote
    assert refused.remote.splitlines()[-1] == "ValueError: rye is ash"
    assert "site-packages" not in output.shown
    assert "ftl_nb/" not in output.shown


def test_over_two_modules_the_traceback_goes_through_both(bakery: Notebook) -> None:
    refused = bakery.run("spoil('rye')").refusal
    assert isinstance(refused, VerbError)
    assert refused.message == "oven.burn raised ValueError: rye is ash."
    assert files_in(refused.remote) == ["<bakery/module>:12", "<oven/burn>:4", "<oven/burn>:7"]


def test_a_verb_may_catch_what_another_raised(bakery: Notebook) -> None:
    assert bakery["recover"]("rye") == "VerbError"


def test_an_error_of_the_database_points_at_the_line_that_called_it(bakery: Notebook) -> None:
    refused = bakery.run("order('bun')").refusal
    assert refused.slug == "no-rows"
    assert refused.place is not None
    assert (refused.place.filename, refused.place.line) == ("<oven/bake>", 7)
    assert "loaf_of(name)" in refused.place.source_line


def files_in(traceback: str) -> list[str]:
    """`FILE:LINE` of every frame."""
    frames = [line.strip().split('"') for line in traceback.splitlines() if line.strip().startswith('File "')]
    return [f"{name}:{rest.split(',')[1].removeprefix(' line ')}" for _, name, rest in frames]


# --- traces ---------------------------------------------------------------------------------------------------------


def tree(trace: object) -> list[tuple[int, str, str]]:
    """Depth, kind and verb of each span."""
    assert isinstance(trace, Trace)
    return [(row.depth, row.span.kind, row.span.verb) for row in trace.rows()]


def span(trace: object, verb: str) -> Span:
    assert isinstance(trace, Trace)
    return next(s for s in trace.spans if s.verb == verb)


def test_a_trace_nests_from_the_call_to_the_query_right_after_it(bakery: Notebook) -> None:
    for _ in range(5):
        bakery.run("order('rye')").ok  # noqa: B018
        assert tree(bakery.run("%ftl trace").ok.value) == [
            (0, "verb", "bakery.order"),
            (1, "verb", "oven.bake"),
            (2, "sql", "oven.loafOf"),
        ]


def test_a_trace_has_requests_responses_statements_and_logs(bakery: Notebook) -> None:
    bakery.run("order('rye')").ok  # noqa: B018
    trace = bakery.run("%ftl trace").ok.value
    bake, query = span(trace, "oven.bake"), span(trace, "oven.loafOf")
    assert (bake.request, bake.response) == ('"rye"', '"rye"')
    assert query.sql == "SELECT name FROM loaves WHERE name = @name"
    assert [line.message for line in bake.logs] == ["baking rye", "hot", "WARNING oven: door open"]


def test_errors_are_marked_where_they_came_from_and_where_they_went(bakery: Notebook) -> None:
    bakery.run("order('bun')").refusal  # noqa: B018
    output = bakery.run("%ftl trace").ok
    assert {s.verb for s in output.value.spans if s.error} == {"oven.loafOf", "oven.bake", "bakery.order"}
    assert "3 spans · 3 errors" in output.text
    assert "found no row" in output.text


def test_an_error_that_was_caught_is_marked_where_it_came_from_alone(bakery: Notebook) -> None:
    bakery["recover"]("rye")
    trace = bakery.run("%ftl trace").ok.value
    assert {s.verb: bool(s.error) for s in trace.spans} == {"bakery.recover": False, "oven.burn": True}


def test_a_trace_of_large_bodies_is_complete(bakery: Notebook) -> None:
    verb = """
        import ftl_nb as ftl
        ftl.module("echo")

        @ftl.verb(export=True)
        def echo(text: str) -> str:
            return text
    """
    bakery.run(verb).ok  # noqa: B018
    assert bakery.run("len(echo('x' * 40_000_000))").ok.value == 40_000_000
    output = bakery.run("%ftl trace").ok
    assert tree(output.value) == [(0, "verb", "echo.echo")]
    assert len(output.html) < 1_000_000


def test_older_requests_are_numbered_from_the_newest(bakery: Notebook) -> None:
    bakery.run("bake('rye')").ok  # noqa: B018
    bakery.run("%ftl trace").ok  # noqa: B018
    bakery.run("order('rye')").ok  # noqa: B018
    bakery.run("%ftl trace").ok  # noqa: B018
    assert tree(bakery.run("%ftl trace 2").ok.value)[0] == (0, "verb", "oven.bake")


def test_each_call_of_a_verb_has_its_own_lines_on_the_trace(bakery: Notebook) -> None:
    loop = """
        import ftl_nb as ftl
        ftl.module("steps")

        @ftl.verb
        def step(n: int) -> int:
            print("step", n, end="")
            return n

        @ftl.verb
        def count_up(to: int) -> int:
            return sum(step(n) for n in range(to))
    """
    bakery.run(loop).ok  # noqa: B018
    assert bakery.run("count_up(3)").ok.stdout == "step 0step 1step 2"
    trace = bakery.run("%ftl trace").ok.value
    assert [[line.message for line in s.logs] for s in trace.spans if s.verb == "steps.step"] == [
        ["step 0"],
        ["step 1"],
        ["step 2"],
    ]


# --- while a call runs ----------------------------------------------------------------------------------------------


def test_what_a_long_call_writes_is_shown_while_it_runs_and_once(bakery: Notebook, tmp_path: Path) -> None:
    verb = """
        import ftl_nb as ftl
        ftl.module("slowly")

        @ftl.verb
        def proof(mark: str) -> str:
            import logging
            import os
            import threading
            print("rising")
            logging.warning("warm")
            print("no end", end="")
            for _ in range(600):
                if os.path.exists(mark):
                    break
                threading.Event().wait(0.05)
            print("\\n\\nrisen")
            return "dough"
    """
    bakery.run(verb).ok  # noqa: B018
    mark, seen = tmp_path / "seen", io.StringIO()

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            seen.write(text)
            if "warm" in seen.getvalue() and "rising" in seen.getvalue():
                mark.touch()
            return len(text)

    with redirect_stdout(Watched()), redirect_stderr(Watched()):
        assert bakery["proof"](str(mark)) == "dough"
    assert mark.exists()
    written = seen.getvalue()
    assert [written.count(line) for line in ("rising\n", "WARNING root: warm\n", "no end", "risen\n")] == [1, 1, 1, 1]


def test_the_place_of_an_exception_is_shown_once(bakery: Notebook) -> None:
    shown = bakery.run("burn('rye')").shown
    assert shown.count("raise ValueError(f") == 1
    assert "  at <oven/burn>" not in shown


def test_a_call_that_was_not_sent_has_no_trace_and_that_is_said(bakery: Notebook) -> None:
    bakery.run("bake('rye')").ok  # noqa: B018
    assert bakery.run("%ftl call oven.grill").refusal.slug == "unknown-verb"
    refused = bakery.run("%ftl trace").refusal
    assert "FTL-V502: There is no verb oven.grill" in refused.message
    assert refused.hint == "%ftl trace 2 shows the one before"
    assert tree(bakery.run("%ftl trace 2").ok.value)[0] == (0, "verb", "oven.bake")


# --- what others write to the process's standard output -------------------------------------------------------------

WORKSHOP = """
    %%ftl_module workshop
    import multiprocessing
    import subprocess

    fork = multiprocessing.get_context("fork")
"""
WORK = (
    """
    def saw(text: str) -> int:
        print("before")
        subprocess.run(["echo", text])
        print("after")
        return 0
    """,
    """
    def drill(text: str) -> int:
        return saw(text) + saw(text + "!")
    """,
    """
    def scream(text: str) -> int:
        return subprocess.run(["sh", "-c", f"echo {text} >&2; exit 3"]).returncode
    """,
    """
    def flood(size: int) -> int:
        return subprocess.run(["head", "-c", str(size), "/dev/zero"]).returncode
    """,
    """
    def part() -> int:
        process = fork.Process(target=print, args=("from a fork",))
        process.start()
        process.join()
        return process.exitcode or 0
    """,
    """
    def threads_of_a_fork(seconds: float) -> int:
        import os
        import time

        child = os.fork()
        if child == 0:
            time.sleep(seconds)
            os._exit(len(os.listdir("/proc/self/task")))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    """,
    """
    def slowly(seconds: int) -> int:
        return subprocess.run(["sh", "-c", f"echo first; sleep {seconds}; printf last"]).returncode
    """,
)


@pytest.fixture(scope="module")
def workshop(system: System) -> Notebook:
    """Verbs that have subprocesses write for them."""
    system.notebook.run(WORKSHOP).ok  # noqa: B018
    for text in WORK:
        system.notebook.verb(text, "--export")
    return system.notebook


def test_what_a_subprocess_writes_appears_under_the_calling_cell(workshop: Notebook) -> None:
    assert workshop.run("saw('oak')").ok.stdout == "before\noak\nafter\n"
    assert workshop.run("drill('ash')").ok.stdout == "before\nash\nafter\nbefore\nash!\nafter\n"
    assert workshop.run("scream('ouch')").ok.stdout == "ouch\n"
    lines = workshop.run("%ftl logs --limit 1").ok.value.lines
    assert [(line.source, line.message) for line in lines] == [("workshop.scream", "ouch")]


def test_and_what_a_forked_process_prints(workshop: Notebook) -> None:
    assert workshop.run("part()").ok.stdout == "from a fork\n"


def test_nothing_of_its_runner_wakes_up_in_a_forked_process(workshop: Notebook) -> None:
    assert workshop.run("threads_of_a_fork(0.1)").ok.value == 1


def test_a_flood_of_a_subprocess_is_cut(workshop: Notebook) -> None:
    output = workshop.run("flood(9_000_000)").ok
    assert output.value == 0
    assert len(output.stdout) < 70_000


def test_a_subprocess_of_a_long_call_is_shown_once(workshop: Notebook) -> None:
    assert workshop.run("slowly(1)").ok.stdout == "first\nlast"
