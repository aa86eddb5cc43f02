from ftl_nb.binding.source import Cell, ModuleSource

TYPES = Cell("a1", "module", "shop", "\nclass Order: ...\n")
CHECKOUT = Cell("b2", "verb", "checkout", "\ndef checkout(order): ...\n", {"export": "realm"})
STOCK = Cell("c3", "sql", "stock", "\n-- migrate:up\n", database="stock", engine="duckdb")
SHOP = ModuleSource("shop", (TYPES, CHECKOUT, STOCK))


def test_round_trip_through_plain_json_values() -> None:
    assert ModuleSource.from_dict(SHOP.to_dict()) == SHOP


def test_filename_names_module_and_cell() -> None:
    assert CHECKOUT.filename("shop") == "<shop/checkout>"
    assert SHOP.at("<shop/checkout>") == CHECKOUT
    assert SHOP.at("<shop/other>") is None


def test_kinds_are_kept_apart_in_order() -> None:
    assert SHOP.python_cells == (TYPES, CHECKOUT)
    assert SHOP.sql_cells == (STOCK,)


def test_digest_follows_text_and_options_and_not_ids() -> None:
    renamed = Cell("z9", "verb", "checkout", CHECKOUT.text, {"export": "realm"})
    assert ModuleSource("shop", (TYPES, renamed, STOCK)).digest == SHOP.digest
    closed = Cell("b2", "verb", "checkout", CHECKOUT.text)
    assert ModuleSource("shop", (TYPES, closed, STOCK)).digest != SHOP.digest
    assert ModuleSource("store", SHOP.cells).digest != SHOP.digest


def test_a_changed_cell_keeps_its_place() -> None:
    changed = Cell("a1", "module", "shop", "\nclass Order: pass\n")
    assert SHOP.with_cell(changed).cells == (changed, CHECKOUT, STOCK)
    assert SHOP.without_cell("a1").cells == (CHECKOUT, STOCK)


def test_a_new_cell_goes_last() -> None:
    new = Cell("d4", "verb", "refund", "\n")
    assert SHOP.with_cell(new).cells[-1] == new
    assert SHOP.cell("refund") is None
