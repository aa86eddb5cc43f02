"""`ftl-nb schema …`: every case of the tests of the language through the command line, and what only it has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ftl_nb.cli import main

CASES = [
    pytest.param(json.loads(line), id=f"{file.stem}-{number}")
    for file in sorted((Path(__file__).parents[1] / "schema" / "cases").glob("*.jsonl"))
    for number, line in enumerate(file.read_text().splitlines(), 1)
]
TEXT = "realm shop { module orders { config region String } }"
CANONICAL = "realm shop {\n  module orders {\n    config region String\n  }\n}\n"
OLD = "realm r { module shop { export data Order { id Int } export verb buy(shop.Order) Unit } }"


def run(*words: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(main, ["schema", *words], input=stdin)


def arguments(case: dict[str, Any], folder: Path) -> list[str]:
    entry = case["entry"]
    found = ["-", "--as", entry if entry in ("module", "type", "ref") else "schema"]
    if "module" in case:
        module = folder / "module.ftl"
        module.write_text(case["module"])
        found += ["--module", str(module)]
    return [*found, "--name", case.get("file", "")]


@pytest.mark.parametrize("case", CASES)
def test_a_text_gives_the_public_result(case: dict[str, Any], tmp_path: Path) -> None:
    words = arguments(case, tmp_path)
    problems = case.get("problems", [])
    checked = run("check", *words, stdin=case["text"])
    said = [line.removeprefix(f"{tmp_path}/module.ftl:") for line in checked.stderr.splitlines()]
    assert "\n".join(said) == "\n".join(problems)
    assert checked.exit_code == (1 if problems else 0)
    assert not checked.stdout
    if "printed" in case:
        formatted = run("fmt", *words, *(["--builtin"] if case.get("builtin") else []), stdin=case["text"])
        assert formatted.stdout == case["printed"]
        assert formatted.exit_code == 0


def test_problems_name_the_file_and_the_place(tmp_path: Path) -> None:
    file = tmp_path / "shop.ftl"
    file.write_text("realm shop {\n  module orders {\n    data A { x Nope }\n  }\n}\n")
    found = run("check", str(file))
    assert found.stderr == f'{file}:3:16: unknown reference "Nope", is the type annotated and exported?\n'
    assert found.exit_code == 1
    assert run("fmt", str(file)).stdout == ""


def test_fmt_writes_and_checks_a_file(tmp_path: Path) -> None:
    file = tmp_path / "schema.ftl"
    file.write_bytes(TEXT.encode())
    assert run("fmt", str(file)).stdout == CANONICAL
    differs = run("fmt", "--check", str(file))
    assert (differs.exit_code, differs.stdout) == (1, "")
    assert f"-{TEXT}" in differs.stderr
    assert run("fmt", "--write", str(file)).exit_code == 0
    assert file.read_text() == CANONICAL
    assert run("fmt", "--check", str(file)).exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("Int", "Int", 0, ""),
        ("id Int", "id Int note String?", 0, "optional field note added"),
        ("id Int", "id String", 1, "id: type changed from int to string"),
    ],
)
def test_diff_ends_with_1_when_it_breaks(old: str, new: str, code: int, line: str, tmp_path: Path) -> None:
    file = tmp_path / "old.ftl"
    file.write_text(OLD)
    found = run("diff", str(file), "-", stdin=OLD.replace(old, new))
    assert found.exit_code == code
    assert line in found.stdout


@pytest.mark.parametrize(
    "words", [["check"], ["check", "absent.ftl"], ["fmt", "--write", "-"], ["diff", "-"], ["check", "-", "--as", "x"]]
)
def test_usage_and_what_cannot_be_read_end_with_2(words: list[str]) -> None:
    found = run(*words)
    assert found.exit_code == 2
    assert found.stderr


def test_bytes_that_are_no_utf_8_and_line_ends_stay() -> None:
    text = b"realm a {\r\n module b { // caf\xe9\r\n config c String } }"
    assert b"caf\xe9\n" in run("fmt", "-", stdin=text).stdout_bytes


def test_nothing_of_a_cluster_is_loaded() -> None:
    code = (
        "import sys; from ftl_nb.cli import main; main(args=['schema', 'check', '-'], standalone_mode=False)\n"
        "sys.exit(not {'grpc', 'google.protobuf', 'ftl_nb.console', 'ftl_nb.client'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], input=TEXT, text=True, check=False).returncode == 0


def test_json_schema_prints_what_a_type_looks_like_as_json(tmp_path: Path) -> None:
    file = tmp_path / "shop.ftl"
    file.write_text("realm a { module shop { data Page<T> { items [T] } data Item { sku String } } }")
    result = CliRunner().invoke(main, ["schema", "json-schema", str(file), "shop.Page<shop.Item>"])
    assert result.exit_code == 0, result.stderr
    written = json.loads(result.stdout)
    assert written["properties"]["items"] == {"type": "array", "items": {"$ref": "#/$defs/shop.Item"}}
    assert written["$defs"]["shop.Item"]["required"] == ["sku"]


@pytest.mark.parametrize(("ref", "says"), [("shop.Nope", "unknown ref shop.Nope"), ("a.b.c", "unexpected token")])
def test_json_schema_of_nothing_is_one_error(tmp_path: Path, ref: str, says: str) -> None:
    file = tmp_path / "shop.ftl"
    file.write_text("realm a { module shop { data Item { sku String } } }")
    result = CliRunner().invoke(main, ["schema", "json-schema", str(file), ref])
    assert result.exit_code == 1
    assert says in result.stderr
