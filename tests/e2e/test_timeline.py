"""The timeline on a real cluster: asked as SQL and by filters, over calls that nest, and over a restart."""

from __future__ import annotations

import pytest

from e2e.driver import System


@pytest.fixture(scope="module")
def used(system: System) -> System:
    notebook = system.notebook
    notebook.module("inner", "def say(text: str) -> None:\n    print(text)")
    notebook.verb("def double(n: int) -> int:\n    say('doubling')\n    return 2 * n", "--export")
    notebook.module("outer")
    notebook.verb(
        "def twice(n: int) -> int:\n    from ftl_nb.modules import inner\n    return inner.double(inner.double(n))"
    )
    assert notebook.value("twice(3)") == 12
    return system


def test_calls_are_asked_for_as_a_table(used: System) -> None:
    notebook = used.notebook
    frame = notebook.value(
        "__import__('ftl_nb').timeline('''select verb, source, count(*) as n from calls "
        "group by all order by n''').df()"
    )
    assert frame.to_dict("records") == [
        {"verb": "outer.twice", "source": "", "n": 1},
        {"verb": "inner.double", "source": "outer.twice", "n": 2},
    ]


def test_spans_are_a_tree_of_one_trace(used: System) -> None:
    answer = used.notebook.value(
        "__import__('ftl_nb').timeline('''select child.verb, parent.verb from spans child "
        "join spans parent on child.parent_span_id = parent.span_id and child.trace_id = parent.trace_id''')"
    )
    assert answer.rows() == [("inner.double", "outer.twice")] * 2


def test_the_magic_shows_what_filters_find(used: System) -> None:
    shown = used.notebook.run("%ftl timeline inner --type log").ok
    assert "doubling" in str(shown.value)
    refused = used.notebook.run("%ftl timeline --sql drop table stored").refusal
    assert refused.slug == "timeline-query"


def test_what_happened_before_a_restart_is_still_there(used: System) -> None:
    notebook = used.notebook
    assert notebook.run("%ftl down").error is None
    assert notebook.value("twice(1)") == 4
    ((calls, ids),) = notebook.value(
        "__import__('ftl_nb').timeline('select count(*), count(distinct id) from calls')"
    ).rows()
    assert calls == ids == 6
    assert "outer.twice" in str(notebook.run("%ftl trace 2").ok.value)
