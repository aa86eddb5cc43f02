"""What every engine asks of keys."""

from __future__ import annotations

from collections.abc import Iterable

from ftl_nb.store.contract import Write


def checked(writes: Iterable[Write]) -> list[Write]:
    """Raises ValueError where one commit cannot do them."""
    wanted = list(writes)
    keys = {write.key for write in wanted}
    if "" in keys:
        raise ValueError("a key cannot be empty")
    if len(keys) < len(wanted):
        raise ValueError("a commit writes a key once")
    return wanted


def end(prefix: bytes) -> bytes:
    """What comes after every key that begins with `prefix`; no UTF-8 text has the byte 255."""
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else b"\xff"
