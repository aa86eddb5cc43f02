"""Secrets of a real system: set, read, changed, recorded; and nowhere to be found."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from e2e.driver import Notebook, System
from ftl_nb.cli import main

CANARY = "canary-4f7a-in-the-mine"
LATER = "canary-9c1e-in-the-pit"
HANDED = "canary-77b0-handed-over"

MODULE = """
import logging, os, subprocess, sys
from ftl_nb import Config, Secret
currency = Config[str]("currency", default="USD")
api_key = Secret[str]("apiKey")
pin = Secret[int]()
handed = Secret[str]("handed")
unset = Secret[list[str]]("unset")

def _through_a_helper() -> str:
    return api_key.get()
"""
VERBS = (
    "def length() -> int:\n    return len(_through_a_helper())\n",
    "def handed_length(*, handed) -> int:\n    return len(handed.get())\n",
    """def tell() -> str:
    print("printed", api_key.get(), api_key)
    logging.warning("logged %s", api_key.get())
    subprocess.run([sys.executable, "-c", "import sys; print('piped', sys.stdin.read())"],
                   input=api_key.get(), text=True, check=True)
    return repr(api_key)
""",
    "def fail_with_it() -> int:\n    raise ValueError(f'wrong: {api_key.get()}')\n",
    "def answer_wrongly() -> int:\n    return api_key.get()  # type: ignore\n",
    "def no_value() -> list[str]:\n    return unset.get()\n",
    """def seen() -> list[str]:
    environ = open("/proc/self/environ", errors="replace").read() + "".join(os.environ)
    return [word for word in ("FTL_SECRETS", "canary") if word in environ]
