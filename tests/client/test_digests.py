"""When a class is still the same."""

from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.client.digests import class_digests


def source(*texts: str) -> ModuleSource:
    return ModuleSource("shop", tuple(Cell(str(i), "module", f"c{i}", text) for i, text in enumerate(texts)))


def test_a_class_keeps_its_digest_when_other_text_changes() -> None:
    before = class_digests(source("class Order:\n    sku: str\n", "x = 1\n"))
    after = class_digests(source("\n\n# moved\nclass Order:\n    sku: str\n", "x = 2\n"))
    assert before == after


def test_a_class_changes_with_its_text() -> None:
    before = class_digests(source("class Order:\n    sku: str\n"))
    after = class_digests(source("class Order:\n    sku: int\n"))
    assert before["Order"] != after["Order"]


def test_a_class_changes_with_a_class_that_it_names() -> None:
    basket = "class Basket:\n    orders: list[Order]\n"
    before = class_digests(source("class Order:\n    sku: str\n", basket))
    after = class_digests(source("class Order:\n    sku: int\n", basket))
    assert before["Basket"] != after["Basket"]


def test_a_quoted_annotation_counts() -> None:
    basket = 'class Basket:\n    first: "Order"\n'
    before = class_digests(source("class Order:\n    sku: str\n", basket))
    after = class_digests(source("class Order:\n    sku: int\n", basket))
    assert before["Basket"] != after["Basket"]


def test_classes_that_name_each_other_have_digests() -> None:
    assert set(class_digests(source('class A:\n    b: "B"\nclass B:\n    a: A\n'))) == {"A", "B"}
