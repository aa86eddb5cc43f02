"""BINDING 24: a change that needs several cells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from e2e.driver import Notebook, deployment_keys, under


def order(module: str, field: str) -> str:
    return f"""
        %%ftl_module {module}
        from dataclasses import dataclass

        @dataclass
        class Order:
            sku: str
            {field}: int
    """


def total(module: str, field: str) -> str:
    return f"""
        %%ftl_verb --module {module} --export
        def total(order: Order) -> int:
            return order.{field} * 2
    """


def test_24_a_cell_that_breaks_one_of_its_module_is_pending_until_that_one_follows(notebook: Notebook) -> None:
    notebook.run(order("single", "quantity")).ok  # noqa: B018
    notebook.run(total("single", "quantity")).ok  # noqa: B018
    refused = notebook.run(order("single", "count")).refusal
    assert refused.slug == "breaks-others"
    assert "pending" in refused.hint
    assert "<single/total>" in str(refused)
    assert "tried together with it" in refused.hint
    assert "single" in notebook.run("%ftl status").ok.text
    assert "pending" in notebook.run("%ftl status").ok.text
    assert notebook.cluster.call("single.total", {"sku": "a", "quantity": 4}) == 8
    card = notebook.run(total("single", "count")).card
    assert card.status == "deployed"
    assert {c.name for c in card.changes} >= {"Order"}
    assert notebook.cluster.call("single.total", {"sku": "a", "count": 4}) == 8
    assert "pending: nothing" in notebook.run("%ftl plan").ok.text


def test_24_a_cell_that_has_nothing_to_do_with_what_is_pending_is_not_held_up(notebook: Notebook) -> None:
    one = """
        %%ftl_verb --module held --export
        def one() -> int:
            return 1
    """
    notebook.run(order("held", "quantity")).ok  # noqa: B018
    notebook.run(total("held", "quantity")).ok  # noqa: B018
    assert notebook.run(order("held", "count")).refusal.slug == "breaks-others"
    assert notebook.run(one).card.status == "deployed"
    assert notebook.cluster.call("held.one") == 1
    assert notebook.run(total("held", "quantity")).card.status == "unchanged"
    assert "pending: held" in notebook.run("%ftl plan").ok.text
    notebook.run(total("held", "count")).ok  # noqa: B018
    assert notebook.cluster.call("held.total", {"sku": "a", "count": 2}) == 4
    assert notebook.cluster.call("held.one") == 1


def test_24_the_notebook_has_the_class_of_a_pending_cell_once_it_lands(notebook: Notebook) -> None:
    notebook.run(order("landing", "quantity")).ok  # noqa: B018
    notebook.run(total("landing", "quantity")).ok  # noqa: B018
    assert notebook.run(order("landing", "count") + "\n        size = 3\n").refusal.slug == "breaks-others"
    assert notebook.value("Order('a', quantity=2).quantity") == 2
    notebook.run(total("landing", "count")).ok  # noqa: B018
    assert notebook.value("total(Order('a', count=4))") == 8
    assert notebook.value("size") == 3


def test_24_what_a_cell_binds_itself_is_left_alone_when_another_lands(notebook: Notebook) -> None:
    notebook.run(order("own_names", "quantity")).ok  # noqa: B018
    notebook.run(total("own_names", "quantity")).ok  # noqa: B018
    assert notebook.run(order("own_names", "count")).refusal.slug == "breaks-others"
    notebook.run("total = 'mine'").ok  # noqa: B018
    notebook.run("%%ftl_verb --module own_names\ndef one() -> int:\n    return 1\n").ok  # noqa: B018
    assert notebook.value("total") == "mine"
    notebook.run("%ftl discard").ok  # noqa: B018


def test_24_plan_and_check_tell_of_what_is_pending(notebook: Notebook) -> None:
    verb = "%%ftl_verb --module {}\ndef {}(n: int) -> int:\n    return {}\n"
    notebook.module("told", "def _step() -> int:\n    return 1\n")
    notebook.run(verb.format("told", "walk", "n + _step()")).ok  # noqa: B018
    refused = notebook.run("%%ftl_module told\ndef _step() -> str:\n    return 'a'\n").refusal
    assert refused.slug == "breaks-others"
    plan = notebook.run("%ftl plan").ok.text.splitlines()
    assert plan[:2] == ["no declaration would change", "pending: told"]
    assert "<told/walk>" in "\n".join(plan)
    checked = notebook.run("%ftl check").ok.stdout + notebook.run("%ftl check").ok.text
    assert "nothing to mend; pending, and not among them: told (see %ftl plan)" in checked
    notebook.run("%ftl discard told").ok  # noqa: B018
    assert notebook.run("%ftl plan").ok.text.splitlines() == ["nothing would change", "pending: nothing"]


def over(field: str) -> str:
    return f"""
        import ftl_nb as ftl
        ftl.module("over")
        from ftl_nb.modules import under

        @ftl.verb(export=True)
        def twice(n: int) -> int:
            return under.Order("a", n).{field} * 2
    """


def define_pair(notebook: Notebook) -> None:
    notebook.run("%ftl remove over")
    notebook.run("%ftl remove under")
    notebook.run(under("quantity"), cell_id="under-module").ok  # noqa: B018
    notebook.run(over("quantity"), cell_id="over-module").ok  # noqa: B018


def test_24_over_two_modules_the_second_cell_makes_both_move_in_one_changeset(notebook: Notebook) -> None:
    define_pair(notebook)
    before = deployment_keys(notebook)
    refused = notebook.run(under("count"), cell_id="under-module").refusal
    assert refused.slug == "breaks-others"
    assert "<over/module>" in refused.message
    assert notebook.cluster.call("over.twice", 3) == 6
    assert deployment_keys(notebook) == before
    plan = notebook.run("%ftl plan").ok.text
    assert "pending: under" in plan
    assert "count" in plan
    with commits(notebook) as committed:
        card = notebook.run(over("count"), cell_id="over-module").card
        assert next(committed) == {"under", "over"}
    assert card.status == "deployed"
    assert any(c.name == "under.Order" for c in card.changes)
    assert notebook.cluster.call("over.twice", 4) == 8
    after = deployment_keys(notebook)
    assert all(after[name] != before[name] for name in ("under", "over"))


def test_24_a_cells_own_error_is_told_before_that_of_what_is_pending_in_its_module(notebook: Notebook) -> None:
    notebook.module("hiding", "from dataclasses import dataclass\n@dataclass\nclass Coin:\n    worth: int\n")
    notebook.verb("def spend(coin: Coin) -> int:\n    return coin.worth\n")
    renamed = "%%ftl_module hiding\nfrom dataclasses import dataclass\n@dataclass\nclass Coin:\n    value: int\n"
    assert notebook.run(renamed).refusal.slug == "breaks-others"
    for text in ("def other(n: int) -> int:\n    return 'no'\n", "def other(n: int) -> int:\n    return n + = 1\n"):
        refused = notebook.run("%%ftl_verb\n" + text).refusal
        assert refused.place is not None
        assert refused.place.filename.startswith("<hiding/other") or refused.place.filename.startswith("<hiding/verb")
        assert refused.place.line == 3
    assert "pending: hiding" in notebook.run("%ftl plan").ok.text
    notebook.verb("def spend(coin: Coin) -> int:\n    return coin.value\n")
    assert notebook.cluster.call("hiding.spend", {"value": 3}) == 3


def test_24_a_cells_own_error_is_told_before_that_of_another_module_that_is_pending(notebook: Notebook) -> None:
    notebook.run(order("waits", "quantity")).ok  # noqa: B018
    notebook.run(total("waits", "quantity")).ok  # noqa: B018
    assert notebook.run(order("waits", "count")).refusal.slug == "breaks-others"
    refused = notebook.run("%%ftl_verb --module apart\ndef wrong(n: int) -> int:\n    return 'no'\n").refusal
    assert refused.slug != "breaks-others"
    assert refused.place is not None
    assert refused.place.filename == "<apart/wrong>"
    assert "pending: waits" in notebook.run("%ftl plan").ok.text
    assert (
        notebook.run("%%ftl_verb --module apart\ndef right(n: int) -> int:\n    return n\n").card.status == "deployed"
    )
    notebook.run(total("waits", "count")).ok  # noqa: B018


def test_24_taking_the_cell_back_clears_what_was_pending(notebook: Notebook) -> None:
    define_pair(notebook)
    before = deployment_keys(notebook)
    assert notebook.run(under("number"), cell_id="under-module").refusal.slug == "breaks-others"
    assert "pending: under" in notebook.run("%ftl plan").ok.text
    assert notebook.run(under("quantity"), cell_id="under-module").card.status == "unchanged"
    assert "pending: nothing" in notebook.run("%ftl plan").ok.text
    assert deployment_keys(notebook) == before


def test_24_what_is_pending_outlives_the_cluster(notebook: Notebook) -> None:
    notebook.run(order("lasting", "quantity")).ok  # noqa: B018
    notebook.run(total("lasting", "quantity")).ok  # noqa: B018
    assert notebook.run(order("lasting", "count")).refusal.slug == "breaks-others"
    notebook.run("%ftl down").ok  # noqa: B018
    assert "pending: lasting" in notebook.run("%ftl plan").ok.text
    assert notebook.cluster.call("lasting.total", {"sku": "a", "quantity": 2}) == 4
    notebook.run(total("lasting", "count")).ok  # noqa: B018
    assert notebook.cluster.call("lasting.total", {"sku": "a", "count": 2}) == 4


def test_24_a_module_that_others_need_is_not_removed(notebook: Notebook) -> None:
    define_pair(notebook)
    refused = notebook.run("%ftl remove under").refusal
    assert refused.slug == "module-needed"
    assert "<over/module>" in refused.message
    assert notebook.cluster.call("over.twice", 3) == 6
    assert notebook.cluster.call("under.take", {"sku": "a", "quantity": 1}) == "a"


def shapes(answer: str, value: str) -> str:
    return f"""
        import ftl_nb as ftl
        ftl.module("shapes")

        @ftl.verb(export=True)
        def corners(name: str) -> {answer}:
            return {value}
    """


def test_24_a_dependant_that_still_fits_moves_along(notebook: Notebook) -> None:
    painter = """
        import ftl_nb as ftl
        ftl.module("painter")
        from ftl_nb.modules import shapes

        @ftl.verb(export=True)
        def paint(name: str) -> int:
            return round(shapes.corners(name))
    """
    notebook.run(shapes("int", "4"), cell_id="shapes").ok  # noqa: B018
    notebook.run(painter).ok  # noqa: B018
    with commits(notebook) as committed:
        card = notebook.run(shapes("float", "5.75"), cell_id="shapes").card
        assert next(committed) == {"shapes", "painter"}
    assert "painter still fits and moved along" in card.notes
    assert notebook.cluster.call("painter.paint", "square") == 6


@contextmanager
def commits(notebook: Notebook) -> Iterator[Iterator[set[str]]]:
    """The names of the modules that move together, one set a changeset, from here on."""
    from ftl_nb.rpc import schemaservice_pb2
    from ftl_nb.rpc.services import AdminService

    stream = AdminService.pull_schema.on(notebook.session._control())(schemaservice_pb2.PullSchemaRequest())
    next(iter(stream))
    try:
        yield (_moved(r.event) for r in stream if r.event.HasField("changeset_committed_notification"))
    finally:
        stream.cancel()


def _moved(event: Any) -> set[str]:
    changes = event.changeset_committed_notification.changeset.realm_changes
    return {module.name for change in changes for module in change.modules}
