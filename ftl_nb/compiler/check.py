"""The type check of the whole system: every module's text against the declarations of all the others.

A module is checked as its shadow copy and sees the others through their stubs, as it sees them at run time. With a
changed declaration everything that imports it, directly or not, is checked again; errors come back at cell and line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ftl_nb import schema
from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.analysis import Analysis, analyse
from ftl_nb.compiler.rules import LENIENT, refuses
from ftl_nb.compiler.shadow import OWN_VIEW, PACKAGE, VIEW_PACKAGE, Shadow, shadow_of
from ftl_nb.compiler.ty import Finding, Ty
from ftl_nb.compiler.wording import in_the_authors_words
from ftl_nb.errors import FtlError, Place, fail

_log = logging.getLogger(__name__)

_STUBS = Path("stubs", "ftl_nb-stubs")
_CALLEE = re.compile(r"(?:\w+\.)*(\w+)(?:\[[^(]*\])?\(")
_FOREIGN_CLASS = (
    "a class's defaults are known in its own module alone: give every field but those that may be None, "
    "and by keyword what stands behind one of these"
)
# What every module's declarations are written with.
_NEEDED = frozenset({"abc", "collections", "dataclasses", "datetime", "enum", "types", "typing"})
# A partial stub package stands before the installed one module by module (PEP 561).
_STUB_PACKAGE = {_STUBS / "py.typed": "partial\n", _STUBS / "modules" / "__init__.pyi": ""}


@dataclass(frozen=True, slots=True)
class ModuleInput:
    """A module of the system as it would be: its text, and the schema that a runner made of it.

    `source` is None for a module whose text is elsewhere: then it is seen, and not checked. `analysis` saves reading
    the text once more.
    """

    name: str
    source: ModuleSource | None
    schema: schema.Module | None
    analysis: Analysis | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One type error at its place in a cell."""

    place: Place
    rule: str
    message: str
    hint: str = ""


class Checker(Protocol):
    """What a type checker must do; `ty` is the one."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def check(self, files: Iterable[Path], texts: Mapping[Path, str]) -> list[Finding]:
        """What it finds in `files`; `texts` are all files that there are, as they stand on disk."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was made of one module's input."""

    given: ModuleInput
    shadow: Shadow | None
    stub: str
    imports: frozenset[str]


