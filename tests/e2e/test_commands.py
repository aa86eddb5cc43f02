"""`%ftl` and its plain twins on a real cluster, the words of the magics, loading, and taking modules out as files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2e.driver import Notebook, System

STOCK = """
-- migrate:up
CREATE TABLE items (sku TEXT PRIMARY KEY, price DOUBLE NOT NULL);
-- migrate:down
DROP TABLE items;

-- name: PriceOf :one
SELECT price FROM items WHERE sku = @sku;
"""
COMMANDS = [
    *("status", "schema", "stage", "plan", "apply", "discard", "changesets", "rollback"),
    *("check", "call", "trace", "graph", "logs", "timeline"),
    *("config", "secret", "up", "down", "restart", "remove", "reset", "export"),
]


@pytest.fixture(scope="module")
def shop(system: System) -> Notebook:
    """A notebook with two modules: types, a config, a database with a fixture, verbs that call across."""
    notebook = system.notebook
    notebook.module(
        "shop",
        '''
        """Prices and orders."""
        from dataclasses import dataclass

        from ftl_nb import Config

        @dataclass
        class Order:
            sku: str
            quantity: int = 1

        currency = Config[str]("currency", default="USD")
        ''',
    )
    notebook.card(f"%%ftl_sql shop.stock\n{STOCK}")
    notebook.card(
        """
        %%ftl_fixture
        def fill(*, stock):
            stock.execute("INSERT INTO items VALUES ('tea', 3.5) ON CONFLICT DO NOTHING")
        """
    )
    notebook.verb(
        '''
        def checkout(order: Order, *, price_of) -> float:
            """Takes an order."""
            print("checking out", order.sku)
            return price_of(order.sku) * order.quantity
        ''',
        "--export",
    )
    notebook.card(
        """
        import ftl_nb as ftl
        ftl.module("users")
        from ftl_nb.modules import shop

        @ftl.verb(export=True)
        def buy(sku: str) -> float:
            return shop.checkout(shop.Order(sku, 2))
        """
    )
    return notebook


# --- the magics' words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("magic", ["%%ftl_module", "%%ftl_verb", "%%ftl_sql", "%%ftl_fixture"])
def test_help_of_each_magic(notebook: Notebook, magic: str) -> None:
    output = notebook.run(f"{magic} --help").ok
    assert output.stdout.startswith(f"usage: {magic}")
    assert "--help" in output.stdout
    assert output.value is None


def test_help_of_ftl_lists_every_command(notebook: Notebook) -> None:
    listed = re.findall(r"(?m)^  (\w+)", notebook.run("%ftl --help").ok.stdout)
    assert listed == COMMANDS
    assert notebook.run("%ftl").ok.stdout == notebook.run("%ftl --help").ok.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(notebook: Notebook, command: str) -> None:
    assert notebook.run(f"%ftl {command} --help").ok.stdout.startswith(f"usage: %ftl {command}")


@pytest.mark.parametrize(
    "cell",
    [
        "%%ftl_verb --exp\ndef f() -> int:\n    return 1\n",
        "%%ftl_verb --mod shop\ndef f() -> int:\n    return 1\n",
        "%%ftl_fixture --man\ndef f(): ...\n",
        "%%ftl_sql a.b --eng duckdb\nSELECT 1;\n",
        "%ftl trace --sta",
        "%ftl stat",
        "%ftl nonsense",
    ],
)
def test_no_option_or_command_is_abbreviated(notebook: Notebook, cell: str) -> None:
    assert notebook.run(cell).refusal.slug == "usage"


def test_magics_take_their_text_as_it_is(shop: Notebook) -> None:
    shop.run("sku = 'expanded'")
    assert shop.verb("def braces(n: int) -> str:\n    sku = n\n    return f'{sku} $sku'\n", "--module shop")
    assert shop.value("braces(3)") == "3 $sku"


def test_an_unknown_command_names_the_near_one(notebook: Notebook) -> None:
    assert "status" in notebook.run("%ftl statsu").refusal.hint


# --- commands and their twins -------------------------------------------------------------------------------------


def test_schema_and_its_twin(shop: Notebook) -> None:
    text = str(shop.value("%ftl schema shop"))
    assert text.startswith("// Prices and orders.\nmodule shop {")
    assert "module users" not in text
    assert text == str(shop.cluster.schema("shop"))
    assert "module users {" in str(shop.value("%ftl schema"))
    assert "known modules: shop, users" in str(shop.run("%ftl schema nope").refusal.hint)


def test_runtime_elements_and_their_twins(shop: Notebook) -> None:
    text = str(shop.value("%ftl schema shop --runtime"))
    rows = {tuple(line.split()[:2]): line for line in text.splitlines()[1:]}
    assert {("shop", "base"), ("shop", "deployment"), ("shop", "scaling"), ("shop", "runner")} <= rows.keys()
    assert "state=canonical" in rows["shop", "deployment"]
    assert "endpoint=127.0.0.1:" in rows["shop", "runner"]
    assert text == str(shop.cluster.schema("shop", runtime=True))
    assert {line.split()[0] for line in str(shop.value("%ftl schema --runtime")).splitlines()} >= {"shop", "users"}


def test_status_and_its_twin(shop: Notebook) -> None:
    text = str(shop.value("%ftl status"))
    assert text == str(shop.cluster.status())
    assert re.search(r"shop .*deployed", text)


def test_check_and_its_twin(shop: Notebook) -> None:
    said = shop.run("%ftl check").ok.stdout
    assert said == "2 modules checked, nothing to mend\n"
    assert shop.cluster.check() + "\n" == said


def test_call_and_its_twin(shop: Notebook) -> None:
    assert shop.value('%ftl call shop.checkout {"sku": "tea", "quantity": 4}') == 14.0
    assert shop.cluster.call("shop.checkout", {"sku": "tea", "quantity": 4}) == 14.0
    assert shop.value('%ftl call users.buy "tea"') == 7.0
    assert shop.run("%ftl call shop.checkout {sku: tea}").refusal.slug == "json-syntax"
    assert shop.run("%ftl call shop.checkout []").refusal.slug == "json-invalid"
    assert shop.run("%ftl call checkout {}").refusal.slug == "usage"
    unknown = shop.run("%ftl call shop.chekout {}").refusal
    assert (unknown.slug, "checkout" in unknown.hint) == ("unknown-verb", True)
    assert shop.run("%ftl call nope.checkout {}").refusal.slug in ("unknown-verb", "use-before-deploy")


def test_trace_and_its_twin(shop: Notebook) -> None:
    shop.value("buy('tea')")
    text = str(shop.value("%ftl trace --stable"))
    for verb in ("users.buy", "shop.checkout", "shop.priceOf"):
        assert verb in text
    assert text == str(shop.cluster.trace(stable=True))
    shop.value("checkout(Order('tea'))")
    assert "users.buy" not in str(shop.value("%ftl trace"))
    assert "users.buy" in str(shop.value("%ftl trace 2"))
    assert shop.run("%ftl trace 100000").refusal.slug == "usage"


def test_logs_and_its_twin(shop: Notebook) -> None:
    assert shop.run("checkout(Order('tea'))").ok.stdout == "checking out tea\n"
    text = str(shop.value("%ftl logs shop"))
    assert "checking out tea" in text
    assert len(str(shop.value("%ftl logs shop --limit 1")).splitlines()) <= len(text.splitlines())
    assert "checking out tea" in str(shop.cluster.logs("shop"))


def test_graph_and_its_twin(shop: Notebook) -> None:
    drawn = shop.run("%ftl graph").ok
    assert "<svg" in drawn.html
    assert "users" in drawn.text
    assert drawn.text == str(shop.cluster.graph())
    mermaid = shop.run("%ftl graph --mermaid").ok.stdout
    assert mermaid.startswith("flowchart")


def test_config_and_its_twin(shop: Notebook) -> None:
    shop.verb("def money(*, currency) -> str:\n    return currency.get()\n", "--module shop")
    assert shop.value("money()") == "USD"
    shop.run("%ftl config set shop.currency EUR")
    assert shop.value("money()") == "EUR"
    assert shop.value("%ftl config get shop.currency") == "EUR"
    listed = str(shop.value("%ftl config list"))
    assert listed.splitlines()[1].split() == ["shop.currency", "String", '"EUR"', "file"]
    assert listed == str(shop.cluster.configs.list())
    assert shop.value("%ftl config export") == {"shop.currency": "EUR"} == shop.cluster.configs.values()
    assert shop.run("%ftl config set shop.currency 3").refusal.slug == "config-invalid"
    shop.cluster.configs.set("currency", "JPY")
    shop.run("%ftl config unset shop.currency")
    assert shop.value("money()") == "JPY"
    shop.cluster.configs.unset("currency")
    assert shop.value("money()") == "USD"
    assert shop.run("%ftl config get shop.currency").refusal.slug == "config-missing"


def test_plan_and_its_twin(shop: Notebook) -> None:
    assert "pending: nothing" in str(shop.value("%ftl plan"))
    assert str(shop.value("%ftl plan")) == str(shop.cluster.plan())


def test_restart_gives_a_new_process(shop: Notebook) -> None:
    shop.verb("import os\n\ndef process() -> int:\n    return os.getpid()\n", "--module users")
    before = shop.value("process()")
    assert "users has restarted" in shop.run("%ftl restart users").ok.stdout
    after = shop.value("process()")
    assert after != before
    assert shop.run("%ftl restart nope").refusal.slug == "use-before-deploy"


# --- loading ------------------------------------------------------------------------------------------------------


def test_loading_again_changes_nothing_and_keeps_the_session(shop: Notebook) -> None:
    session = shop.session
    shop.module("opened_before")
    for line in ("%load_ext ftl_nb", "%reload_ext ftl_nb"):
        output = shop.run(line).ok
        said = output.stdout.splitlines()
        # IPython itself says that an extension is loaded already.
        assert [s for s in said if "already loaded" not in s and s.strip() != "%reload_ext ftl_nb"] == []
        assert output.stderr == ""
    assert len(shop.shell.ast_transformers) == 1
    assert shop.verb("def after_reload() -> int:\n    return 1\n").module == "opened_before"
    assert shop.session is session
    assert shop.value("after_reload()") == 1
    shop.run("%ftl remove opened_before")


def test_a_cell_that_is_only_a_magic_line(shop: Notebook) -> None:
    assert shop.run("%%ftl_module only_a_line").card.status == "deployed"
    assert shop.run("%%ftl_verb").refusal.slug == "verb-missing"
    shop.run("%ftl remove only_a_line")


def test_a_fresh_kernel_adopts_the_live_cluster(shop: Notebook, system: System) -> None:
    supervisor = shop.session.supervisor
    other = system.kernel("adopts.ipynb")
    assert "shop" in other.run("%ftl status").ok.text
    assert other.run("from ftl_nb.modules import users\nusers.buy('tea')").ok.text == "7.0"
    asked = "get_ipython()._ftl_nb_extension.notebook.cluster.session.supervisor"
    assert other.run(asked).ok.text == str(supervisor)


def test_unload_takes_the_magics_away(system: System) -> None:
    other = system.kernel("unloads.ipynb")
    assert other.run("%unload_ext ftl_nb").ok.stdout == ""
    assert "ftl_verb" in str(other.run("%%ftl_verb\ndef f() -> int: ...\n").error or other.run("%%ftl_verb\nx").stderr)
    other.run("%load_ext ftl_nb")


# --- modules as files ---------------------------------------------------------------------------------------------


def test_exported_files_deploy_to_the_same_schema(shop: Notebook, system: System, tmp_path: Path) -> None:
    listed = shop.run("%ftl export out").ok.stdout.split()
    assert [Path(p).name for p in listed] == ["shop.py", "users.py"]
    system.file(
        "out/redeploy.py",
        """
        import sys
        import ftl_nb as ftl
        with ftl.Cluster(sys.argv[1]) as cluster:
            for path in sys.argv[2:]:
                cluster.deploy(path)
            print(cluster.schema())
            print("answer", cluster.call("users.buy", "tea"))
        """,
    )
    fresh = tmp_path / system.folder.name
    fresh.mkdir()
    paths = [str(system.folder / "out" / name) for name in ("shop.py", "users.py")]
    done = system.python("out/redeploy.py", str(fresh), *paths, state=fresh / "state")
    assert done.stderr == ""
    schema, _, written = done.stdout.partition("\nchecking out tea\n")
    assert written == "answer 7.0\n"
    assert _without_ordering(schema) == _without_ordering(str(shop.value("%ftl schema")))


def _without_ordering(schema: str) -> list[str]:
    return sorted(schema.splitlines())


# --- the end of it ------------------------------------------------------------------------------------------------


def test_remove_is_refused_while_others_need_the_module(shop: Notebook) -> None:
    error = shop.run("%ftl remove shop").refusal
    assert error.slug == "module-needed"
    assert shop.value("buy('tea')") == 7.0


def test_down_and_up_bring_back_what_is_deployed(shop: Notebook) -> None:
    before = shop.session.supervisor
    shop.run("%ftl config set shop.currency EUR")
    assert "the cluster is down" in shop.run("%ftl down").ok.stdout
    assert "shop" in str(shop.value("%ftl up"))
    assert shop.session.supervisor != before
    assert shop.value("buy('tea'), money()") == (7.0, "EUR")


def test_reset_removes_everything_but_config_values(shop: Notebook) -> None:
    assert shop.run("%ftl reset").ok.stdout == "removed: shop, users\n"
    assert shop.session.view.modules == ()
    assert shop.cluster.configs.values() == {"shop.currency": "EUR"}
    assert not list((shop.session.project.state / "databases").rglob("*.duckdb"))
