"""Checking and normalising schemas: the walk, in the public system's order, because it decides what is known when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ftl_nb.schema import builtin
from ftl_nb.schema.edges import import_cycle
from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.names import is_module_name
from ftl_nb.schema.nodes import decls, metadata, types
from ftl_nb.schema.nodes.base import Node
from ftl_nb.schema.normal import missing_dead_letters, publishing_dead_letters, sorted_decls, sorted_verb
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules import ITEM_RULES, RULES, Context, Rule, Stage, extensions, routes
from ftl_nb.schema.scope import Scope, builtin_with_positions
from ftl_nb.schema.traversal import children, transform


@dataclass(frozen=True, slots=True)
class Validated:
    """The normalised schema (also when there are problems) and every problem, in the public system's order."""

    schema: decls.Schema
    problems: tuple[Problem, ...] = ()

    def check(self) -> decls.Schema:
        """The schema.

        Raises:
            SchemaError: with every problem, when there is one.
        """
        if self.problems:
            raise SchemaError(*self.problems)
        return self.schema


@dataclass(frozen=True, slots=True)
class ValidatedModule:
    """One module checked by itself."""

    module: decls.Module
    problems: tuple[Problem, ...] = ()


def validate(schema: decls.Schema, module: decls.Module | None = None) -> Validated:
    """Check and normalise a schema: builtin first in every realm, references qualified, dead letter topics added,
    declarations and metadata sorted.

    With `module`, it takes its place in the first internal realm and only it is looked at there.
    """
    realms: list[decls.Realm] = []
    problems: list[Problem] = []
    names: set[str] = set()
    for realm in schema.realms:
        if realm.name in names:
            problems.append(Problem(f"duplicate realm {quote(realm.name)}", realm.pos, "R011"))
        names.add(realm.name)
        given, module = (None, module) if realm.external else (module, None)
        work = _Realm(realm, given)
        realms.append(work.run())
        problems += ordered(work.problems)
    return Validated(decls.Schema(tuple(realms), pos=schema.pos), tuple(problems))


