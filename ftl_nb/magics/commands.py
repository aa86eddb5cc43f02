"""`%ftl COMMAND …`: a table of commands, each a parser and one call of the cluster."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ftl_nb.errors import fail
from ftl_nb.magics import changes, settings, timeline
from ftl_nb.magics.arguments import Help, Parser
from ftl_nb.magics.notebook import Notebook

Run = Callable[[Notebook, Namespace], Any]


@dataclass(frozen=True, slots=True)
class Command:
    """`words` adds the command's arguments to its parser."""

    name: str
    says: str
    run: Run
    words: Callable[[Parser], object] = lambda parser: None
    read: Callable[[Parser, str], Namespace] = Parser.read

    @property
    def parser(self) -> Parser:
        parser = Parser(f"%ftl {self.name}", self.says)
        self.words(parser)
        return parser


def run(notebook: Notebook, line: str) -> Any:
    """Runs the command of a line. Raises FtlError `usage` for an unknown one."""
    name, _, rest = line.strip().partition(" ")
    if name in ("", "--help", "help"):
        raise Help(overview())
    command = COMMANDS.get(name)
    if command is None:
        from ftl_nb.rpc.hints import near

        raise fail("usage", detail=f"%ftl has no command {name!r}", hint_text=near(name, list(COMMANDS)))
    return command.run(notebook, command.read(command.parser, rest))


def _call_words(parser: Parser, rest: str) -> Namespace:
    """`call` takes its JSON as it stands, quotes and blanks included."""
    verb, _, body = rest.strip().partition(" ")
    if verb in ("", "--help"):
        raise Help("usage: %ftl call MODULE.VERB [JSON]\n\nCalls a verb with a JSON request; prints the JSON answer.")
    return Namespace(verb=verb, body=body.strip() or "{}")


def overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {c.name.ljust(width)}  {c.says}" for c in COMMANDS.values()]
    return "\n".join(["usage: %ftl COMMAND …  (%ftl COMMAND --help says more)", "", *lines])


def _call(notebook: Notebook, words: Namespace) -> Any:
    answer = notebook.cluster.call_json(words.verb, words.body.encode())
    return json.loads(answer) if answer != b"{}" else None


def _one_module(parser: Parser) -> None:
    parser.add_argument("module", nargs="?", default="", help="a module's name (default: all)")


def _schema_words(parser: Parser) -> None:
    _one_module(parser)
    parser.add_argument("--runtime", action="store_true", help="what the running system says of it instead")


def _trace_words(parser: Parser) -> None:
    parser.add_argument("which", nargs="?", type=int, default=1, metavar="N", help="1 is the newest request")
    parser.add_argument(
        "--stable", action="store_true", help="leave times out, so that a saved notebook stays the same"
    )


def _logs_words(parser: Parser) -> None:
    _one_module(parser)
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="lines (default: 100)")


def _graph_words(parser: Parser) -> None:
    parser.add_argument("focus", nargs="?", default=None, metavar="MODULE[.DECL]", help="only this and what touches it")
    parser.add_argument("--mermaid", action="store_true", help="as mermaid text")


def _graph(notebook: Notebook, words: Namespace) -> Any:
    drawn = notebook.cluster.graph(words.focus)
    if words.mermaid:
        print(drawn.mermaid())  # type: ignore[attr-defined]
        return None
    return drawn


def _export(notebook: Notebook, words: Namespace) -> Any:
    for path in notebook.cluster.export(words.folder):
        print(path)


_TABLE = (
    Command("status", "modules, their runners and who defined them", lambda n, w: n.cluster.status()),
    Command("schema", "the schema's text", lambda n, w: n.cluster.schema(w.module, runtime=w.runtime), _schema_words),
    Command("stage", "keep the cells that follow for one change", changes.stage, changes.stage_words),
    Command("plan", "what is staged or pending, and what stands in its way", lambda n, w: n.cluster.plan()),
    Command("apply", "move all that is staged or pending as one change", changes.apply, changes.apply_words),
    Command("discard", "drop what is staged or pending", changes.discard, changes.discard_words),
    Command("changesets", "what became of the newest changes", changes.changesets, changes.changesets_words),
    Command("rollback", "take a change back", changes.rollback, changes.rollback_words),
    Command("check", "type-check the whole system", lambda n, w: print(n.cluster.check())),
    Command("call", "call a verb with a JSON request", _call, read=_call_words),
    Command(
        "trace", "the waterfall of a request", lambda n, w: n.cluster.trace(w.which, stable=w.stable), _trace_words
    ),
    Command("graph", "the system, drawn from the schema", _graph, _graph_words),
    Command("logs", "the newest log lines", lambda n, w: n.cluster.logs(w.module, w.limit), _logs_words),
    Command("timeline", "what happened, by filters or as SQL", timeline.show, timeline.show_words, timeline.read),
    Command("config", "list, get, set, unset, import or export config values", settings.config, settings.config_words),
    Command("secret", "the same for secrets, whose values stay out of sight", settings.secret, settings.secret_words),
    Command("up", "start or join the cluster", lambda n, w: n.cluster.up()),
    Command(
        "down", "end the cluster; what is deployed comes back with the next use", lambda n, w: print(n.cluster.down())
    ),
    Command("restart", "start a module's runner anew", lambda n, w: print(n.cluster.restart(w.module)), _one_module),
    Command(
        "remove",
        "take a module out of the system",
        lambda n, w: print(n.cluster.remove(w.module)),
        lambda p: p.add_argument("module"),
    ),
    Command("reset", "remove every module and database", lambda n, w: print(n.cluster.reset())),
    Command("export", "write every module as a .py file", _export, lambda p: p.add_argument("folder", metavar="DIR")),
)
COMMANDS = {command.name: command for command in _TABLE}
