import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftl_nb.schema.quote import quote, unquote

QUOTED = [
    ('r"\\\n', r'"r\"\\\n"'),
    ("ünï", '"ünï"'),
    ("\a\b\f\r\t\v", r'"\a\b\f\r\t\v"'),
    ("\x01\x7f", r'"\x01\x7f"'),
    ("\u200b\U000e0001", r'"\u200b\U000e0001"'),
    ("\udcff", r'"\xff"'),
]


@pytest.mark.parametrize(("text", "quoted"), QUOTED)
def test_quote(text: str, quoted: str) -> None:
    assert quote(text) == quoted
    assert unquote(quoted) == text


@pytest.mark.parametrize(
    ("token", "text"), [(r'"\x41\101\u0041\U00000041"', "AAAA"), (r'"\xc3\xbc"', "ü"), ('"a\nb"', "a\nb")]
)
def test_unquote(token: str, text: str) -> None:
    assert unquote(token) == text


@pytest.mark.parametrize("token", [r'"\q"', r'"\'"', r'"\x4"', r'"\777"', r'"\ud800"', r'"\U00110000"', '"a\\"'])
def test_unquote_refuses(token: str) -> None:
    with pytest.raises(ValueError):
        unquote(token)


@settings(deadline=None)
@given(st.text())
def test_unquote_reverses_quote(text: str) -> None:
    assert unquote(quote(text)) == text
