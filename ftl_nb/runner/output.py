"""What a verb writes: kept with its call, so that it appears under the calling cell, and sent to the timeline."""

from __future__ import annotations

import io
import logging
import sys
import time
from typing import TextIO

from ftl_nb.runner.execution import running
from ftl_nb.runner.reporter import LogRecord, Reporter


class CallStream(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr in a runner; text written outside a call goes to the process's log."""

    def __init__(self, name: str, module: str, log: TextIO, reporter: Reporter) -> None:
        self._name = name
        self._module = module
        self._log = log
        self._reporter = reporter

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        call = running.get()
        if call is not None:
            call.write(self._name, text, self._module)
        else:
            self._log.write(text)
        if text.strip():
            verb, key = (call.verb, call.context.request_key) if call is not None else ("", "")
            self._reporter.add(LogRecord(text.rstrip("\n"), self._name, "INFO", verb, key, time.time()))
        return len(text)

    def flush(self) -> None:
        self._log.flush()

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
        call, text = running.get(), self.format(record)
        if call is not None:
            call.write("log", text + "\n", self._module)
        verb, key = (call.verb, call.context.request_key) if call is not None else ("", "")
        self._reporter.add(LogRecord(text, "log", record.levelname, verb, key, record.created))


def capture(module: str, reporter: Reporter) -> None:
    """Puts the streams and the logging handler in place, for the rest of this process."""
    sys.stdout = CallStream("stdout", module, sys.__stdout__ or sys.stdout, reporter)
    sys.stderr = CallStream("stderr", module, sys.__stderr__ or sys.stderr, reporter)
    logging.basicConfig(level=logging.INFO, handlers=[CallHandler(module, reporter)], force=True)
