"""`%ftl config …` and `%ftl secret …`."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any, Literal

from ftl_nb.errors import fail
from ftl_nb.magics.arguments import Parser
from ftl_nb.magics.notebook import Notebook

ACTIONS = ("list", "get", "set", "unset", "import", "export")


def config_words(parser: Parser) -> None:
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("ref", nargs="?", default="", metavar="MODULE.NAME", help="or a NAME for all, a module, a file")
    parser.add_argument("value", nargs="*", help="JSON, or a plain text")


def secret_words(parser: Parser) -> None:
    config_words(parser)
    parser.add_argument("--reveal", action="store_true", help="show the value")


def config(notebook: Notebook, words: Namespace) -> Any:
    configs = notebook.cluster.configs
    if words.action == "get":
        return configs.get(_named(words, "config"))
    if words.action == "set":
        _remark(configs.set(_named(words, "config"), _value(words.value)))
        return None
    if words.action == "export" and not words.ref:
        return configs.values()
    return _other(configs, words, "config")


def secret(notebook: Notebook, words: Namespace) -> Any:
    secrets = notebook.cluster.secrets
    if words.action == "get":
        return secrets.get(_named(words, "secret"), reveal=words.reveal)
    if words.action == "set":
        _remark(secrets.set_text(_named(words, "secret"), _asked(words)))
        return None
    return _other(secrets, words, "secret")


def _other(settings: Any, words: Namespace, kind: Literal["config", "secret"]) -> Any:
    if words.action == "list":
        return settings.list(words.ref)
    ref = _named(words, kind)
    if words.action == "unset":
        return settings.unset(ref)
    print(settings.import_file(ref) if words.action == "import" else settings.export_file(ref))
    return None


def _asked(words: Namespace) -> str:
    """Typed where nobody sees it, and no cell keeps it."""
    if words.value:
        detail = "A secret's value does not stand in a cell, where the notebook would keep it"
        raise fail("secret-hidden", detail=detail, hint_text=f"%ftl secret set {words.ref} asks for it")
    from getpass import getpass

    return getpass(f"{words.ref}: ")


def _named(words: Namespace, kind: str) -> str:
    if not words.ref:
        what = "a file" if words.action in ("import", "export") else "a name"
        hint = "a JSON file" if what == "a file" else "module.name, or a global name"
        raise fail("usage", detail=f"%ftl {kind} {words.action} needs {what}", hint_text=hint)
    return str(words.ref)


def _remark(text: str) -> None:
    if text:
        print(text)


def _value(words: list[str]) -> Any:
    """JSON where it is, else the text itself."""
    text = " ".join(words)
    try:
        return json.loads(text)
    except ValueError:
        return text
