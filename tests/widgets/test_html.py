"""The element builder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftl_nb.widgets.html import el, number, style


def test_text_and_attributes_are_escaped() -> None:
    assert str(el("p", '<b>&"', title='"<&>')) == '<p title="&quot;&lt;&amp;&gt;">&lt;b&gt;&amp;"</p>'


def test_names_and_values_of_attributes() -> None:
    element = el(
        "div", None, el("br"), class_="a", aria_hidden="true", open=True, hidden=False, style=None, x=1.04, y=2
    )
    assert str(element) == '<div class="a" aria-hidden="true" open x="1" y="2"><br></div>'


@given(st.text())
def test_any_text_gives_markup_that_can_be_sent(text: str) -> None:
    markup = str(el("p", text, title=text))
    markup.encode("utf-8")
    assert markup.count("<") == 2


def test_style_cannot_be_left() -> None:
    assert str(style("a>b{}")) == "<style>a>b{}</style>"
    with pytest.raises(ValueError, match="holds no '<'"):
        style("</style>")


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (1.25, "1.2"), (-0.01, "0"), (-2.5, "-2.5"), (100.0, "100")])
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text
