"""What a function reaches: the uses of one verb, and the digest of all that a call of it can run."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.cells import Mark
from ftl_nb.compiler.injection import Injected
from ftl_nb.compiler.loads import Load, loads
from ftl_nb.compiler.namespace import Declaration, Namespace
from ftl_nb.schema.names import camel, snake

_MODULES = ("ftl_nb", "modules")
_SECTION = re.compile(r"(?m)^(?=[ \t]*--[ \t]*(?:migrate:|name:))")
_MARK = re.compile(r"[ \t]*--[ \t]*(?:migrate:up|name:[ \t]*(?P<query>\w+)[^\n]*)")
#: What stands above the next section's mark says something of that one.
_COMMENTS_BELOW = re.compile(r"(?:\n[ \t]*(?:--[^\n]*)?)+\Z")


class DeclRef(NamedTuple):
    """A declaration by its schema names."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(slots=True)
class Found:
    """What one verb reaches. `nodes` are the functions, classes and assignments read, by identity."""

    calls: set[DeclRef] = field(default_factory=set)
    configs: set[DeclRef] = field(default_factory=set)
    secrets: set[DeclRef] = field(default_factory=set)
    databases: set[DeclRef] = field(default_factory=set)
    nodes: dict[int, ast.AST] = field(default_factory=dict)


class Reach:
    """Follows names through a module. Its declarations end a way: what a called verb uses is the verb's own use."""

    def __init__(
        self,
        space: Namespace,
        injected: Mapping[str, tuple[Injected, ...]],
        queries: Mapping[str, str],
        source: ModuleSource,
    ) -> None:
        self._space = space
        self._injected = injected
        self._queries = queries
        self._source = source
        self._loads: dict[int, tuple[Load, ...]] = {}

    def of(self, mark: Mark) -> Found:
        """The uses of a verb: what its text reads, what it is injected and what its `calls` names."""
        found = Found()
        self._walk(found, mark.function)
        for parameter in self._injected[mark.name]:
            self._add_injected(found, parameter)
        calls = mark.options.get("calls", ())
        for call in calls if isinstance(calls, list) else ():
            module, _, name = call.partition(".")
            found.calls.add(DeclRef(module, camel(name)))
        return found

    def _walk(self, found: Found, node: ast.AST) -> None:
        pending = [node]
        while pending:
            current = pending.pop()
            if id(current) not in found.nodes:
                found.nodes[id(current)] = current
                for load in self._loads_of(current):
                    pending += self._follow(found, load)

    def _loads_of(self, node: ast.AST) -> tuple[Load, ...]:
        if id(node) not in self._loads:
            self._loads[id(node)] = tuple(loads(node))
        return self._loads[id(node)]

    def _follow(self, found: Found, load: Load) -> list[ast.AST]:
        """Notes a declaration that is read; gives the nodes to read next where the name is none."""
        full = self._full(load)
        own = self._own_name(full, load)
        if own is None:
            # Types stand in Pascal case; of another module only verbs can be used.
            if full[:2] == _MODULES and len(full) > 3 and full[3][:1].islower():
                found.calls.add(DeclRef(full[2], camel(full[3])))
            return []
        declaration = self._space.bound(own)
        if declaration is not None:
            self._add(found, declaration)
            return []
        return self._space.nodes.get(own, [])

    def _own_name(self, full: tuple[str, ...], load: Load) -> str | None:
        """The module's own name that is read; None for a name from outside."""
        if not full:
            return load.parts[0]
        return full[3] if full[:3] == (*_MODULES, self._space.module) and len(full) > 3 else None

    def _full(self, load: Load) -> tuple[str, ...]:
        """The dotted name behind an imported name; empty for a name of the module."""
        root, *rest = load.parts
        target = root if load.imported else self._space.imports.get(root, "")
        return (*target.split("."), *rest) if target else ()

    def _add_injected(self, found: Found, parameter: Injected) -> None:
        if parameter.declaration is not None:
            self._add(found, parameter.declaration)
        elif parameter.target is not None:
            module, name = parameter.target
            found.calls.add(DeclRef(module, camel(name)))

    def _add(self, found: Found, declaration: Declaration) -> None:
        ref = DeclRef(self._space.module, declaration.name)
        if declaration.kind == "config":
            found.configs.add(ref)
        elif declaration.kind == "secret":
            found.secrets.add(ref)
        elif declaration.kind == "database":
            found.databases.add(ref)
        else:
            found.calls.add(ref)

    def digest(self, mark: Mark) -> str:
        """sha256, in hex, over all that a call of the verb can run in its module, its databases' migrations included.

        The same for texts that differ in layout and comments only. Of another module only the verb's name counts,
        of a database's queries only those that are called.
        """
        whole = self._whole(mark)
        nodes = sorted(ast.dump(node) for node in whole.nodes.values())
        refs = sorted(str(ref) for ref in whole.calls | whole.configs | whole.secrets | whole.databases)
        return hashlib.sha256("\0".join([*nodes, *refs, *self._sql_texts(whole)]).encode()).hexdigest()

    def _whole(self, mark: Mark) -> Found:
        """What the verb reaches, with what the module's own verbs that it calls reach."""
        whole, pending, seen = Found(), [mark], set()
        while pending:
            current = pending.pop()
            if current.name in seen:
                continue
            seen.add(current.name)
            found = self.of(current)
            whole.nodes |= found.nodes
            for kept, new in zip(_refs(whole), _refs(found), strict=True):
                kept |= new
            pending += self._own_marks(found.calls)
        return whole

    def _own_marks(self, calls: set[DeclRef]) -> Iterator[Mark]:
        for ref in calls:
            declaration = self._space.declarations.get(snake(ref.name)) if ref.module == self._space.module else None
            if declaration is not None and declaration.binding in self._space.marks:
                yield self._space.marks[declaration.binding][1]

    def _sql_texts(self, found: Found) -> Iterator[str]:
        called = {r.name for r in found.calls if r.module == self._space.module and r.name in self._queries}
        used = {ref.name for ref in found.databases} | {self._queries[name] for name in called}
        for cell in self._source.sql_cells:
            if camel(cell.database) in used:
                yield from (text for query, text in _sections(cell.text) if not query or query in called)


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """The migrations and queries of a SQL cell, each with the query's schema name, empty for a migration."""
    for section in _SECTION.split(text):
        mark = _MARK.match(section)
        if mark is not None:
            body = section[mark.end() :].strip()
            yield camel(mark["query"] or ""), _COMMENTS_BELOW.sub("", body)


def _refs(found: Found) -> tuple[set[DeclRef], ...]:
    return found.calls, found.configs, found.secrets, found.databases
