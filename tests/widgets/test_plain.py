"""Text for terminals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftl_nb.widgets.plain import clip, columns, pad, printable, width


def test_control_characters_are_made_visible() -> None:
    assert printable("a\x1b[2J\tb\nc\x00\x7f\u202e\ud800") == "a␛[2J\tb\nc␀\ufffd\ufffd\ufffd"


@pytest.mark.parametrize(("text", "cells"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_width(text: str, cells: int) -> None:
    assert width(text) == cells


@given(st.text(max_size=30), st.integers(1, 20))
def test_clipped_text_fits(text: str, cells: int) -> None:
    assert width(clip(text, cells)) <= cells


def test_pad() -> None:
    assert pad("日", 4) + "|" == "日  |"
    assert pad("1", 3, right=True) == "  1"


def test_columns_line_up() -> None:
    assert columns([["a", "long", "x"], ["日本", "b\nc", ""]]) == "a     long  x\n日本  b c"