""",
)

SHOWING = ("tell()", "fail_with_it()", "answer_wrongly()", "%ftl logs", "%ftl secret list", "api_key", "%ftl trace")


@pytest.fixture(scope="module")
def shop(system: System) -> Notebook:
    """A module with secrets, in a cluster that was started by somebody with a secret in the environment."""
    os.environ["FTL_SECRETS_SHOP_HANDED"] = json.dumps(HANDED)
    notebook = system.notebook
    notebook.module("shop", MODULE)
    del os.environ["FTL_SECRETS_SHOP_HANDED"]
    for verb in VERBS:
        notebook.verb(verb, "--module shop")
    notebook.cluster.secrets.set("shop.api_key", CANARY)
    return notebook


def actions(shop: Notebook) -> list[tuple[str, str, str]]:
    """What was done with secrets and by whom, oldest first."""
    rows = shop.value("import ftl_nb\nftl_nb.timeline('select secret, action, accessor from secrets').df()")
    return [tuple(map(str, row)) for row in rows.itertuples(index=False)]  # type: ignore[misc]


def held(text: str) -> list[str]:
    """The secrets that stand in a text."""
    return [secret for secret in (CANARY, LATER, HANDED) if secret in text]


def test_a_secret_is_a_declaration_and_its_uses_are_found(shop: Notebook) -> None:
    text = shop.schema("shop")
    assert "  secret apiKey String\n" in text
    assert "  secret pin Int\n" in text
    assert "verb length(Unit) Int  \n    +secrets shop.apiKey" in text
    assert CANARY not in text


def test_a_change_reaches_running_verbs_and_a_wrong_value_does_not(shop: Notebook) -> None:
    assert shop.value("length()") == len(CANARY)
    shop.cluster.secrets.set("shop.apiKey", LATER)
    assert shop.value("length()") == len(LATER)
    assert shop.run("%ftl secret import wrong.json").refusal.slug == "usage"
    Path("wrong.json").write_text(json.dumps({"shop.pin": CANARY}))
    error = shop.run("%ftl secret import wrong.json").refusal
    assert (error.slug, CANARY in str(error)) == ("secret-invalid", False)
    Path("wrong.json").unlink()
    shop.cluster.secrets.set("shop.apiKey", CANARY)


def test_a_secret_of_the_environment_reaches_its_verb_and_no_environment(shop: Notebook) -> None:
    assert shop.value("handed_length()") == len(HANDED)
    assert shop.value("seen()") == []


def test_nothing_that_is_shown_or_kept_holds_the_value(shop: Notebook, system: System) -> None:
    shown = []
    for call in (
        "tell()",
        "fail_with_it()",
        "answer_wrongly()",
        "%ftl logs",
        "%ftl secret list",
        "%ftl schema --runtime",
        "api_key",
        "%ftl trace",
    ):
        output = shop.run(call)
        shown.append(
            "".join([output.text, output.html, output.stdout, output.stderr, output.shown, repr(output.error)])
        )
    assert "printed ••• <secret shop.apiKey>" in shown[0]
    assert "logged •••" in shown[0]
    assert "piped •••" in shown[0]
    assert "wrong: •••" in shown[1]
    assert not held("".join(shown))
    assert not held(shop.value("import ftl_nb\nftl_nb.timeline('select * from events').df()").to_csv())
    lines = [p / "cmdline" for p in Path("/proc").iterdir() if p.name.isdigit()]
    assert not held("".join(line.read_text(errors="replace") for line in lines if line.exists()))


def test_no_file_of_the_cluster_holds_the_value(shop: Notebook, system: System) -> None:
    shop.run("%ftl down").ok  # noqa: B018
    files = [p for p in system.state.rglob("*") if p.is_file()]
    # A subprocess writes to the process's own log file, past every process of ours.
    holding = [p for p in files if held(p.read_bytes().decode(errors="replace").replace(f"piped {CANARY}", ""))]
    assert (holding, len(files) > 5) == ([], True)


def test_what_is_done_with_a_secret_is_on_the_timeline(shop: Notebook) -> None:
    shop.value("length()")
    # Its read came before its end.
    shop.run("%ftl trace").ok  # noqa: B018
    shop.cluster.secrets.get("shop.apiKey", reveal=True)
    done = {(secret, action, accessor.split()[0].split("/")[0]) for secret, action, accessor in actions(shop)}
    assert {("shop.apiKey", action) for action in ("read", "set")} <= {(s, a) for s, a, _ in done}
    assert ("shop.apiKey", "read", "module") in done


def test_a_missing_secret_says_what_to_do(shop: Notebook) -> None:
    error = shop.run("no_value()").refusal
    assert (error.slug, error.hint) == ("secret-missing", "%ftl secret set shop.unset asks for it")


def test_a_value_is_typed_in_unseen_and_shown_on_demand(shop: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "471147" if prompt == "shop.pin: " else "")
    assert shop.run("%ftl secret set shop.pin").ok.stdout == ""
    assert shop.run("%ftl secret get shop.pin").refusal.slug == "secret-hidden"
    assert shop.value("%ftl secret get shop.pin --reveal") == 471147
    assert shop.run("%ftl secret set shop.pin 12").refusal.slug == "secret-hidden"
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "not a number")
    assert shop.run("%ftl secret set shop.pin").refusal.slug == "secret-invalid"
    shop.run("%ftl secret unset shop.pin").ok  # noqa: B018
    assert shop.run("%ftl secret get shop.pin --reveal").refusal.slug == "secret-missing"


def test_names_of_other_kinds_and_of_none(shop: Notebook) -> None:
    assert shop.run("%ftl config set shop.apiKey x").refusal.slug == "setting-kind"
    assert "did you mean shop.currency" in shop.run("%ftl config set shop.curency EUR").ok.stdout
    shop.run("%ftl config unset shop.curency").ok  # noqa: B018
    assert "did you mean shop.currency" in shop.run("%ftl config get shop.curency").refusal.hint
    assert shop.run("%ftl config set a-b.c x").refusal.slug == "usage"


def test_export_and_import_take_each_others_files(shop: Notebook) -> None:
    shop.run("%ftl secret export out.json").ok  # noqa: B018
    out = Path("out.json")
    assert (out.stat().st_mode & 0o777, json.loads(out.read_text())) == (0o600, {"shop.apiKey": CANARY})
    assert shop.run("%ftl secret export out.json").refusal.slug == "usage"
    shop.run("%ftl secret unset shop.apiKey").ok  # noqa: B018
    assert shop.run("%ftl secret import out.json").ok.stdout == "1 set\n"
    assert shop.value("length()") == len(CANARY)


def test_the_command_line_can_do_the_same(shop: Notebook, tmp_path: Path) -> None:
    def said(*words: str, typed: str = "") -> str:
        result = CliRunner().invoke(main, list(words), input=typed)
        return f"{result.exit_code} {result.output}"

    assert said("secret", "set", "shop.pin", typed="471147\n").startswith("0 ")
    assert "471147" not in said("secret", "list")
    assert "--reveal" in said("secret", "get", "shop.pin")
    assert said("secret", "get", "shop.pin", "--reveal") == "0 471147\n"
    assert said("config", "set", "shop.currency", "CHF") == "0 "
    assert said("config", "get", "shop.currency") == '0 "CHF"\n'
    assert "FTL-V509" in said("config", "set", "--json", "shop.currency", "3")
    assert said("config", "export", str(tmp_path / "c.json")).startswith("0 1 written")
    assert said("config", "unset", "shop.currency") == "0 "
    assert said("config", "import", str(tmp_path / "c.json")) == "0 1 set\n"
    assert '"CHF"' in said("config", "list", "shop")
