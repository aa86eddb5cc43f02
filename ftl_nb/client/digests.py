"""When is a class still the same: its own text, and that of the module's classes and values that it names."""

from __future__ import annotations

import ast
import hashlib

from ftl_nb.binding.source import ModuleSource


def class_digests(source: ModuleSource) -> dict[str, str]:
    """A digest for every top-level class of a module's text, over all that its definition reads in the module."""
    nodes = _definitions(source)
    return {name: _digest(name, nodes) for name, node in nodes.items() if isinstance(node, ast.ClassDef)}


def _definitions(source: ModuleSource) -> dict[str, ast.stmt]:
    """Top-level classes and assignments by name; the last definition wins, as when the text runs."""
    found: dict[str, ast.stmt] = {}
    for cell in source.python_cells:
        for node in ast.parse(cell.text).body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found.update((t.id, node) for t in targets if isinstance(t, ast.Name))
    return found


def _digest(name: str, nodes: dict[str, ast.stmt]) -> str:
    reached: dict[str, str] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in reached or current not in nodes:
            continue
        node = nodes[current]
        reached[current] = ast.dump(node)
        waiting += [n.id for n in ast.walk(node) if isinstance(n, ast.Name)] + _quoted(node)
    text = "\n".join(f"{n}={reached[n]}" for n in sorted(reached))
    return hashlib.sha256(text.encode()).hexdigest()


def _quoted(node: ast.stmt) -> list[str]:
    """Names in annotations that are written as text."""
    texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [t for t in texts if t.isidentifier()]