class TypeChecker:
    """Holds the shadow copies and stubs of one system in a folder of its own, and a checker that stays warm.

    `roots` are folders whose own Python files the modules may import; `python` is the environment's prefix.
    Thread-safe. A context manager: `with TypeChecker(folder) as checker`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        python: str = sys.prefix,
        roots: Sequence[Path] = (),
        checker: Checker | None = None,
        stub: Callable[[schema.Module], str] | None = None,
    ) -> None:
        self._folder = folder.resolve()
        self._roots = tuple(root.resolve() for root in roots)
        self._checker = checker or Ty(self._folder)
        self._stub = stub or _stub
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._texts: dict[Path, str] = {}
        self._write(Path("ty.toml"), _configuration(python, self._roots))
        self._write(Path("src", PACKAGE, "__init__.py"), "")
        for path, text in _STUB_PACKAGE.items():
            self._write(path, text)

    def __enter__(self) -> TypeChecker:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Warms the checker up."""
        self._checker.start()

    def stop(self) -> None:
        """Ends the checker's process."""
        self._checker.stop()

    def check_system(
        self, modules: Iterable[ModuleInput], changed: Collection[str], before: Iterable[schema.Module] = ()
    ) -> dict[str, list[Diagnostic]]:
        """The type errors of the changed modules and of all that depend on them, by module; one without is left out.

        `modules` is the whole system as it would be. What depends on a module of the same digest as in `before` alone
        has seen nothing change. Raises FtlError: `internal` when no checker answers, and what `analyse` raises.
        """
        with self._lock:
            self._take({given.name: given for given in modules})
            wanted = self._dependants(self._reshaped(changed, before)) | (self._known.keys() & set(changed))
            paths = {self._folder / _shadow_path(name): name for name in wanted if self._known[name].shadow}
            findings = self._checker.check(paths, {**self._texts, **self._imported_files()})
            return self._by_module(findings, paths)

    def _take(self, modules: dict[str, ModuleInput]) -> None:
        """Writes what is new of the system, and removes what is gone."""
        for name in self._known.keys() - modules.keys():
            del self._known[name]
            for path in (_shadow_path(name), *_view_paths(name), _stub_path(name)):
                self._remove(path)
        for name, given in modules.items():
            known = self._known.get(name)
            if known is None or known.given != given:
                self._known[name] = _read(given, self._stub_text(known, given.schema))
        for name, known in self._known.items():
            self._write(_stub_path(name), known.stub)
            if known.shadow is not None:
                self._write(_shadow_path(name), known.shadow.text)
                view, own = _view_paths(name)
                self._write(view, _view(name, self._known))
                self._write(own, _own_view(name))

    def stub_of(self, module: schema.Module) -> str:
        """What other modules and editors see of a module."""
        with self._lock:
            return self._stub_text(self._known.get(module.name), module)

    def _stub_text(self, known: _Known | None, module: schema.Module | None) -> str:
        if known is not None and known.given.schema == module:
            return known.stub
        return "" if module is None else self._stub(module)

    def _reshaped(self, changed: Collection[str], before: Iterable[schema.Module]) -> set[str]:
        """The changed modules that others see change: not those whose bodies, comments or places alone are others."""
        seen = {module.name: schema.digest(module) for module in before if module.name in changed}
        now = (known.given.schema for name, known in self._known.items() if name in seen)
        return set(changed) - {m.name for m in now if m is not None and schema.digest(m) == seen[m.name]}

    def _dependants(self, changed: Collection[str]) -> set[str]:
        found = set(changed)
        while more := {n for n, k in self._known.items() if n not in found and not k.imports.isdisjoint(found)}:
            found |= more
        # A module that is gone has dependants too.
        return found & self._known.keys()

    def _by_module(self, findings: list[Finding], paths: Mapping[Path, str]) -> dict[str, list[Diagnostic]]:
        found: dict[str, list[Diagnostic]] = {}
        for finding in sorted(findings):
            name = paths.get(finding.path)
            if name is not None and (diagnostic := self._diagnostic(finding, name)) is not None:
                found.setdefault(name, []).append(diagnostic)
        return found

    def _diagnostic(self, finding: Finding, module: str) -> Diagnostic | None:
        if not refuses(finding.rule, finding.severity, finding.message):
            return None
        shadow = self._known[module].shadow
        place = shadow and shadow.place(finding.line, finding.column, finding.end_line, finding.end_column)
        if shadow is None or not place:
            _log.debug("type check of %s, in a line of ours: %s", module, finding)
            return None
        hint = self._hidden_hint(shadow.text) or self._class_hint(module, finding.rule, place)
        return Diagnostic(place, finding.rule, in_the_authors_words(finding.message), hint)

    def _class_hint(self, module: str, rule: str, place: Place) -> str:
        """What to do about the arguments of another module's class."""
        name = _CALLEE.match(place.source_line[max(place.column - 1, 0) :])
        if rule != "missing-argument" or name is None or _has_data(self._known[module].given, name[1]):
            return ""
        return _FOREIGN_CLASS if any(_has_data(known.given, name[1]) for known in self._known.values()) else ""

    def _hidden_hint(self, text: str) -> str:
        """The project's file that the check takes for a module of Python's own, which the text needs."""
        hidden = sorted({p.stem for root in self._roots for p in root.glob("*.py")} & sys.stdlib_module_names)
        name = next((n for n in hidden if n in _NEEDED or re.search(rf"(?m)^\s*(?:import|from) {n}\b", text)), "")
        return f"the project's {name}.py hides Python's own module {name}: give the file another name" if name else ""

    def _imported_files(self) -> dict[Path, str]:
        """The project's own files that modules may import, each with the time of its last change as its text."""
        files = (path for root in self._roots for path in root.glob("*.py"))
        return {path: str(path.stat().st_mtime_ns) for path in files}

    def _write(self, path: Path, text: str) -> None:
        full = self._folder / path
        if self._texts.get(full) != text:
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_text(text, encoding="utf-8")
            self._texts[full] = text

    def _remove(self, path: Path) -> None:
        (self._folder / path).unlink(missing_ok=True)
        self._texts.pop(self._folder / path, None)


