"""Secrets in what a process writes and reports: their texts are replaced, whoever printed, returned or raised them.

A secret's own handle never shows its value. This is for the value after `get()`, which is a plain one: whatever leaves
the process as output, log line, error or timeline event passes here. The answer of a call itself stays what it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ftl_nb.errors import FtlError

SHOWN = "•••"
#: A shorter text is in too many others.
LEAST = 5


class Hidden:
    """The texts to replace. One that is no longer in force stays hidden."""

    def __init__(self) -> None:
        self._texts: tuple[str, ...] = ()

    def learn(self, values: Iterable[bytes]) -> None:
        """Hides the texts in these JSON values, and numbers of at least LEAST digits."""
        found = {form for value in values for leaf in _leaves(json.loads(value)) for form in _forms(leaf)}
        # The longest first: one may hold another.
        self._texts = tuple(sorted({*self._texts, *found}, key=lambda text: (-len(text), text)))

    def text(self, text: str) -> str:
        for secret in self._texts:
            text = text.replace(secret, SHOWN)
        return text

    def data(self, data: bytes) -> bytes:
        if not self._texts:
            return data
        return self.text(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _forms(text: str) -> Iterator[str]:
    """As it is, in JSON and in Python's own notation; a text of several lines line by line too."""
    written = (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1])
    return (form for form in (*written, *text.splitlines()) if len(form) >= LEAST)


#: Of this process.
hidden = Hidden()


def covered(error: FtlError) -> FtlError:
    """The same error, without secrets in its words."""
    error.message, error.hint, error.remote = map(hidden.text, (error.message, error.hint, error.remote))
    return error
