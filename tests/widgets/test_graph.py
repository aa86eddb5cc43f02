"""The graph of a schema, and its plain and mermaid forms."""

from collections.abc import Callable

import pytest

from ftl_nb import schema as s
from ftl_nb.schema import RefKey
from ftl_nb.widgets import graph, mermaid


def _edges(system: s.Schema, kind: str) -> set[tuple[str, str]]:
    return {(str(e.source), str(e.target)) for e in graph(system).edges if e.kind == kind}


def test_edges_are_the_references(system: s.Schema) -> None:
    assert _edges(system, "calls") == {
        ("shop.checkout", "shop.priceOf"),
        ("shop.checkout", "users.find"),
        ("mail.send", "mail.failed"),
    }
    assert _edges(system, "uses") == {
        ("shop.checkout", "shop.currency"),
        ("shop.checkout", "shop.receipts"),
        ("shop.priceOf", "shop.stock"),
        ("shop.stockTheShelves", "shop.stock"),
        ("users.find", "users.apiKey"),
        ("shop.receipts", "mail.send"),
    }
    assert ("mail.failed", "shop.Receipt") in _edges(system, "types")


def test_builtins_and_unknown_references_are_not_drawn(system: s.Schema) -> None:
    drawn = graph(system)
    assert "builtin" not in drawn.modules()
    stray = s.Verb("f", s.Ref("gone", "Thing"), s.Unit())
    assert graph(s.Schema((s.Realm("r", (s.Module("m", (stray,)),)),))).edges == ()


@pytest.mark.parametrize(
    ("focus", "kept"),
    [
        ("users", {"users.User", "users.Level", "users.Email", "users.apiKey", "users.find", "shop.checkout"}),
        ("shop.stock", {"shop.stock", "shop.priceOf", "shop.stockTheShelves"}),
    ],
)
def test_focus_keeps_the_neighbours(system: s.Schema, focus: str, kept: set[str]) -> None:
    assert {str(node.key) for node in graph(system, focus).nodes} == kept


def test_unknown_focus_says_what_there_is(system: s.Schema) -> None:
    with pytest.raises(LookupError, match=r"no module or declaration 'shopp'; modules are shop, users, mail"):
        graph(system, "shopp")


def test_kinds_and_exports(system: s.Schema) -> None:
    nodes = {node.key: node for node in graph(system).nodes}
    assert nodes[RefKey("shop", "priceOf")].kind == "sql"
    assert nodes[RefKey("shop", "stockTheShelves")].kind == "fixture"
    assert nodes[RefKey("shop", "checkout")].exported
    assert not nodes[RefKey("shop", "stock")].exported


def test_plain_form(system: s.Schema, golden: Callable[[str], str]) -> None:
    assert graph(system).plain() == golden("graph.txt")
    assert graph(s.Schema()).plain() == "no modules"


def test_mermaid_form(system: s.Schema, golden: Callable[[str], str]) -> None:
    assert mermaid(system) == golden("graph.mermaid")


def test_bundle_is_text_and_html(system: s.Schema) -> None:
    data, metadata = graph(system)._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html"}
    assert metadata == {}
