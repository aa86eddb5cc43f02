"""How much the timeline keeps: two variables of the environment that a cluster is started in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ftl_nb.services.timeline.archive import Archive

EVENTS_VARIABLE, BYTES_VARIABLE = "FTL_TIMELINE_EVENTS", "FTL_TIMELINE_MIB"
EVENTS, MIB = 500_000, 256


def archive_of(folder: Path, say: Callable[[str], None], environment: Mapping[str, str] = os.environ) -> Archive:
    """The archive in `folder` with the bounds that are set; one that is no number above 0 is told, and not taken."""

    def bound(name: str, default: int) -> int:
        text = environment.get(name, "")
        if not text or (text.isascii() and text.isdigit() and int(text) > 0):
            return int(text or default)
        say(f"timeline: {name} is a number above 0, not {text!r}; {default} is taken")
        return default

    return Archive(folder, bound(EVENTS_VARIABLE, EVENTS), bound(BYTES_VARIABLE, MIB) * 2**20, say)
