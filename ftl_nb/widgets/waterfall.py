"""A trace as HTML: a ruler, one row a span with its bar, and behind a click what went in and out."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ftl_nb.widgets.html import Element, el, spaced
from ftl_nb.widgets.logs import LOG_CSS, log_block
from ftl_nb.widgets.plain import clip
from ftl_nb.widgets.theme import kind_rules, view
from ftl_nb.widgets.trace import SPANS_SHOWN, Row, Span, Trace, first_line, length_of, placed
from ftl_nb.widgets.units import duration_text, size_text, tick_step, tick_text

BODY_SHOWN = 4000
_ERROR_CELLS = 160
_INDENT, _DEEPEST = 14, 12
_CSS = f"""
.ftl-nb .ftl-row{{display:grid;grid-template-columns:minmax(160px,34%) 1fr 72px;
gap:0 10px;align-items:center;padding:1px 4px}}
.ftl-nb details.ftl-span{{border-top:1px solid var(--ftl-line);margin:0;padding:0}}
.ftl-nb summary.ftl-row{{cursor:pointer;list-style:none;border-radius:3px}}
.ftl-nb summary.ftl-row::-webkit-details-marker{{display:none}}
.ftl-nb summary.ftl-row:hover,.ftl-nb details[open]>summary.ftl-row{{background:var(--ftl-panel)}}
.ftl-nb .ftl-verb-name{{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}}
.ftl-nb .ftl-verb-name::before{{content:"▸";display:inline-block;width:1em;color:var(--ftl-muted)}}
.ftl-nb details[open]>summary .ftl-verb-name::before{{content:"▾"}}
.ftl-nb .ftl-kind{{font-size:11px;margin-left:.3em}}
.ftl-nb .ftl-track{{position:relative;height:18px;
background:repeating-linear-gradient(to right,var(--ftl-line) 0 1px,transparent 1px var(--ftl-step))}}
.ftl-nb .ftl-bar{{position:absolute;top:4px;height:10px;border-radius:2px;min-width:2px}}
.ftl-nb .ftl-tick{{position:absolute;font-size:11px;white-space:nowrap;padding-left:3px}}
.ftl-nb .ftl-ruler .ftl-track{{background:none}}
.ftl-nb .ftl-took{{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}}
.ftl-nb .ftl-why{{grid-column:1/-1;overflow-wrap:anywhere}}
.ftl-nb .ftl-body{{padding:4px 4px 8px 18px}}
.ftl-nb .ftl-body pre{{max-height:300px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;
background:var(--ftl-panel);padding:4px 8px;border-radius:3px;margin:1px 0 6px}}
{LOG_CSS}
"""
_CSS += kind_rules(
    ".ftl-nb .ftl-$>.ftl-row .ftl-bar{background:var(--ftl-$)}.ftl-nb .ftl-$>.ftl-row .ftl-kind{color:var(--ftl-$)}"
)
_CSS += """
.ftl-nb .ftl-failed>.ftl-row .ftl-bar{background:var(--ftl-bad)}
.ftl-nb .ftl-failed>.ftl-row .ftl-verb-name code{color:var(--ftl-bad)}
"""


def waterfall(trace: Trace) -> Element:
    """The whole view."""
    rows, window = trace.rows()[:SPANS_SHOWN], trace.window()
    spans = el("div", _ruler(trace), *(_span(trace, row, window) for row in rows), style=_step_style(trace))
    cut = el("p", trace.cut(), class_="ftl-muted") if trace.cut() else None
    return view(_CSS, "trace", el("div", el("strong", trace.headline())), spans, cut)


def _step_style(trace: Trace) -> str | None:
    total = trace.window()[1]
    return None if trace.stable or total <= 0 else f"--ftl-step:{tick_step(total) / total * 100:.3f}%"


def _ruler(trace: Trace) -> Element | None:
    total = trace.window()[1]
    if trace.stable or total <= 0:
        return None
    step = tick_step(total)
    # A label that would stand over the end is left out.
    ticks = [i * step for i in range(int(total / step) + 1) if i * step <= total * 0.92]
    labels = (el("span", tick_text(at), class_="ftl-tick", style=_left(at / total)) for at in ticks)
    return el(
        "div",
        el("span"),
        el("span", *spaced(labels), class_="ftl-track"),
        el("span"),
        class_="ftl-row ftl-ruler ftl-muted",
    )


def _left(part: float) -> str:
    return f"left:{part * 100:.2f}%"


def _span(trace: Trace, row: Row, window: tuple[float, float]) -> Element:
    span = row.span
    took = el("span", duration_text(length_of(span)), class_="ftl-took")
    cells = () if trace.stable else (_track(span, window), took)
    return el(
        "details",
        el("summary", *spaced([_name(trace, row), *cells, _why(row)]), class_="ftl-row"),
        el("div", *_parts(trace, span), class_="ftl-body"),
        class_=f"ftl-span ftl-{span.kind}{' ftl-failed' if span.error else ''}",
    )


def _name(trace: Trace, row: Row) -> Element:
    kind = el("span", row.span.kind, class_="ftl-kind")
    text = row.span.flow(stable=trace.stable)
    flow = el("span", f" {text}", class_="ftl-muted") if text else None
    return el("span", el("code", row.span.verb), " ", kind, flow, class_="ftl-verb-name", style=_indent(row, 0))


def _why(row: Row) -> Element | None:
    if not row.span.error:
        return None
    return el("span", clip(first_line(row.span.error), _ERROR_CELLS), class_="ftl-why ftl-bad", style=_indent(row, 1))


def _indent(row: Row, more: int) -> str:
    return f"padding-left:{(min(row.depth, _DEEPEST) + more) * _INDENT}px"


def _track(span: Span, window: tuple[float, float]) -> Element:
    start, length = placed(span, window)
    return el(
        "span", el("span", class_="ftl-bar", style=f"{_left(start)};width:{length * 100:.2f}%"), class_="ftl-track"
    )


def _parts(trace: Trace, span: Span) -> Iterator[Element]:
    if span.sql:
        yield from _body("SQL", span.sql.strip("\n"))
    flow = span.flow(stable=trace.stable)
    if not flow:
        yield from _body("request", _readable(span.request))
    if span.error:
        yield from _body("error", span.error, "ftl-bad")
        yield from _body("stack", span.stack) if span.stack else ()
    elif flow:
        yield el("div", flow, class_="ftl-muted")
    else:
        yield from _body("response", _readable(span.response))
    if span.logs:
        yield el("div", "logs", class_="ftl-muted")
        yield log_block(span.logs, trace.stable)
    if span.deployment and not trace.stable:
        yield el("div", "deployment ", el("code", span.deployment), class_="ftl-muted")


def _body(title: str, text: str, tone: str | None = None) -> Iterator[Element]:
    long = len(text) > BODY_SHOWN
    shown = f", the first {BODY_SHOWN:,} characters are shown" if long else ""
    yield el("div", f"{title} · {size_text(text)}{shown}" if text else f"{title} · none", class_="ftl-muted")
    if text:
        yield el("pre", text[:BODY_SHOWN] + ("…" if long else ""), class_=tone)


def _readable(body: str) -> str:
    """A short JSON body with its fields on lines of their own, any other as it came."""
    if not 60 < len(body) <= BODY_SHOWN:
        return body
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
