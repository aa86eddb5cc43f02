"""Raising an exception in another thread: at its next step of Python, never inside one call into C."""

from __future__ import annotations

import ctypes


def raise_in(thread: int, exception: type[BaseException] | None) -> None:
    """Lets the thread with the identifier `thread` raise; None takes back what it has not raised yet."""
    kind = None if exception is None else ctypes.py_object(exception)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), kind)