def validate_module(module: decls.Module) -> ValidatedModule:
    """Check and normalise one module that knows only itself and builtin: references elsewhere are left alone."""
    work = _Module(module, {module.name: module})
    checked = work.module_stage()
    return ValidatedModule(checked, ordered(work.problems))


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems without repetition, sorted by their text (so line 10 stands before line 2)."""
    by_text = {str(problem): problem for problem in reversed([*problems])}
    return tuple(by_text[text] for text in sorted(by_text, key=lambda text: text.encode("utf-8", "surrogateescape")))


class _Realm:
    """One realm on its way through validation."""

    def __init__(self, realm: decls.Realm, given: decls.Module | None) -> None:
        self._only = given.name if given else None
        own = [module for module in _placed(realm, given) if module.name != builtin.NAME]
        self._realm = replace(realm, modules=(builtin_with_positions(), *own))
        self.problems: list[Problem] = []

    def run(self) -> decls.Realm:
        """The realm, normalised."""
        self.problems += extensions.headers("realm", self._realm.metadata)
        self._check_cycle()
        known = self._declare()
        done: list[decls.Module] = [self._realm.modules[0]]
        seen: set[str] = set()
        for module in self._realm.modules[1:]:
            if module.name in seen:
                self._report(f"duplicate module {quote(module.name)}", module, "R010")
            seen.add(module.name)
            done.append(self._check(module, known) if self._only in (None, module.name) else module)
        walked = (module for module in done[1:] if self._only in (None, module.name))
        self.problems += routes.duplicates(walked)
        return replace(self._realm, modules=tuple(done))

    def _check(self, module: decls.Module, known: dict[str, decls.Module]) -> decls.Module:
        first = known[module.name] is module
        work = _Module(module, {module.name: module})
        checked = work.module_stage()
        if first:
            known[module.name] = checked
        final = work.realm_stage(known)
        self.problems += work.problems
        return final

    def _check_cycle(self) -> None:
        own = [module for module in self._realm.modules if not module.builtin]
        if cycle := import_cycle(replace(self._realm, modules=tuple(own))):
            self.problems.append(Problem(f"found cycle in dependencies: {' -> '.join(cycle)}", rule="R090"))

    def _declare(self) -> dict[str, decls.Module]:
        known: dict[str, decls.Module] = {}
        for module in self._realm.modules:
            if first := known.get(module.name):
                self._report(f"duplicate declaration of {quote(module.name)} at {first.pos}", module, "R009")
            else:
                known[module.name] = module
        return known

    def _report(self, message: str, module: decls.Module, rule: str) -> None:
        self.problems.append(Problem(message, module.pos, rule))


def _placed(realm: decls.Realm, given: decls.Module | None) -> list[decls.Module]:
    modules = list(realm.modules)
    if given is None:
        return modules
    index = next((i for i, module in enumerate(modules) if module.name == given.name), len(modules))
    return [*modules[:index], given, *modules[index + 1 :]]


class _Module:
    """One module on its way through the two stages. Declarations are replaced one by one, as the walk reaches them:
    checks that compare two declarations see the later one as it was written."""

    def __init__(self, module: decls.Module, known: dict[str, decls.Module]) -> None:
        made = missing_dead_letters(module)
        self._made = frozenset(topic.name for topic in made)
        self._module = replace(module, decls=(*module.decls, *made))
        self._known = known
        self._stage = Stage.MODULE
        self.problems: list[Problem] = []

    def module_stage(self) -> decls.Module:
        """Names, duplicates, and the rules that need nothing of other modules."""
        self._known = {self._module.name: self._module}
        self._name()
        self._duplicates()
        self._walk_decls()
        return self._replace(sorted_decls(self._module.decls))

    def realm_stage(self, known: dict[str, decls.Module]) -> decls.Module:
        """The rules that need the whole realm."""
        self._known = known
        self._stage = Stage.REALM
        self._walk_decls()
        return self._replace(sorted_decls(self._module.decls))

    def _name(self) -> None:
        name = self._module.name
        if not is_module_name(name):
            self._add(Problem(f"module name {quote(name)} is invalid", self._module.pos, "R001"))
        if self._module.builtin and name != builtin.NAME:
            self._add(Problem('the "builtin" module is reserved', self._module.pos, "R002"))
        self.problems += extensions.headers("module", self._module.metadata)

    def _duplicates(self) -> None:
        first: dict[tuple[type[Node], str], Node] = {}
        for decl in self._module.decls:
            for node in _postorder(decl):
                if not isinstance(node, decls.Decl):
                    continue
                before = first.setdefault((type(node), node.name), node)
                if before is not node:
                    kind = decls.DECL_KINDS[type(node)]
                    message = f"duplicate {kind} {quote(node.name)}, first defined at {before.pos}"
                    self._add(Problem(message, node.pos, "R008"))

    def _walk_decls(self) -> None:
        for index in range(len(self._module.decls)):
            decl = self._qualified(self._module.decls[index])
            if isinstance(decl, decls.Verb):
                decl = sorted_verb(decl)
            self._put(index, decl)
            self._check(decl, Context(self._scope(), decl, self._made))
            if isinstance(decl, decls.Verb):
                self._put(index, publishing_dead_letters(self._module.name, decl))

    def _qualified(self, decl: decls.Decl) -> decls.Decl:
        scope = self._scope()
        if isinstance(decl, decls.Data):
            scope = scope.inside(decl)

        def change(node: Node) -> Node:
            return scope.qualify(node, self._stage is Stage.REALM) if isinstance(node, types.Ref) else node

        return transform(decl, change)

    def _check(self, node: Node, context: Context) -> None:
        inner = context
        if isinstance(node, decls.Data):
            inner = replace(context, scope=context.scope.inside(node))
        for child in children(node):
            self._check(child, inner)
        for rule in _applying(RULES, type(node), self._stage):
            self.problems += rule.problems(node, inner)
        if isinstance(node, decls.Verb):
            self._check_items(node, replace(context, decl=node))

    def _check_items(self, verb: decls.Verb, context: Context) -> None:
        for item in verb.metadata:
            found = [
                problem
                for rule in _applying(ITEM_RULES, type(item), self._stage)
                for problem in rule.problems(item, context)
            ]
            self.problems += found
            if isinstance(item, metadata.MetadataRetry) and any(problem.rule == "R065" for problem in found):
                return  # the public system looks at nothing behind it

    def _scope(self) -> Scope:
        return Scope(self._module, self._known)

    def _put(self, index: int, decl: decls.Decl) -> None:
        self._replace((*self._module.decls[:index], decl, *self._module.decls[index + 1 :]))

    def _replace(self, found: tuple[decls.Decl, ...]) -> decls.Module:
        before = self._module
        self._module = replace(before, decls=found)
        if self._known.get(before.name) is before:
            self._known[before.name] = self._module
        return self._module

    def _add(self, problem: Problem) -> None:
        self.problems.append(problem)


_BY_CLASS: dict[tuple[int, type[Node], Stage], list[Rule]] = defaultdict(list)


def _applying(rules: tuple[Rule, ...], cls: type[Node], stage: Stage) -> list[Rule]:
    key = (id(rules), cls, stage)
    if key not in _BY_CLASS:
        _BY_CLASS[key] = [rule for rule in rules if cls in rule.on and rule.stage in (stage, Stage.BOTH)]
    return _BY_CLASS[key]


def _postorder(node: Node) -> Iterator[Node]:
    for child in children(node):
        yield from _postorder(child)
    yield node
