"""The trace as HTML."""

from html.parser import HTMLParser

from ftl_nb.widgets import LogLine, Span, Trace
from ftl_nb.widgets.waterfall import BODY_SHOWN

ATTACK = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}


def _html(span: Span, stable: bool = False) -> str:
    return str(Trace("req", (span,), stable).html())


def test_user_data_is_escaped_everywhere() -> None:
    log = LogLine(ATTACK, ATTACK, ATTACK)
    span = Span(ATTACK, ATTACK, ATTACK, "verb", 0, 1, ATTACK, ATTACK, ATTACK, ATTACK, ATTACK, (log,), ATTACK)
    parser = _Tags()
    parser.feed(str(Trace(ATTACK, (span,)).html()))
    assert parser.tags == {"div", "style", "strong", "span", "details", "summary", "code", "pre"}
    assert parser.names == {"class", "style"}


def test_bodies_stand_behind_a_click() -> None:
    html = _html(Span("1", "", "m.f", "verb", 0, 1, '"a"', '"b"'))
    assert "<details" in html
    assert "<details open" not in html
    assert "request · 3 bytes" in html
    assert "response · 3 bytes" in html


def test_a_long_body_is_cut_and_its_size_said() -> None:
    html = _html(Span("1", "", "m.f", "verb", 0, 1, "x" * 1_500_000))
    assert "request · 1.5 MB, the first 4,000 characters are shown" in html
    assert len(html) < BODY_SHOWN + 8000


def test_json_gets_lines_and_broken_json_stays() -> None:
    assert '{\n  "key":' in _html(Span("1", "", "m.f", "verb", 0, 1, '{"key": "' + "v" * 60 + '"}'))
    assert '{"key": vv' in _html(Span("1", "", "m.f", "verb", 0, 1, '{"key": ' + "v" * 60 + "}"))
    assert "[[[" in _html(Span("1", "", "m.f", "verb", 0, 1, "[" * 3000))


def test_a_failed_span_is_red_and_says_why() -> None:
    html = _html(Span("1", "", "m.f", "sql", 0, 1, "{}", "", "boom <1>", "line 4"))
    assert "ftl-sql ftl-failed" in html
    assert '<span class="ftl-why ftl-bad" style="padding-left:14px">boom &lt;1&gt;</span>' in html
    assert "response" not in html


def test_sql_and_logs_and_deployment() -> None:
    span = Span("1", "", "m.f", "sql", 0, 1, logs=(LogLine("info", "hello"),), deployment="dpl-m-1", sql="SELECT 1")
    html = _html(span)
    assert all(text in html for text in ("SQL · 8 bytes", "SELECT 1", "hello", "dpl-m-1", "request · none"))
    assert "dpl-m-1" not in _html(span, stable=True)
