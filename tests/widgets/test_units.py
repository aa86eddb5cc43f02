"""Durations, sizes, ruler steps."""

import pytest

from ftl_nb.widgets.units import count_text, duration_text, size_text, tick_step, tick_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 ms"),
        (0.0000042, "0.00 ms"),
        (0.00042, "0.42 ms"),
        (0.01234, "12.3 ms"),
        (0.123, "123 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (59.99, "60.0 s"),
        (125, "2 min 05 s"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", "0 bytes"),
        ("é", "2 bytes"),
        ("x" * 999, "999 bytes"),
        ("x" * 1000, "1.0 kB"),
        ("x" * 1_230_000, "1.2 MB"),
        ("\ud800", "3 bytes"),
    ],
)
def test_size(text: str, size: str) -> None:
    assert size_text(text) == size


@pytest.mark.parametrize(("total", "step"), [(0.0462, 0.01), (1.0, 0.2), (0.006, 0.001), (7.0, 2.0), (0.0, 1.0)])
def test_ruler_step_is_round(total: float, step: float) -> None:
    assert tick_step(total) == pytest.approx(step)


def test_ruler_label() -> None:
    assert [tick_text(at) for at in (0, 0.3 * 0.1, 0.0005, 1.5)] == ["0", "30 ms", "0.5 ms", "1.5 s"]


def test_counts() -> None:
    assert [count_text(n, "span") for n in (0, 1, 1200)] == ["0 spans", "1 span", "1,200 spans"]
