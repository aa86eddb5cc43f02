"""Secrets in what leaves a process."""

from __future__ import annotations

import json

import pytest

from ftl_nb.errors import fail
from ftl_nb.runner import redaction
from ftl_nb.runner.redaction import SHOWN, Hidden, covered

VALUE = {"user": "me", "password": 'pass"word\nsecond line', "pins": [123456, 7, True, None], "rate": 0.12345}


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> Hidden:
    made = Hidden()
    made.learn([json.dumps(VALUE).encode(), b'"caf\xc3\xa9-au-lait"'])
    monkeypatch.setattr(redaction, "hidden", made)
    return made


@pytest.mark.parametrize(
    "text",
    [
        'it is pass"word\nsecond line.',
        json.dumps(VALUE["password"]),
        repr(VALUE["password"]),
        "second line",
        "123456",
        "0.12345",
        "café-au-lait",
        json.dumps("café-au-lait"),
    ],
)
def test_texts_and_long_numbers_are_hidden_however_they_are_written(text: str, hidden: Hidden) -> None:
    assert SHOWN in hidden.text(text)
    assert not any(part in hidden.text(text) for part in ("pass", "word", "second", "123", "caf"))
    assert hidden.data(text.encode()) == hidden.text(text).encode()


def test_what_is_short_is_in_too_many_texts(hidden: Hidden) -> None:
    assert hidden.text("me and 7 are True") == "me and 7 are True"


def test_a_value_that_has_changed_stays_hidden(hidden: Hidden) -> None:
    hidden.learn([b'"another-one"'])
    assert hidden.text("another-one, 123456") == f"{SHOWN}, {SHOWN}"


def test_bytes_that_are_no_text_go_through(hidden: Hidden) -> None:
    assert hidden.data(b"\xff123456\xfe") == b"\xff" + SHOWN.encode() + b"\xfe"


def test_an_error_is_covered_in_all_its_words(hidden: Hidden) -> None:
    error = fail("verb-raised", verb="shop.pay", error="KeyError: '123456'")
    error.remote, error.hint = "KeyError: '123456'", "not 123456"
    assert "123456" not in str(covered(error)) + json.dumps(error.to_dict())
