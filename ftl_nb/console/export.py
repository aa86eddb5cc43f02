"""Notebook modules as files: what `%ftl export DIR` writes is text that deploys to the same modules."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
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
    """A module's cells as one file: docstring, imports from the future, its statement, then every cell in order."""
    cells = [(cell, _Text.of(cell)) for cell in source.cells]
    docstring = next((text.docstring for _, text in reversed(cells) if text.docstring), "")
    future = list(dict.fromkeys(line for _, text in cells for line in text.future))
    statement = f'import ftl_nb as ftl\n\nftl.module("{source.name}")'
    parts = [docstring, "\n".join(future), statement, *(_part(source.name, cell, text.body) for cell, text in cells)]
    return "\n\n".join(part for part in parts if part) + "\n"


@dataclass(frozen=True, slots=True)
class _Text:
    """A cell's text, with what stands at the head of a file taken out of it, and the statements of its module."""

    docstring: str
    future: tuple[str, ...]
    body: str

    @classmethod
    def of(cls, cell: Cell) -> _Text:
        if cell.kind == "sql":
            return cls("", (), cell.text.strip("\n"))
        tree = ast.parse(cell.text)
        taken = {id(n): _lines_of(n) for n in tree.body if _is_head(n, tree) or _is_statement(n)}
        gone = {line for first, last in taken.values() for line in range(first, last)}
        kept = [text for number, text in enumerate(cell.text.splitlines()) if number not in gone]
        heads = [n for n in tree.body if id(n) in taken]
        future = tuple(ast.unparse(n) for n in heads if isinstance(n, ast.ImportFrom))
        docstring = next((_source(n, cell.text) for n in heads if _is_docstring(n, tree)), "")
        return cls(docstring, future, "\n".join(kept).strip("\n"))


def _lines_of(node: ast.stmt) -> tuple[int, int]:
    return node.lineno - 1, node.end_lineno or node.lineno


def _source(node: ast.stmt, text: str) -> str:
    first, last = _lines_of(node)
    return "\n".join(text.splitlines()[first:last])


def _is_head(node: ast.stmt, tree: ast.Module) -> bool:
    return _is_docstring(node, tree) or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _is_docstring(node: ast.stmt, tree: ast.Module) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    return node is tree.body[0] and isinstance(value, ast.Constant) and isinstance(value.value, str)


def _is_statement(node: ast.stmt) -> bool:
    """`ftl.module(…)`, which the file has once, and `ftl.sql(…)`, which is a cell of its own."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    return isinstance(call.func, ast.Attribute | ast.Name) and _last_name(call.func) in ("module", "sql")


def _last_name(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def _part(module: str, cell: Cell, text: str) -> str:
    if cell.kind == "sql":
        quoted = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        engine = f', engine="{cell.engine}"' if cell.engine not in ("", "duckdb") else ""
        return f'ftl.sql("{module}.{cell.database}", """\n{quoted}\n"""{engine})'
    return _decorated(cell, text) if cell.kind in ("verb", "fixture") else text


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
