"""Tracebacks as authors want them: only the frames of their own cells and files."""

from __future__ import annotations

import linecache
import re
import traceback
from pathlib import Path

from ftl_nb.errors import FtlError, Place

#: What is told of an exception's own words, and of a group's exceptions.
MESSAGE = 8 * 1024
_GROUP = 10
#: Equal calls, one in the other, that are shown before they are counted.
_SHOWN = 3
_REPEATED = re.compile(r"  \[Previous call repeated (\d+) more times?\]")
_OURS = str(Path(__file__).parents[1])


def user_traceback(error: BaseException) -> tuple[str, Place | None]:
    """The traceback's text with the author's frames alone, and the place of the innermost one."""
    frames = _users_frames(error)
    lines = [*_written(frames), *_said(error)]
    return "\n".join(lines), _place(frames[-1]) if frames else None


def message_of(error: BaseException) -> str:
    """Its words, MESSAGE characters of them; an exception may fail even at telling them."""
    try:
        return _cut(str(error))
    except Exception as e:
        return f"(its message raised {type(e).__name__})"


def _said(error: BaseException, indent: str = "") -> list[str]:
    """The last lines of a traceback: the exception, and those that it is a group of."""
    told = "".join(traceback.format_exception_only(error)).rstrip("\n")
    lines = [indent + line for line in _cut(told).split("\n")]
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions[:_GROUP]:
            lines += _said(one, indent + "  ")
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= MESSAGE else f"{text[:MESSAGE]}… ({len(text):,} characters in all)"


def gone_through(error: FtlError) -> FtlError:
    """The error of a call that the author's code here made and let pass: its traceback begins with that code's frames.

    An error that came without a place gets the line that made the call.
    """
    frames = _users_frames(error)
    if frames:
        below = error.remote.splitlines()[1:] or [f"{error.code}: {error.message}"]
        head, *lines = "\n".join(_written(frames)).splitlines()
        error.remote = "\n".join([head, *_before(lines, below)])
        error.place = error.place or _place(frames[-1])
    # What is raised on from here has these frames behind it.
    return error.with_traceback(None)


def _before(lines: list[str], below: list[str]) -> list[str]:
    """The lines of a call and of what it called; where a verb calls itself again and again, they are counted as Python
    counts them."""
    shown = _SHOWN * len(lines)
    if below[:shown] != lines * _SHOWN:
        return [*lines, *below]
    repeated = _REPEATED.fullmatch(below[shown]) if len(below) > shown else None
    count = 1 + (int(repeated[1]) if repeated else 0)
    told = f"  [Previous call repeated {count} more time{'s' * (count > 1)}]"
    return [*below[:shown], told, *below[shown + bool(repeated) :]]


def _users_frames(error: BaseException) -> list[traceback.FrameSummary]:
    return [f for f in traceback.extract_tb(error.__traceback__) if _is_users(f.filename)]


def _written(frames: list[traceback.FrameSummary]) -> list[str]:
    return ["Traceback (most recent call last):", *(line.rstrip("\n") for line in traceback.format_list(frames))]


def _is_users(filename: str) -> bool:
    if filename.startswith("<"):
        return "/" in filename
    return not filename.startswith(_OURS) and "site-packages" not in filename and "/lib/python" not in filename


def _place(frame: traceback.FrameSummary) -> Place:
    source = linecache.getline(frame.filename, frame.lineno or 0).rstrip("\n")
    column = (frame.colno or 0) + 1
    same_line = frame.end_lineno == frame.lineno and frame.end_colno is not None
    return Place(frame.filename, frame.lineno or 0, column, source, (frame.end_colno or 0) + 1 if same_line else 0)


def load_error(module: str, error: BaseException) -> tuple[str, Place | None]:
    """One sentence for what went wrong while a module's text was loading, and the user's line it came from."""
    _, place = user_traceback(error)
    if isinstance(error, SyntaxError):
        place = Place(
            error.filename or f"<{module}>", error.lineno or 0, error.offset or 0, (error.text or "").rstrip()
        )
    words = str(error).strip() or "no message"
    return f"{type(error).__name__}: {words}".rstrip("."), place
