"""Hints for names that are not there."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def near(name: str, known: Sequence[str]) -> str:
    """A hint naming what `name` may have meant, else what there is."""
    close = difflib.get_close_matches(name, known, 3)
    return f"did you mean {', '.join(close)}?" if close else f"known here: {', '.join(sorted(known)) or 'nothing'}"
