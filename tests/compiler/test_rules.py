"""Which findings of the type checker refuse a cell."""

from __future__ import annotations

import pytest

from ftl_nb.compiler.rules import refuses


@pytest.mark.parametrize(
    ("rule", "message", "expected"),
    [
        ("missing-attribute", "Module `pyarrow.compute` has no member `greater`", False),
        ("missing-attribute", "Module `json` has no member `dump5`", True),
        ("missing-attribute", "Module `ftl_nb.modules.shop` has no member `sell`", True),
        ("missing-attribute", "Object of type `Order` has no attribute `sku5`", True),
        ("import-not-found", "Cannot resolve imported module `torch`", False),
        ("import-not-found", "Cannot resolve imported module `ftl_nb.modules.shop`", True),
    ],
)
def test_what_a_package_makes_as_it_is_imported_refuses_nothing(rule: str, message: str, expected: bool) -> None:
    assert refuses(rule, "error", message) is expected
    assert not refuses(rule, "warning", message)
