"""What a verb writes: kept with its call, so that it appears under the calling cell, and sent to the timeline."""

from __future__ import annotations

import io
import logging
import sys
import time

from ftl_nb.runner.execution import Running, running
from ftl_nb.runner.processlog import ProcessLog
from ftl_nb.runner.redaction import hidden
from ftl_nb.runner.reporter import LogRecord, Reporter

#: What has no end by then is a line all the same.
_LINE = 64 * 1024


class CallStream(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr in a runner; text written outside a call goes to the process's log."""

    def __init__(self, name: str, module: str, log: ProcessLog, reporter: Reporter) -> None:
        self._name = name
        self._module = module
        self._log = log
        self._reporter = reporter
        self._lines: dict[str, str] = {}

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        length, text = len(text), hidden.text(text)
        call = running.get()
        if call is None or self._log.forked:
            self._log.write(text)
        else:
            self._log.settle(call)
            call.write(self._name, text, self._module)
        if self._log.forked:
            return length
        lines = call.lines if call is not None else self._lines
        *whole, rest = (lines.pop(self._name, "") + text).split("\n")
        if len(rest) > _LINE:
            _report(rest, self._name, call, self._reporter, left_open=True)
            rest = ""
        if rest:
            lines[self._name] = rest
        for line in whole:
            _report(line, self._name, call, self._reporter)
        return length

    def fileno(self) -> int:
        return self._log.fileno()


class CallHandler(logging.Handler):
    """Sends logging records the same way."""

    def __init__(self, module: str, reporter: Reporter) -> None:
        super().__init__()
        self._module = module
        self._reporter = reporter
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        call, text = running.get(), hidden.text(self.format(record))
        if call is not None:
            call.write("log", text + "\n", self._module)
        self._reporter.add(LogRecord(text, "log", record.levelname, *_of(call, record.created)))


def _report(line: str, stream: str, call: Running | None, reporter: Reporter, *, left_open: bool = False) -> None:
    if line.strip():
        reporter.add(LogRecord(line, stream, "INFO", *_of(call, time.time()), left_open))


def _of(call: Running | None, when: float) -> tuple[str, str, float, str]:
    """The last fields of a record: verb, request, time and span."""
    if call is None:
        return "", "", when, ""
    return call.verb, call.context.request_key, when, call.context.span_id


def end_lines(call: Running, reporter: Reporter) -> None:
    """The call has ended, and with it the lines that it left without an end."""
    for stream, line in call.lines.items():
        _report(line, stream, call, reporter, left_open=True)
    call.lines.clear()


def capture(module: str, path: str, reporter: Reporter) -> ProcessLog:
    """Puts the streams and the logging handler in place, for the rest of this process, whose log is `path`."""
    log = ProcessLog(1, path, module, reporter)
    log.watch()
    sys.stdout = CallStream("stdout", module, log, reporter)
    sys.stderr = CallStream("stderr", module, log, reporter)
    logging.basicConfig(level=logging.INFO, handlers=[CallHandler(module, reporter)], force=True)
    return log
