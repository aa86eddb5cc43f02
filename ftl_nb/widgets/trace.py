"""The trace of one request: its spans as a tree, as text and as a waterfall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element
from ftl_nb.widgets.logs import LogLine
from ftl_nb.widgets.plain import clip, pad, printable, width
from ftl_nb.widgets.units import bytes_text, count_text, duration_text

SpanKind = Literal["client", "verb", "stream", "sql", "fixture"]
SPANS_SHOWN = 200
_BAR_CELLS, _NAME_CELLS, _ERROR_CELLS = 30, 48, 100


@dataclass(frozen=True, slots=True)
class Span:
    """One call. `start` is seconds on the clock of all spans, `duration` seconds; bodies are JSON text.

    `sql` is the statement of a SQL verb, `rows` and `nbytes` went through a stream, which has no bodies; `error` and
    `stack` are empty when the call succeeded.
    """

    id: str
    parent_id: str
    verb: str
    kind: SpanKind
    start: float
    duration: float
    request: str = ""
    response: str = ""
    error: str = ""
    stack: str = ""
    deployment: str = ""
    logs: tuple[LogLine, ...] = ()
    sql: str = ""
    rows: int = 0
    nbytes: int = 0

    def flow(self, *, stable: bool) -> str:
        """How much went through a stream, empty for another call. The bytes depend on how rows met in batches."""
        if self.kind != "stream":
            return ""
        rows = count_text(self.rows, "row")
        return rows if stable else f"{rows}, {bytes_text(self.nbytes)}"


@dataclass(frozen=True, slots=True)
class Row:
    """A span at its place in the tree; `branch` is the text form's line work."""

    span: Span
    depth: int
    branch: str


@dataclass(frozen=True, slots=True)
class Trace(Display):
    """The spans of one request. `stable` leaves out what differs from run to run: times, bars and keys."""

    request_key: str
    spans: tuple[Span, ...]
    stable: bool = False

    def plain(self) -> str:
        shown = self.rows()[:SPANS_SHOWN]
        names = [clip(printable(row.branch + row.span.verb), _NAME_CELLS) for row in shown]
        cells = max(map(width, names), default=0)
        window = self.window()
        drawn = [self._lines(row, pad(name, cells), window) for row, name in zip(shown, names, strict=True)]
        lines = [line for part in drawn for line in part]
        return "\n".join([printable(self.headline()), *lines, *filter(None, [self.cut()])])

    def html(self) -> Element:
        from ftl_nb.widgets.waterfall import waterfall

        return waterfall(self)

    def rows(self) -> list[Row]:
        """Every span once, parents first, children by start; a span whose parent is not here is a root."""
        return list(_rows(self.spans))

    def window(self) -> tuple[float, float]:
        """The first start and the whole duration, seconds."""
        start = min((s.start for s in self.spans), default=0.0)
        return start, max((s.start + length_of(s) - start for s in self.spans), default=0.0)

    def headline(self) -> str:
        """`trace KEY · 12.3 ms · 4 spans · 1 error`."""
        failed = sum(1 for s in self.spans if s.error)
        run = [] if self.stable else [duration_text(self.window()[1])]
        title = "trace" if self.stable else f"trace {self.request_key}"
        errors = [count_text(failed, "error")] if failed else []
        return " · ".join([title, *run, count_text(len(self.spans), "span"), *errors])

    def cut(self) -> str:
        """What is not shown, empty when all is."""
        hidden = [row.span for row in self.rows()[SPANS_SHOWN:]]
        failed = sum(1 for span in hidden if span.error)
        errors = f", {failed:,} of them with errors" if failed else ""
        return f"… {count_text(len(hidden), 'more span')}{errors}" if hidden else ""

    def _lines(self, row: Row, name: str, window: tuple[float, float]) -> Iterator[str]:
        span = row.span
        parts = [pad(span.kind, 7), name]
        if not self.stable:
            parts += [f"▕{_bar(span, window)}▏", pad(duration_text(length_of(span)), 9, right=True)]
        parts += [flow] if (flow := span.flow(stable=self.stable)) else []
        yield "  ".join(parts).rstrip()
        if span.error:
            yield f"{'':9}{' ' * width(row.branch)}! {clip(first_line(span.error), _ERROR_CELLS)}"


def _bar(span: Span, window: tuple[float, float]) -> str:
    start, length = placed(span, window)
    cells = max(1, round(length * _BAR_CELLS))
    before = min(round(start * _BAR_CELLS), _BAR_CELLS - cells)
    return " " * before + "█" * cells + " " * (_BAR_CELLS - before - cells)


def placed(span: Span, window: tuple[float, float]) -> tuple[float, float]:
    """Where the span begins and how long it is, as parts of the whole; a hundredth at least, so that it is seen."""
    start, total = window
    if total <= 0:
        return 0.0, 1.0
    length = max(length_of(span) / total, 0.01)
    return min((span.start - start) / total, 1 - length), length


def first_line(text: str) -> str:
    """The first line of a text, printable."""
    return printable(text.strip().split("\n", 1)[0])


def length_of(span: Span) -> float:
    """The duration, seconds; 0 where the clock gave no number."""
    return span.duration if isfinite(span.duration) and span.duration > 0 else 0.0


def _rows(spans: Sequence[Span]) -> Iterator[Row]:
    known = {span.id for span in spans}
    children: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda s: s.start):
        children.setdefault(span.parent_id if span.parent_id in known - {span.id} else "", []).append(span)
    roots = children.pop("", [])
    while roots or children:
        yield from _below(roots, children)
        # What is left hangs on a cycle of parents: its earliest span is taken for a root.
        roots = _cut_cycle(children)


def _below(roots: Sequence[Span], children: dict[str, list[Span]]) -> Iterator[Row]:
    stack = [Row(span, 0, "") for span in reversed(roots)]
    rails = {id(row): "" for row in stack}
    while stack:
        row = stack.pop()
        rail = rails.pop(id(row))
        yield row
        under = children.pop(row.span.id, [])
        rows = [Row(s, row.depth + 1, rail + ("└─ " if s is under[-1] else "├─ ")) for s in under]
        rails |= {id(r): rail + ("   " if r.span is under[-1] else "│  ") for r in rows}
        stack += reversed(rows)


def _cut_cycle(children: dict[str, list[Span]]) -> list[Span]:
    if not children:
        return []
    parent = min(children, key=lambda key: children[key][0].start)
    root = children[parent].pop(0)
    if not children[parent]:
        del children[parent]
    return [root]
