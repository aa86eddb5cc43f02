"""The log file of a runner, which is its standard output: what others write there belongs to the call under way.

A subprocess or a C extension writes to the file itself. They share the open file with this process, so its position
tells that something came; it is read back from the file, and no pipe can fill up. Another runner of the module opens
the file anew and is not seen, except where its lines come between those of a subprocess within one call.
"""

from __future__ import annotations

import codecs
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from ftl_nb.runner.execution import Running
from ftl_nb.runner.redaction import hidden
from ftl_nb.runner.reporter import LogRecord, Reporter

#: Of what came at once, in bytes; what is more stays in the file.
READ_LIMIT = 256 * 1024
_LOOK_SECONDS = 0.2
#: No subprocess begins and ends in less: a verb that prints much asks the file no more often than that.
_SETTLE_SECONDS = 0.001


@dataclass(slots=True)
class _Inside:
    """A call under way, and the one that it is made in. `pending` is not in its answer yet, `rest` has no end yet."""

    call: Running | None
    outer: Running | None = None
    pending: list[str] = field(default_factory=list)
    rest: str = ""


class ProcessLog:
    """Writes to `fd`, and tells what others write there. Nothing of the sort where `fd` is no file that can be read."""

    def __init__(self, fd: int, path: str, module: str, reporter: Reporter) -> None:
        self._fd = fd
        self._module = module
        self._reporter = reporter
        self._read = _opened(fd, path)
        self._seen = 0
        self._settled = 0.0
        self._skip()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._inside: dict[int, _Inside] = {}
        self._nobody = _Inside(None)
        self._lock = threading.Lock()
        self._busy = threading.Event()
        #: In a process that a verb forked: what it writes is what a subprocess writes.
        self.forked = False
        os.register_at_fork(
            before=self._lock.acquire, after_in_parent=self._lock.release, after_in_child=self._in_child
        )

    def _in_child(self) -> None:
        self._lock.release()
        self.forked = True

    def watch(self) -> None:
        """Looks from time to time while calls are under way, in a thread of its own."""
        threading.Thread(target=self._watch, name="ftl-log", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while True:
            self._busy.wait()
            self._busy.clear()
            pause.wait(_LOOK_SECONDS)
            self.look()
            if self._inside:
                self._busy.set()

    # --- calls ---------------------------------------------------------------------------------------------------

    def begin(self, call: Running, outer: Running | None) -> None:
        """What came before is not the call's."""
        self.look()
        if not self._inside:
            self._skip()
        self._inside[id(call)] = _Inside(call, outer)
        if not self._busy.is_set():
            self._busy.set()

    def end(self, call: Running) -> None:
        """What came meanwhile is in the call's output."""
        self.look()
        one = self._inside.pop(id(call))
        self._give(one)
        if one.rest:
            self._report(one, one.rest, left_open=True)

    def settle(self, call: Running) -> None:
        """What came up to now is in the call's output, before what it writes next."""
        now = time.monotonic()
        if now - self._settled < _SETTLE_SECONDS:
            return
        self._settled = now
        self.look()
        one = self._inside.get(id(call))
        if one is not None:
            self._give(one)

    def _give(self, one: _Inside) -> None:
        if one.pending and one.call is not None:
            pieces, one.pending = one.pending, []
            one.call.write("stdout", "".join(pieces), self._module)

    # --- the file ------------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """What this process itself writes outside of any call."""
        data = text.encode(errors="replace")
        # On a full disk the file lacks it, and the timeline has it.
        with self._lock, suppress(OSError):
            os.write(self._fd, data)
            self._take(but=data)

    def fileno(self) -> int:
        return self._fd

    def look(self) -> None:
        """Takes what others have written since."""
        if self._position() != self._seen:
            with self._lock:
                self._take()

    def _position(self) -> int:
        return os.lseek(self._fd, 0, os.SEEK_CUR) if self._read >= 0 else 0

    def _skip(self) -> None:
        """Whatever is in the file by now is another runner's. Writing is at its end wherever the position is."""
        if self._read >= 0:
            self._seen = os.lseek(self._fd, 0, os.SEEK_END)

    def _take(self, but: bytes = b"") -> None:
        end = self._position()
        start, self._seen = self._seen, end
        if end - start <= len(but):
            return
        data = os.pread(self._read, min(end - start, READ_LIMIT), start).replace(but, b"", 1)
        text = self._decoder.decode(data)
        if end - start > READ_LIMIT:
            text += f"\n… ({end - start - READ_LIMIT:,} bytes more are in the module's log file)\n"
        self._attribute(self._writer(), text)

    def _writer(self) -> _Inside:
        """The one call that no other is made in; where there are several, nobody knows which."""
        inside = list(self._inside.values())
        outer = {id(one.outer) for one in inside}
        innermost = [one for one in inside if id(one.call) not in outer]
        return innermost[0] if len(innermost) == 1 else self._nobody

    def _attribute(self, one: _Inside, text: str) -> None:
        text = hidden.text(text)
        if one.call is not None:
            one.pending.append(text)
        *lines, one.rest = (one.rest + text).split("\n")
        if len(one.rest) > READ_LIMIT:
            lines, one.rest = [*lines, one.rest], ""
        for line in lines:
            self._report(one, line)

    def _report(self, one: _Inside, line: str, *, left_open: bool = False) -> None:
        if not line.strip():
            return
        call = one.call
        whose = (call.verb, call.context.request_key) if call is not None else ("", "")
        span = call.context.span_id if call is not None else ""
        self._reporter.add(LogRecord(line, "stdout", "INFO", *whose, time.time(), span, left_open))


def _opened(fd: int, path: str) -> int:
    """The file of `fd` for reading; -1 where `fd` is another one: its log could not be made."""
    try:
        read = os.open(path, os.O_RDONLY)
    except OSError:
        return -1
    if os.path.sameopenfile(fd, read):
        return read
    os.close(read)
    return -1
