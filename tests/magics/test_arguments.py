"""The words of the magics."""

from collections.abc import Callable

import pytest

from ftl_nb.errors import FtlError
from ftl_nb.magics import arguments, commands
from ftl_nb.magics.arguments import Help, Parser

PARSERS = [arguments.module_parser, arguments.verb_parser, arguments.fixture_parser, arguments.sql_parser]


def refused(parser: Callable[[], Parser], line: str) -> FtlError:
    with pytest.raises(FtlError) as caught:
        parser().read(line)
    return caught.value


@pytest.mark.parametrize("parser", PARSERS)
def test_every_magic_has_help(parser: Callable[[], Parser]) -> None:
    with pytest.raises(Help, match="usage: %%ftl_"):
        parser().read("--help")


@pytest.mark.parametrize("line", ["--exp", "--mod shop", "--expor"])
def test_options_are_never_abbreviated(line: str) -> None:
    assert refused(arguments.verb_parser, line).slug == "usage"


def test_export_and_export_realm_exclude_each_other() -> None:
    error = refused(arguments.verb_parser, "--export --export-realm")
    assert "not allowed with" in error.message
    assert "--export-realm" in error.hint


def test_a_missing_name_is_one_error_with_the_usage() -> None:
    error = refused(arguments.module_parser, "")
    assert "name" in error.message
    assert "%%ftl_module" in error.hint


def test_an_open_quote_is_one_error() -> None:
    assert refused(arguments.sql_parser, 'shop."stock').slug == "usage"


@pytest.mark.parametrize("name", [n for n in commands.COMMANDS if n != "call"])
def test_every_command_has_help(name: str) -> None:
    with pytest.raises(Help, match=f"%ftl {name}"):
        commands.COMMANDS[name].parser.read("--help")


def test_the_overview_lists_every_command() -> None:
    assert all(name in commands.overview() for name in commands.COMMANDS)