def refusal(diagnostics: Mapping[str, Sequence[Diagnostic]]) -> FtlError:
    """One error `type-check` for all of them: the first, with the others behind it."""
    first, *others = (_error(d) for of_module in diagnostics.values() for d in of_module)
    first.others = tuple(others)
    return first


def _error(diagnostic: Diagnostic) -> FtlError:
    hint = diagnostic.hint or f"ty's rule {diagnostic.rule}; a line that ends in `# type: ignore` is not checked"
    return fail("type-check", diagnostic.place, hint, detail=diagnostic.message.rstrip("."), rule=diagnostic.rule)


def _read(given: ModuleInput, stub: str) -> _Known:
    if given.source is None:
        return _Known(given, None, stub, _imports_of_schema(given.schema))
    analysis = given.analysis or analyse(given.source, sql_verbs_of(given.schema))
    shadow = shadow_of(given.source, analysis, given.schema)
    return _Known(given, shadow, stub, frozenset(analysis.modules) | _imports_of_schema(given.schema))


def sql_verbs_of(module: schema.Module | None) -> dict[str, str]:
    """The SQL verbs of a schema module, each with its database."""
    found: dict[str, str] = {}
    for verb in (d for d in (module.decls if module else ()) if isinstance(d, schema.Verb)):
        if any(isinstance(m, schema.MetadataSQLQuery) for m in verb.metadata):
            uses = (ref for m in verb.metadata if isinstance(m, schema.MetadataDatabases) for ref in m.uses)
            found[verb.name] = next((ref.name for ref in uses), "")
    return found


def _imports_of_schema(module: schema.Module | None) -> frozenset[str]:
    if module is None:
        return frozenset()
    return frozenset(ref.module for ref in schema.refs(module)) - {module.name, "", "builtin"}


def _has_data(given: ModuleInput, name: str) -> bool:
    return given.schema is not None and isinstance(given.schema.decl(name), schema.Data)


def _stub(module: schema.Module) -> str:
    from ftl_nb.compiler.stubs import stub

    return stub(module)


def _configuration(python: str, roots: Sequence[Path]) -> str:
    own = ", ".join(_toml(str(path)) for path in ("src", *roots))
    rules = "".join(f'{rule} = "ignore"\n' for rule in LENIENT)
    # Where ftl_nb itself is run from need not be that environment.
    extra = ", ".join(_toml(path) for path in ("stubs", str(Path(__file__).parents[2])))
    paths = f"python = {_toml(python)}\nroot = [{own}]\nextra-paths = [{extra}]\n"
    return f"[environment]\n{paths}\n[rules]\n{rules}"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _view(module: str, known: Iterable[str]) -> str:
    """What `from ftl_nb.modules import …` gives inside the module: itself as its shadow copy, the others as stubs."""
    others = "".join(f"from ftl_nb.modules import {name} as {name}\n" for name in sorted(known) if name != module)
    return f"from {PACKAGE} import {module} as {module}\n{others}"


def _own_view(module: str) -> str:
    """What `from ftl_nb.modules.shop import …` gives inside shop; a file that imports itself by name is not seen."""
    return f"from {PACKAGE}.{module} import *\n"


def _shadow_path(module: str) -> Path:
    return Path("src", PACKAGE, f"{module}.py")


def _view_paths(module: str) -> tuple[Path, Path]:
    folder = Path("src", VIEW_PACKAGE, module)
    return folder / "__init__.pyi", folder / f"{OWN_VIEW}.pyi"


def _stub_path(module: str) -> Path:
    return _STUBS / "modules" / f"{module}.pyi"
