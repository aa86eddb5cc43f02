"""Files staged, planned, applied and taken back from a shell; each command is a client of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ftl_nb.cli import main

GOODS = """import ftl_nb as ftl
ftl.module("goods")

@ftl.verb(export=True)
def price() -> {type}:
    return {value}
"""
TILL = """import ftl_nb as ftl
ftl.module("till")
from ftl_nb.modules import goods

@ftl.verb(export=True)
def total() -> {type}:
    return goods.price() * 2
"""


@pytest.fixture
def shell(tmp_path: Path, state_dir: Path) -> Callable[..., Result]:
    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["--project", str(tmp_path), *words])

    return run


def test_files_move_as_one_change(shell: Callable[..., Result], tmp_path: Path) -> None:
    files = [tmp_path / "goods.py", tmp_path / "till.py"]

    def write(type_: str, value: str) -> None:
        for file, text in zip(files, (GOODS, TILL), strict=True):
            file.write_text(text.format(type=type_, value=value))

    write("int", "4")
    deployed = shell("deploy", *map(str, files))
    assert deployed.exit_code == 0, deployed.output
    write("str", "'4'")
    assert "goods · staged" in shell("deploy", "--stage", *map(str, files)).output
    assert "pending: goods, till" in shell("plan").output
    assert shell("call", "till.total").output == "8\n"
    assert shell("apply").output.startswith("applied · 2 changed")
    assert shell("call", "till.total").output == '"44"\n'
    assert "finalized" in shell("changesets").output
    assert shell("rollback").output.startswith("taken back · 2 changed")
    assert shell("call", "till.total").output == "8\n"
    nothing = shell("apply")
    assert nothing.exit_code == 1
    assert "FTL-D408" in nothing.output
