"""The packages from outside that a module imports while it loads: what a runner can have imported beforehand."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator

from ftl_nb.binding.names import top_level

_STREAMS = ("Stream", "ArrowStream")


def third_party_imports(trees: Iterable[ast.Module]) -> tuple[str, ...]:
    """Dotted names, in order of the text; without the standard library and ftl_nb.

    A project's own modules are among them: only an import system can tell them from packages.
    """
    trees = list(trees)
    names = (name for tree in trees for statement in top_level(tree.body) for name in _imported(statement))
    found = dict.fromkeys(name for name in names if _is_foreign(name))
    return tuple(found | dict.fromkeys(("pyarrow",) if any(map(_has_stream, trees)) else ()))


def _has_stream(tree: ast.Module) -> bool:
    """Whether a text names streams, which are of record batches."""
    return any(isinstance(n, ast.Name | ast.Attribute) and _last(n) in _STREAMS for n in ast.walk(tree))


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _imported(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        yield statement.module


def _is_foreign(name: str) -> bool:
    root = name.partition(".")[0]
    return root not in sys.stdlib_module_names and root != "ftl_nb"
