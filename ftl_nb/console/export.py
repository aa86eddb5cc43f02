"""Notebook modules as files: what `%ftl export DIR` writes is text that deploys to the same modules."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ftl_nb.client.session import source_of

if TYPE_CHECKING:
    from ftl_nb.binding.source import Cell, ModuleSource
    from ftl_nb.rpc import workspace_pb2


def export(answers: Iterable[workspace_pb2.ModuleResponse], folder: Path) -> list[Path]:
    """Writes one file a module; the paths, in order of the modules."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for answer in answers:
        source = source_of(answer.deployed.source)
        path = folder / f"{source.name}.py"
        path.write_text(file_text(source))
        written.append(path)
    return written


def file_text(source: ModuleSource) -> str:
    """A module's cells as one file: its statement first, then every cell in order."""
    parts = ["import ftl_nb as ftl", f'ftl.module("{source.name}")']
    parts += [_part(source.name, cell) for cell in source.cells]
    return "\n\n".join(part for part in parts if part) + "\n"


def _part(module: str, cell: Cell) -> str:
    text = cell.text.strip("\n")
    if cell.kind == "sql":
        quoted = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        engine = f', engine="{cell.engine}"' if cell.engine not in ("", "duckdb") else ""
        return f'ftl.sql("{module}.{cell.database}", """\n{quoted}\n"""{engine})'
    text = "\n".join(line for line in text.splitlines() if not _is_statement(line))
    return _decorated(cell, text) if cell.kind in ("verb", "fixture") else text


def _is_statement(line: str) -> bool:
    return line.startswith(("ftl.module(", "import ftl_nb as ftl"))


def _decorated(cell: Cell, text: str) -> str:
    """The function of a magic cell with the decorator that the magic stood for."""
    words = ", ".join(f"{k}={v!r}" for k, v in sorted(cell.options.items()) if k not in ("module", "version"))
    decorator = f"@ftl.{cell.kind}({words})" if words else f"@ftl.{cell.kind}"
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if _opens_verb(line))
    while at and lines[at - 1].startswith("@"):
        at -= 1
    return "\n".join([*lines[:at], decorator, *lines[at:]])


def _opens_verb(line: str) -> bool:
    name = line.removeprefix("async ").removeprefix("def ")
    return line.startswith(("def ", "async def ")) and not name.startswith("_")
