"""Checking and normalising schemas: the walk, in the public system's order, because it decides what is known when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ftl_nb.schema import builtin
from ftl_nb.schema.edges import cycle_of, imports
from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.modulecheck import ModuleCheck
from ftl_nb.schema.nodes import decls
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules import extensions, routes
from ftl_nb.schema.scope import Known, ModuleState, builtin_with_positions


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
    return Validator().validate(schema, module)


def validate_module(module: decls.Module) -> ValidatedModule:
    """Check and normalise one module that knows only itself and builtin: references elsewhere are left alone."""
    work = ModuleCheck(module)
    checked = work.module_stage()
    return ValidatedModule(checked, ordered(work.problems))


class Validator:
    """Checks one version of a schema after the other. What it found for a module it keeps until the module, or one
    that was looked into for it, is another object; so a small change costs little. Results are those of `validate`."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, _Kept]] = {}

    def validate(self, schema: decls.Schema, module: decls.Module | None = None) -> Validated:
        """As the function `validate`."""
        realms: list[decls.Realm] = []
        problems: list[Problem] = []
        kept: dict[str, dict[str, _Kept]] = {}
        for realm in schema.realms:
            if realm.name in kept:
                problems.append(Problem(f"duplicate realm {quote(realm.name)}", realm.pos, "R011"))
            given, module = (None, module) if realm.external else (module, None)
            work = _Realm(realm, given, {} if realm.name in kept else self._kept.get(realm.name, {}))
            realms.append(work.run())
            problems += ordered(work.problems)
            kept.setdefault(realm.name, work.found)
        self._kept = kept
        return Validated(decls.Schema(tuple(realms), pos=schema.pos), tuple(problems))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was found for a module: as it came and as it is when checked, and whose modules were asked for."""

    given: decls.Module
    checked: decls.Module
    problems: tuple[Problem, ...]
    asked: frozenset[str]
    imports: tuple[str, ...]


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems without repetition, sorted by their text (so line 10 stands before line 2)."""
    by_text = {str(problem): problem for problem in reversed([*problems])}
    return tuple(by_text[text] for text in sorted(by_text, key=lambda text: text.encode("utf-8", "surrogateescape")))


class _Realm:
    """One realm on its way through validation."""

    def __init__(self, realm: decls.Realm, given: decls.Module | None, kept: Mapping[str, _Kept]) -> None:
        self._only = given.name if given else None
        own = [module for module in _placed(realm, given) if module.name != builtin.NAME]
        self._realm = replace(realm, modules=(builtin_with_positions(), *own))
        # What is kept holds while the realm has the same modules: a bare name may be that of a module.
        self._kept = kept if [*kept] == [module.name for module in own] and given is None else {}
        self._now = {module.name: module for module in own}
        self.found: dict[str, _Kept] = {}
        self.problems: list[Problem] = []

    def run(self) -> decls.Realm:
        """The realm, normalised."""
        self.problems += extensions.headers("realm", self._realm.metadata)
        known = self._declare()
        done: list[decls.Module] = [self._realm.modules[0]]
        seen: set[str] = set()
        for module in self._realm.modules[1:]:
            if module.name in seen:
                self._report(f"duplicate module {quote(module.name)}", module, "R010")
            seen.add(module.name)
            done.append(self._checked(module, known) if self._only in (None, module.name) else module)
        self._check_cycle()
        self.problems += routes.duplicates(module for module in done[1:] if self._only in (None, module.name))
        if len(seen) != len(done) - 1 or self._only:
            self.found = {}
        return replace(self._realm, modules=tuple(done))

    def _checked(self, module: decls.Module, known: Known) -> decls.Module:
        found = self._kept.get(module.name)
        if found is None or not self._still(found, module):
            found = self._check(module, known, found)
        elif known.get(module.name) is not None:
            known.put(ModuleState(found.checked))
        self.found[module.name] = found
        self.problems += found.problems
        return found.checked

    def _still(self, found: _Kept, module: decls.Module) -> bool:
        """Whether the module and all that were asked for are the same objects as then."""
        others = (name for name in found.asked if name in self._kept)
        return found.given is module and all(self._kept[name].given is self._now[name] for name in others)

    def _check(self, module: decls.Module, known: Known, before: _Kept | None) -> _Kept:
        first = known.get(module.name)
        work = ModuleCheck(module)
        work.module_stage()
        if first and first.node is module:
            known.put(work.state)
        known.asked.clear()
        final = work.realm_stage(known)
        asked, same = frozenset(known.asked), before is not None and before.given is module
        imported = before.imports if before and same else imports(module)
        return _Kept(module, before.checked if before and same else final, tuple(work.problems), asked, imported)

    def _check_cycle(self) -> None:
        own = (module for module in self._realm.modules if not module.builtin)
        if cycle := cycle_of((module.name, self._imports(module)) for module in own):
            self.problems.append(Problem(f"found cycle in dependencies: {' -> '.join(cycle)}", rule="R090"))

    def _imports(self, module: decls.Module) -> tuple[str, ...]:
        found = self.found.get(module.name)
        return found.imports if found and found.given is module else imports(module)

    def _declare(self) -> Known:
        first: dict[str, decls.Module] = {}
        for module in self._realm.modules:
            if module.name in first:
                before = first[module.name].pos
                self._report(f"duplicate declaration of {quote(module.name)} at {before}", module, "R009")
            first.setdefault(module.name, module)
        return Known(map(ModuleState, first.values()))

    def _report(self, message: str, module: decls.Module, rule: str) -> None:
        self.problems.append(Problem(message, module.pos, rule))


def _placed(realm: decls.Realm, given: decls.Module | None) -> list[decls.Module]:
    modules = list(realm.modules)
    if given is None:
        return modules
    index = next((i for i, module in enumerate(modules) if module.name == given.name), len(modules))
    return [*modules[:index], given, *modules[index + 1 :]]
