"""Log lines of verbs and runners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ftl_nb.widgets.display import Display
from ftl_nb.widgets.html import Element, el
from ftl_nb.widgets.plain import pad, printable, width
from ftl_nb.widgets.theme import view

_TONES = {
    "error": "bad",
    "critical": "bad",
    "fatal": "bad",
    "warn": "warn",
    "warning": "warn",
    "debug": "muted",
    "trace": "muted",
}
LOG_CSS = """
.ftl-nb .ftl-log{white-space:pre-wrap;overflow-wrap:anywhere}
"""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record: level (`info`, `warn`, `error`, `stdout` …), message, the verb or module it came from, when."""

    level: str
    message: str
    source: str = ""
    time: datetime | None = None

    def head(self, stable: bool) -> list[str]:
        """What stands before the message: clock time (in the record's own zone), level, source."""
        clock = "" if stable or self.time is None else self.time.isoformat(" ", "milliseconds")[11:23]
        return [part for part in (clock, self.level, self.source) if part]


@dataclass(frozen=True, slots=True)
class Logs(Display):
    """Lines in the order given; `stable` leaves the times out."""

    lines: tuple[LogLine, ...]
    stable: bool = False

    def plain(self) -> str:
        return "\n".join(plain_lines(self.lines, self.stable)) or "no log lines"

    def html(self) -> Element:
        if not self.lines:
            return view("", "logs", el("p", "no log lines", class_="ftl-muted"))
        return view(LOG_CSS, "logs", log_block(self.lines, self.stable))


def plain_lines(lines: tuple[LogLine, ...], stable: bool) -> list[str]:
    """Each record as text; further lines of a message stand under its first."""
    out: list[str] = []
    for line in lines:
        head = printable(" ".join(line.head(stable))) + "  "
        first, *rest = printable(line.message).rstrip("\n").split("\n")
        out += [(head + first).rstrip(), *((pad("", width(head)) + text).rstrip() for text in rest)]
    return out


def log_block(lines: tuple[LogLine, ...], stable: bool) -> Element:
    """The records in one `<pre>`."""
    rows = (_row(line, stable, "" if index == len(lines) - 1 else "\n") for index, line in enumerate(lines))
    return el("pre", *(part for row in rows for part in row), class_="ftl-log")


def _row(line: LogLine, stable: bool, end: str) -> tuple[Element, Element, str]:
    tone = _TONES.get(line.level.lower(), "ink")
    head = el("span", " ".join(line.head(stable)) + "  ", class_="ftl-muted")
    return head, el("span", line.message.rstrip("\n"), class_=f"ftl-{tone}"), end
