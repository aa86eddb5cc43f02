"""The tab key on the lines of the magics, through the kernel's complete_request."""

from __future__ import annotations

import pytest

from notebooks.kernel import Kernel

PRICES = """%%ftl_sql shop.stock
-- migrate:up
CREATE TABLE items (sku TEXT PRIMARY KEY, price DOUBLE NOT NULL);
-- migrate:down
DROP TABLE items;

-- name: PriceOf :one
SELECT price FROM items WHERE sku = @sku;
"""
CHECKOUT = "%%ftl_verb --module shop\ndef checkout(order: Order) -> int:\n    return order.quantity\n"
OFFERS = [
    ("%ftl ", {"status", "schema", "plan", "call", "trace", "graph", "logs", "export", "--help"}),
    ("%ftl st", {"status"}),
    ("%ftl call ", {"shop.checkout", "shop.priceOf"}),
    ("%ftl call shop.che", {"shop.checkout"}),
    ("%ftl schema ", {"shop"}),
    ("%ftl graph --mer", {"--mermaid"}),
    ("%ftl trace --", {"--stable"}),
    ("%%ftl_module ", {"shop"}),
    ("%%ftl_verb --", {"--module", "--export", "--export-realm", "--name"}),
    ("%%ftl_verb --module ", {"shop"}),
    ("%%ftl_verb --module sh", {"shop"}),
    ("%%ftl_sql ", {"shop.stock"}),
    ("%%ftl_sql shop.", {"shop.stock"}),
    ("%%ftl_fixture --", {"--manual", "--module"}),
]


@pytest.fixture(scope="module")
def stocked(kernel: Kernel) -> Kernel:
    for cell in (PRICES, CHECKOUT):
        assert kernel.run(cell).error == ""
    return kernel


@pytest.mark.parametrize(("line", "offered"), OFFERS)
def test_offers(stocked: Kernel, line: str, offered: set[str]) -> None:
    assert offered <= set(stocked.complete(line))


def test_nothing_else_is_offered_behind_a_commands_start(stocked: Kernel) -> None:
    assert stocked.complete("%ftl call shop.che") == ["shop.checkout"]
    assert stocked.complete("%ftl sta") == ["stage", "status"]
