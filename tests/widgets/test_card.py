"""The card of a defining cell."""

import pytest

from ftl_nb.widgets import Card, CardChange

CARD = Card(
    "shop",
    "deployed",
    (
        CardChange("+", "verb", "checkout", "(Order) Receipt"),
        CardChange("~", "data", "Order", "quantity Int = 1 added"),
        CardChange("-", "config", "currency"),
    ),
    ("Order also stands in users; the last run wins here.",),
    took=0.0421,
)


def test_plain_form_is_one_line_a_change() -> None:
    assert CARD.plain() == (
        "shop · deployed\n"
        "  + verb checkout(Order) Receipt\n"
        "  ~ data Order quantity Int = 1 added\n"
        "  - config currency\n"
        "  Order also stands in users; the last run wins here."
    )
    assert str(CARD) == CARD.plain()


def test_what_follows_for_others_stands_under_the_change() -> None:
    card = Card(
        "shop",
        "deployed",
        (CardChange("~", "data", "Order", "field note added", ("whoever makes <one> must set it",)),),
    )
    assert card.plain().splitlines()[1:] == ["  ~ data Order field note added", "      whoever makes <one> must set it"]
    assert '<div class="ftl-why ftl-muted">whoever makes &lt;one&gt; must set it</div>' in str(card.html())


def test_how_long_it_took_is_metadata_alone() -> None:
    data, metadata = CARD._repr_mimebundle_()
    assert metadata == {"ftl": {"took_ms": 42.1}}
    again, _ = Card(CARD.module, CARD.status, CARD.changes, CARD.notes, took=9.5)._repr_mimebundle_()
    assert again == data


def test_bundle_obeys_include_and_exclude() -> None:
    assert list(CARD._repr_mimebundle_()[0]) == ["text/plain", "text/html"]
    assert list(CARD._repr_mimebundle_(include={"text/plain"})[0]) == ["text/plain"]
    assert list(CARD._repr_mimebundle_(exclude={"text/plain"})[0]) == ["text/html"]


@pytest.mark.parametrize(
    ("status", "tone"),
    [
        ("deployed", "good"),
        ("unchanged", "muted"),
        ("pending", "warn"),
        ("refused because users breaks", "bad"),
        ("removed", "muted"),
    ],
)
def test_status_has_its_tone(status: str, tone: str) -> None:
    assert f'<span class="ftl-{tone}">{status}</span>' in str(Card("shop", status).html())


def test_hostile_text_stays_text() -> None:
    attack = "<script>alert(1)</script>\x1b[2J"
    card = Card(attack, attack, (CardChange("+", attack, attack, attack),), (attack,))
    assert "<script" not in str(card.html())
    assert "\x1b" not in card.plain() + str(card.html())
