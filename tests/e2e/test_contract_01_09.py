from __future__ import annotations

from e2e.driver import Notebook, System

SHOP = '''
    %%ftl_module shop
    """Prices and orders."""
    from dataclasses import dataclass

    @dataclass
    class Order:
        sku: str
        quantity: int = 1
'''


def test_driver(notebook: Notebook, system: System) -> None:
    assert notebook.run(SHOP).card.status == "deployed"
    other = system.kernel("other.ipynb")
    assert other.run(SHOP).refusal.slug == "module-owned"
    assert other.run("from ftl_nb.modules import shop\nshop.Order('a', 1)").ok.text == "Order(sku='a', quantity=1)"
