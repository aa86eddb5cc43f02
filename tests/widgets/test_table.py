"""The table of what runs."""

from collections.abc import Callable

from ftl_nb import schema as s
from ftl_nb.widgets import ModuleStatus, Status, decl_counts

STATUS = Status(
    (
        ModuleStatus("shop", "deployed", "ready", (("verb", 2), ("sql", 1), ("data", 3)), "shop.ipynb"),
        ModuleStatus("users", "pending", "dead", (("verb", 1),), "people.ipynb", run_here=False),
    ),
    ("cluster of project demo",),
)


def test_plain_form(golden: Callable[[str], str]) -> None:
    assert STATUS.plain() == golden("status.txt")


def test_html_form_has_a_row_a_module() -> None:
    html = str(STATUS.html())
    assert html.count("<tr>") == 3
    assert '<span class="ftl-warn">not run in this session</span>' in html
    assert '<span class="ftl-bad">dead</span>' in html


def test_nothing_runs() -> None:
    assert Status(()).plain() == "no modules"
    assert "no modules" in str(Status(()).html())


def test_hostile_names_stay_text_and_keep_their_row() -> None:
    attack = "<img src=x>\n\x1b[2J"
    status = Status((ModuleStatus(attack, attack, attack, ((attack, 1),), attack),))
    assert "<img" not in str(status.html())
    assert len(status.plain().splitlines()) == 2


def test_counts_by_kind(system: s.Schema) -> None:
    shop = system.module("shop")
    assert shop is not None
    assert decl_counts(shop) == (
        ("verb", 1),
        ("fixture", 1),
        ("sql", 1),
        ("topic", 1),
        ("database", 1),
        ("config", 1),
        ("data", 2),
    )
