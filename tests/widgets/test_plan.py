"""The difference of two schemas."""

from collections.abc import Callable

from ftl_nb import schema as s
from ftl_nb.widgets import Plan

PLAN = Plan(
    s.Diff(
        (
            s.Change("added", "shop", "refund", "verb"),
            s.Change(
                "changed",
                "shop",
                "Order",
                "data",
                True,
                ("field sku: type changed from String to Int",),
                (s.Ref("mail", "send", pos=s.Position("<mail/send>", 3, 1)), s.Ref("users", "find")),
                unreadable=(s.Ref("shop", "orders"),),
            ),
            s.Change(
                "changed",
                "shop",
                "Receipt",
                "data",
                reasons=("field note added",),
                requires=("whoever makes one must set note",),
            ),
            s.Change("removed", "users", "<old>", "verb", True),
        )
    )
)


def test_plain_form(golden: Callable[[str], str]) -> None:
    assert PLAN.plain() == golden("plan.txt")


def test_what_breaks_is_red_and_names_who() -> None:
    html = str(PLAN.html())
    assert '<div class="ftl-why ftl-bad">breaks mail.send at &lt;mail/send&gt;:3:1</div>' in html
    assert '<span class="ftl-sign ftl-good">+</span>' in html
    assert '<span class="ftl-sign ftl-bad">-</span> <code>verb &lt;old&gt;</code>' in html


def test_no_changes() -> None:
    assert Plan(s.Diff()).plain() == "no changes"


def test_plan_of_two_schemas(system: s.Schema) -> None:
    without_mail = s.Schema((s.Realm("demo", tuple(m for m in system.realms[0].modules if m.name != "mail")),))
    assert Plan(s.diff(without_mail, system)).headline() == "2 added"


def test_notes_stand_under_the_changes() -> None:
    plan = Plan(s.Diff(), ("shop is pending\nusers.find breaks <b>",))
    assert plan.plain() == "no changes\nshop is pending\nusers.find breaks <b>"
    assert "users.find breaks &lt;b&gt;" in str(plan.html())
