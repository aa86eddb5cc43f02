"""The command line, as far as it needs no cluster."""

from click.testing import CliRunner

from ftl_nb.cli import main


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert all(word in result.output for word in ("serve", "deploy", "call", "status", "schema"))
