"""Durations and sizes as people read them."""

from __future__ import annotations

from math import floor, log10

_SIZES = ("bytes", "kB", "MB", "GB", "TB")


def duration_text(seconds: float) -> str:
    """Three digits and a unit: `0.42 ms`, `12.3 ms`, `4.56 s`, `2 min 05 s`."""
    if seconds >= 59.995:
        return f"{round(seconds) // 60} min {round(seconds) % 60:02d} s"
    if seconds >= 0.9995:
        return f"{_three_digits(seconds)} s"
    return f"{_three_digits(seconds * 1000)} ms"


def _three_digits(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f}"


def size_text(text: str) -> str:
    """The size of a text in UTF-8."""
    return bytes_text(len(text.encode("utf-8", "surrogatepass")))


def bytes_text(count: int) -> str:
    """`12 bytes`, `1.2 MB` (powers of 1000)."""
    size = float(count)
    unit = min(len(_SIZES) - 1, int(log10(size) // 3)) if size else 0
    return f"{size / 1000**unit:.{1 if unit else 0}f} {_SIZES[unit]}"


def count_text(count: int, noun: str) -> str:
    """`1 span`, `1,200 spans`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def tick_step(total: float, most: int = 6) -> float:
    """The step of a ruler over `total`: 1, 2 or 5 times a power of ten, with at most `most` steps."""
    if total <= 0:
        return 1.0
    power = 10.0 ** floor(log10(total / most))
    return next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor * most >= total * 0.999999)


def tick_text(seconds: float) -> str:
    """A ruler's label, without zeros at its end: `0`, `20 ms`, `1.5 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.6g} ms" if seconds else "0"
    return f"{seconds:.6g} s"
