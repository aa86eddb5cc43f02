"""The quickstart in a real JupyterLab: what a person sees, and which cell is which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from browser.contrast import contrasts
from browser.lab import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LEAST_CONTRAST = 4.5
CHECKOUT = """%%ftl_verb --export
def checkout(order: Order, *, price_of, currency) -> Receipt:
    return Receipt(order.sku, price_of(order.sku) * order.quantity, currency.get())
"""
REFUND = """%%ftl_verb --module shop
def refund(receipt: Receipt) -> float:
    return -receipt.total
"""


def test_pictures_can_be_taken(quickstart: Page, pictures: Path) -> None:
    """Runs first: a picture shows the notebook as it is after "Run All Cells"."""
    quickstart.add("trace", "again", "serve(8)")
    quickstart.add("again", "timed", "%ftl trace")
    quickstart.output("timed").locator("summary").nth(1).click()
    shots = {"quickstart": ("stock", "checkout", "call", "graph"), "trace": ("timed",)}
    for name, cells in shots.items():
        quickstart.picture(pictures / f"{name}.png", *cells)
        assert (pictures / f"{name}.png").stat().st_size > 0


def test_every_cell_ran_and_shows_its_card(quickstart: Page) -> None:
    assert quickstart.page.locator(".jp-OutputArea-output[data-mime-type*='error']").count() == 0
    cards = {cell: quickstart.text(cell).split("\n")[0] for cell in ("shop", "stock", "shelves", "checkout", "cafe")}
    assert set(cards.values()) == {"shop · deployed", "cafe · deployed"}
    assert quickstart.text("call") == "Receipt(sku='tea', total=7.0, currency='EUR')"


def test_what_a_verb_printed_is_under_the_cell_that_called(quickstart: Page) -> None:
    assert "table 7 pays 7.0 EUR" in quickstart.text("serve")


def test_the_graph_is_drawn(quickstart: Page) -> None:
    svg = quickstart.output("graph").locator("svg")
    drawn = set(svg.locator("text").all_inner_texts()) | set(svg.locator("text").all_text_contents())
    assert {"shop", "cafe", "checkout", "serve", "priceOf", "stock"} <= drawn


def test_the_trace_opens_at_a_click(quickstart: Page) -> None:
    trace = quickstart.output("trace")
    assert [name in trace.inner_text() for name in ("cafe.serve", "shop.checkout", "shop.priceOf")] == [True] * 3
    trace.locator("summary").nth(1).click()
    assert '"sku"' in trace.inner_text().replace(" ", "")


@pytest.fixture
def light_again(quickstart: Page) -> Iterator[Page]:
    yield quickstart
    quickstart.use_theme("JupyterLab Light")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_graph_is_readable_in_both_themes(light_again: Page, theme: str) -> None:
    light_again.use_theme(theme)
    found = contrasts(light_again.output("graph").locator("svg").first)
    assert len(found) > 10
    assert [(text, round(c, 1)) for text, c in found if c < LEAST_CONTRAST] == []


def test_the_notebook_and_the_status_say_whose_a_module_is(quickstart: Page) -> None:
    assert quickstart.text("status").count("this notebook") == 2


def test_a_type_error_is_one_error_with_a_caret_at_its_line(quickstart: Page) -> None:
    quickstart.write("checkout", CHECKOUT.replace("* order.quantity", '+ "x"'))
    error = quickstart.output("checkout").locator("[data-mime-type*='error'], [data-mime-type*='stderr']")
    assert error.count() == 1
    lines = error.inner_text().rstrip().split("\n")
    assert lines[0].startswith("FTL-T210: ")
    assert lines[1].strip() == "at <shop/checkout>:3:31"
    assert lines[3].index("^") == lines[2].index("price_of")
    assert quickstart.add("checkout", "still", 'checkout(Order("tea", 2)).total') == "7.0"
    assert quickstart.write("checkout", CHECKOUT) == "shop · unchanged"


def test_renaming_a_verb_in_its_cell_replaces_it(quickstart: Page) -> None:
    assert "+ verb refund(Receipt) Float" in _flat(quickstart.add("checkout", "refund", REFUND))
    card = _flat(quickstart.write("refund", REFUND.replace("refund", "give_back")))
    assert "+ verb giveBack(Receipt) Float" in card
    assert "- verb refund" in card
    assert "FTL-" in quickstart.add("refund", "old", "%ftl call shop.refund {}")


def test_a_copied_cell_takes_the_place_of_its_model(quickstart: Page) -> None:
    text = REFUND.replace("refund", "discount")
    quickstart.add("checkout", "model", text)
    card = _flat(quickstart.add("model", "copy", text.replace("-receipt.total", "receipt.total * 0.9")))
    assert card.startswith("shop · deployed")
    call = quickstart.add("copy", "discounted", 'discount(Receipt("tea", 10.0, "EUR"))')
    assert call == "9.0"


def _flat(text: str) -> str:
    return " ".join(text.split())
