"""The command line, as far as it needs no cluster."""

from pathlib import Path

from click.testing import CliRunner

from ftl_nb.cli import main


def test_fmt_prints_canonical_text(tmp_path: Path) -> None:
    file = tmp_path / "schema.ftl"
    file.write_text("realm shop { module orders { config region String } }")
    result = CliRunner().invoke(main, ["schema", "fmt", str(file)])
    assert result.exit_code == 0
    assert result.output == "realm shop {\n  module orders {\n    config region String\n  }\n}\n"


def test_check_shows_a_syntax_error_with_its_line_and_a_caret(tmp_path: Path) -> None:
    file = tmp_path / "schema.ftl"
    file.write_text("realm shop {\n  modul orders {}\n}\n")
    result = CliRunner().invoke(main, ["schema", "check", str(file)])
    assert result.exit_code == 1
    assert "2:" in result.output
    assert "^" in result.output


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert all(word in result.output for word in ("serve", "deploy", "call", "status", "schema"))
