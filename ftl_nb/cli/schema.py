"""`ftl-nb schema …`: schemas in files, without a cluster.

Exit codes: 0 when all is well, 1 for problems (or differences that break), 2 for what cannot be read. Texts are read
and written as bytes, so that line ends and bytes that are no UTF-8 stay what they are.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftl_nb.cli.session import pass_cluster

if TYPE_CHECKING:
    from ftl_nb.console import Cluster
    from ftl_nb.schema import Problem, Schema

#: What a text may be: each is read by an entry point of its own.
ENTRIES = ("schema", "module", "type", "ref")

text_file = click.Path(dir_okay=False, allow_dash=True)
name = click.option("--name", default=None, help="the file's name in messages, instead of its path")
entry = click.option("--as", "entry", type=click.Choice(ENTRIES), default="schema", help="what the text is")
with_module = click.option(
    "--module", type=text_file, default=None, help="check this one module, put into FILE's first internal realm"
)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text and the name it goes by in messages: none when it comes from a pipe."""

    content: str
    name: str


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read, in canonical form, and what is wrong with it."""

    node: Any
    problems: tuple[Problem, ...] = ()


class _Unreadable(click.ClickException):
    """A file that is not there, or not for us."""

    exit_code = 2


@click.group()
def schema() -> None:
    """The schema: of the cluster, or of a file (`-` reads what is piped in)."""


@schema.command("get")
@click.argument("module", default="")
@click.option("--runtime", is_flag=True, help="what the running system says of it instead")
@pass_cluster
def get_schema(cluster: Cluster, module: str, runtime: bool) -> None:
    """Print the cluster's schema, or one module's."""
    click.echo(cluster.schema(module, runtime=runtime))


@schema.command()
@click.argument("file", type=text_file)
@entry
@with_module
@name
def check(file: str, entry: str, module: str | None, name: str | None) -> None:
    """Check a text; problems go to stderr as `file:line:col: message`, and the exit code is 1."""
    _or_exit(_read(_text(file, name), entry, _module(module)))


@schema.command()
@click.argument("file", type=text_file)
@entry
@with_module
@click.option("--builtin", is_flag=True, help="print the builtin module too")
@click.option("--write", is_flag=True, help="write it back to FILE instead")
@click.option("--check", "only_check", is_flag=True, help="print what differs instead, with exit code 1")
@name
def fmt(
    file: str, entry: str, module: str | None, builtin: bool, write: bool, only_check: bool, name: str | None
) -> None:
    """Print a text in canonical form: checked, references qualified, declarations and metadata in order."""
    if write and file == "-":
        raise click.UsageError("what is piped in cannot be written back")
    text = _text(file, name)
    node = _or_exit(_read(text, entry, _module(module)))
    printed = str(node if builtin or entry != "schema" else _without_builtin(node))
    if only_check:
        _show_difference(text, printed)
    elif write:
        Path(file).write_bytes(_encoded(printed))
    else:
        _write(sys.stdout, printed)


@schema.command()
@click.argument("old", type=text_file)
@click.argument("new", type=text_file)
def diff(old: str, new: str) -> None:
    """Print what changed between two schemas; the exit code is 1 when it breaks somebody."""
    from ftl_nb import schema as language

    before, after = (_or_exit(_read(_text(file, None), "schema", None)) for file in (old, new))
    found = language.diff(before, after)
    if found:
        _write(sys.stdout, f"{found.report()}\n")
    raise SystemExit(1 if found.breaking else 0)


def _text(file: str, name: str | None) -> _Text:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise _Unreadable(f"{file}: {error.strerror or error}") from None
    shown = "" if file == "-" else file
    return _Text(content.decode("utf-8", "surrogateescape"), shown if name is None else name)


def _module(file: str | None) -> _Text | None:
    return None if file is None else _text(file, None)


def _read(text: _Text, entry: str, module: _Text | None) -> _Read:
    """The text as its entry point gives it; a syntax error stands alone, as with the public system."""
    from ftl_nb import schema as language

    if entry == "module":
        return _caught(lambda: _alone(text))
    if entry != "schema":
        parse = language.parse_type if entry == "type" else language.parse_ref
        return _caught(lambda: _Read(parse(text.content, text.name)))
    return _caught(lambda: _whole(text, module))


def _whole(text: _Text, module: _Text | None) -> _Read:
    from ftl_nb import schema as language

    given = language.parse_module(module.content, module.name) if module else None
    found = language.validate(language.parse(text.content, text.name), given)
    return _Read(found.schema, found.problems)


def _alone(text: _Text) -> _Read:
    from ftl_nb import schema as language

    found = language.validate_module(language.parse_module(text.content, text.name))
    return _Read(found.module, found.problems)


@schema.command("json-schema")
@click.argument("file", type=text_file)
@click.argument("ref", metavar="REF")
def json_schema(file: str, ref: str) -> None:
    """Print the JSON Schema (2020-12) of a type: `shop.Order`, `[shop.Order]`, `shop.Page<Int>`."""
    from ftl_nb import schema as language

    system: Schema = _or_exit(_read(_text(file, None), "schema", None))
    asked = _or_exit(_caught(lambda: _Read(language.parse_type(ref))))
    found = _or_exit(_caught(lambda: _Read(language.json_schema(system, asked))))
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


def _caught(read: Callable[[], _Read]) -> _Read:
    from ftl_nb import schema as language

    try:
        return read()
    except language.SchemaError as error:
        return _Read(None, error.problems)


def _or_exit(read: _Read) -> Any:
    """What was read; the program ends when there are problems."""
    if read.problems:
        _write(sys.stderr, _messages(read.problems, pretty=sys.stderr.isatty()))
        raise SystemExit(1)
    return read.node


def _messages(problems: Iterable[Problem], pretty: bool) -> str:
    """One problem a line; for eyes also the source line with a caret."""
    return "".join(f"{problem.pretty() if pretty else problem}\n" for problem in problems)


def _show_difference(text: _Text, printed: str) -> None:
    shown = text.name or "-"
    lines = difflib.unified_diff(
        text.content.splitlines(keepends=True), printed.splitlines(keepends=True), shown, f"{shown} (canonical)"
    )
    found = "".join(lines)
    _write(sys.stderr, found)
    raise SystemExit(1 if text.content != printed else 0)


def _without_builtin(system: Schema) -> Schema:
    realms = (
        replace(realm, modules=tuple(module for module in realm.modules if not module.builtin))
        for realm in system.realms
    )
    return replace(system, realms=tuple(realms))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _write(stream: Any, text: str) -> None:
    stream.buffer.write(_encoded(text))
    stream.flush()
