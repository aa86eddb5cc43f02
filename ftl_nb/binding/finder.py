"""`from ftl_nb.modules import shop`: one meta-path finder that makes module objects from the schema."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from ftl_nb.binding.loader import PACKAGE, module_object
from ftl_nb.binding.resources import Database
from ftl_nb.binding.signature import NOTHING, Signature
from ftl_nb.binding.statements import stated
from ftl_nb.binding.verbs import SqlVerb, Verb
from ftl_nb.schema.names import snake

if TYPE_CHECKING:
    from ftl_nb import schema


class SchemaSource(Protocol):
    """Where this process sees the system's schema."""

    def module(self, name: str) -> schema.Module | None: ...

    @property
    def modules(self) -> tuple[schema.Module, ...]: ...


class ModuleFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `ftl_nb.modules.NAME` for each module of the schema; raises ImportError naming the known ones else.

    Without a source the first import connects, which puts the finder of that connection in this one's place.
    """

    def __init__(self, source: SchemaSource | None) -> None:
        self.source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        if package != PACKAGE or name.startswith("_"):
            return None
        # Whether it exists is asked when it is loaded: here Python holds the lock of every import.
        return importlib.machinery.ModuleSpec(fullname, self, origin="schema")

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.rpartition(".")[2]
        _making.add(name)
        try:
            # What files stated meanwhile is deployed by connecting: it may be the module that is asked for.
            source = self.source if self.source is not None and not stated.files else _connected_source()
            populate(module, _found(source, name))
        finally:
            _making.discard(name)


_making: set[str] = set()


def is_being_made(name: str) -> bool:
    """Whether an import is filling the object of module `name` right now; it takes the newest schema itself."""
    return name in _making


def _connected_source() -> SchemaSource:
    from ftl_nb.binding import dispatch

    dispatch.connected()
    return next(f.source for f in sys.meta_path if isinstance(f, ModuleFinder) and f.source is not None)


def _found(source: SchemaSource, name: str) -> schema.Module:
    decls = source.module(name)
    if decls is None:
        known = ", ".join(sorted(m.name for m in source.modules)) or "none"
        raise ImportError(f"there is no module {name} in this cluster; known modules: {known}", name=name)
    return decls


def ensure_finder() -> None:
    """Imports find the system's modules from now on, the first one by connecting to it."""
    if not any(isinstance(f, ModuleFinder) for f in sys.meta_path):
        sys.meta_path.insert(0, ModuleFinder(None))


def install_finder(source: SchemaSource) -> ModuleFinder:
    """Makes `source` what imports see, in place of an earlier one."""
    remove_finder()
    finder = ModuleFinder(source)
    sys.meta_path.insert(0, finder)
    return finder


def remove_finder() -> None:
    """Takes the finder away."""
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, ModuleFinder)]


def populate(target: ModuleType, decls: schema.Module) -> None:
    """Gives a module object everything its schema declares: classes, and verbs as typed callables."""
    from ftl_nb.binding.classes import classes_of

    # Each class is there as soon as it exists: two modules can refer to each other.
    target.__dict__.update(classes_of(decls, resolve, target.__dict__))
    populate_resources(target, decls)


def populate_resources(target: ModuleType, decls: schema.Module) -> None:
    """The verbs and databases of a module as handles; a verb whose function is here already keeps it."""
    from ftl_nb import schema

    for decl in decls.decls:
        name = snake(decl.name)
        if isinstance(decl, schema.Verb) and not _has_function(target, name):
            _put_verb(target, name, verb_of(decls, decl))
        elif isinstance(decl, schema.Database):
            setattr(target, name, Database(decls.name, decl.name))


def _put_verb(target: ModuleType, name: str, made: Verb) -> None:
    """A verb that is known under its name stays the same object, with the types of now."""
    known = target.__dict__.get(name)
    if type(known) is type(made) and known.ref == made.ref:
        known.rebind(made.signature)
    else:
        setattr(target, name, made)


def populate_generated(target: ModuleType, decls: schema.Module, kept: Collection[str] = ()) -> None:
    """What SQL cells contribute to a module whose text is here: row classes, query verbs and database handles.

    `kept` are types whose classes in `target` are still the right ones.
    """
    from ftl_nb import schema
    from ftl_nb.binding.classes import classes_of

    generated = schema.Module(
        decls.name,
        tuple(
            d
            for d in decls.decls
            if isinstance(d, schema.Database)
            or (isinstance(d, schema.Data | schema.Verb) and schema.MetadataGenerated() in d.metadata)
        ),
    )
    made = replace(generated, decls=tuple(d for d in generated.decls if d.name not in kept))
    target.__dict__.update(classes_of(made, resolve))
    populate_resources(target, generated)


def _has_function(target: ModuleType, name: str) -> bool:
    found = target.__dict__.get(name)
    return isinstance(found, Verb) and found.function is not None


def verb_of(module: schema.Module, decl: schema.Verb) -> Verb:
    """The typed callable of one verb, made from the schema."""
    from ftl_nb import schema
    from ftl_nb.binding.classes import annotation_of

    sql = any(isinstance(m, schema.MetadataSQLQuery) for m in decl.metadata)
    request = NOTHING if isinstance(decl.request, schema.Unit) else annotation_of(decl.request, resolve)
    response = None if isinstance(decl.response, schema.Unit) else annotation_of(decl.response, resolve)
    signature = Signature(request, response, _parameter(decl, sql), spread=sql)
    kind: type[Verb] = SqlVerb if sql else Verb
    return kind(module.name, decl.name, signature=signature)


def _parameter(decl: schema.Verb, sql: bool) -> str:
    """The keyword of a bare request: for a query the only parameter in its text, else the word `request`."""
    from ftl_nb import schema

    if not sql:
        return "request"
    query = next(m.query for m in decl.metadata if isinstance(m, schema.MetadataSQLQuery))
    return query_parameter(query)


def query_parameter(query: str) -> str:
    """The first named parameter of a query's text."""
    import re

    found = re.search(r"[@$]([A-Za-z_][A-Za-z0-9_]*)", query)
    return snake(found.group(1)) if found else "request"


def resolve(module: str) -> Any:
    """The module object that holds the classes of module `module`."""
    import importlib

    full = f"{PACKAGE}.{module}"
    return sys.modules.get(full) or importlib.import_module(full)


__all__ = [
    "ModuleFinder",
    "SchemaSource",
    "ensure_finder",
    "install_finder",
    "is_being_made",
    "module_object",
    "populate",
    "populate_generated",
    "resolve",
]
