"""The tree of spans and its plain form."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftl_nb.widgets import Span, Trace
from ftl_nb.widgets.trace import SPANS_SHOWN

SPANS = (
    Span("4", "2", "users.find", "verb", 10.0105, 0.02, '"ann"', '{"name":"Ann"}'),
    Span("1", "", "shop.checkout", "client", 10.0, 0.0462, '{"sku":"tea"}', '{"total":7.0}'),
    Span("2", "1", "shop.checkout", "verb", 10.0021, 0.0431, '{"sku":"tea"}', '{"total":7.0}', deployment="dpl-shop-x"),
    Span("3", "2", "shop.priceOf", "sql", 10.004, 0.0061, '"tea"', "3.5", sql="SELECT price FROM items WHERE sku = $1"),
    Span("5", "4", "users.byMail", "sql", 10.012, 0.015, '"ann"', '{"name":"Ann"}', sql="SELECT 1"),
    Span(
        "6",
        "2",
        "mail.send",
        "verb",
        10.031,
        0.012,
        "{}",
        "",
        "SmtpError: refused\nfor good",
        'File "<mail/send>", line 4',
    ),
)
TRACE = Trace("req-1", SPANS)


def test_plain_form(golden: Callable[[str], str]) -> None:
    assert TRACE.plain() == golden("trace.txt")


def test_stable_form_says_nothing_of_this_run(golden: Callable[[str], str]) -> None:
    assert Trace("req-1", SPANS, stable=True).plain() == golden("trace-stable.txt")
    later = tuple(
        Span(
            s.id,
            s.parent_id,
            s.verb,
            s.kind,
            s.start * 3,
            s.duration * 2,
            s.request,
            s.response,
            s.error,
            s.stack,
            "d",
            sql=s.sql,
        )
        for s in SPANS
    )
    first, second = Trace("a", SPANS, stable=True), Trace("b", later, stable=True)
    assert first._repr_mimebundle_() == second._repr_mimebundle_()


def test_children_stand_under_their_parents_by_start() -> None:
    assert [(row.depth, row.span.id) for row in TRACE.rows()] == [
        (0, "1"),
        (1, "2"),
        (2, "3"),
        (2, "4"),
        (3, "5"),
        (2, "6"),
    ]


def test_a_span_without_its_parent_is_a_root() -> None:
    assert [row.depth for row in Trace("r", SPANS[3:]).rows()] == [0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14))
def test_every_span_stands_once_even_on_a_cycle(links: list[tuple[int, int]]) -> None:
    spans = tuple(Span(str(i), str(p), f"m.v{n}", "verb", n % 3, 1.0) for n, (i, p) in enumerate(links))
    assert sorted(id(row.span) for row in Trace("r", spans).rows()) == sorted(map(id, spans))


def test_a_deep_trace_needs_no_deep_stack() -> None:
    spans = tuple(Span(str(i), str(i - 1), "m.f", "verb", i, 1.0) for i in range(3000))
    assert Trace("r", spans).rows()[-1].depth == 2999


def test_what_is_cut_is_counted() -> None:
    spans = tuple(
        Span(str(i), "", "m.f", "verb", i, 1.0, error="e" if i == 240 else "") for i in range(SPANS_SHOWN + 50)
    )
    trace = Trace("r", spans)
    assert trace.plain().endswith("\n… 50 more spans, 1 of them with errors")
    assert "… 50 more spans, 1 of them with errors" in str(trace.html())


@pytest.mark.parametrize("duration", [float("nan"), float("inf"), -1.0, 0.0])
def test_a_broken_clock_breaks_nothing(duration: float) -> None:
    trace = Trace("r", (Span("1", "", "m.f", "verb", 1.0, duration),))
    assert "0.00 ms" in trace.plain()
    assert "0.00 ms" in str(trace.html())
    assert "nan" not in str(trace.html())


def test_empty_trace() -> None:
    assert Trace("r", ()).plain() == "trace r · 0.00 ms · 0 spans"
