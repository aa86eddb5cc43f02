"""A module, loaded: its text executed, its verbs found, its declarations reflected."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ftl_nb import schema
from ftl_nb.binding.finder import populate_generated
from ftl_nb.binding.loader import module_object, run_cell
from ftl_nb.binding.resources import Config, Secret, Setting, externals
from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.binding.verbs import Verb
from ftl_nb.compiler.annotations import annotation_places, union_aliases
from ftl_nb.compiler.declarations import comments_of, is_declarable
from ftl_nb.compiler.reflect import Reflector
from ftl_nb.errors import FtlError, Place, fail
from ftl_nb.rpc.hints import near
from ftl_nb.runner.traces import load_error
from ftl_nb.schema.names import camel

_VISIBILITY = {False: 0, True: 1, "": 0, "module": 1, "realm": 2}


class LoadedModule:
    """The own module of a runner. `verbs` are by schema name; `generated` is what its SQL contributes."""

    def __init__(self, source: ModuleSource, generated: schema.Module, folder: Path) -> None:
        self.source = source
        self.generated = generated
        sys.path.insert(0, str(folder))
        self.object = module_object(source.name)
        populate_generated(self.object, generated)
        for cell in source.python_cells:
            self._run(cell)
        self.verbs: dict[str, Verb] = {v.name: v for v in self._own(Verb) if v.function is not None}

    def _run(self, cell: Cell) -> None:
        try:
            run_cell(self.source.name, cell)
        except FtlError:
            raise
        except BaseException as e:
            sentence, place = load_error(self.source.name, e)
            slug = "import-failed" if isinstance(e, ImportError) else "load-failed"
            hint = near(e.name or "", public(self.object)) if isinstance(e, NameError) else ""
            raise fail(slug, place, hint, module=self.source.name, error=sentence) from e

    def _own(self, kind: type[Any]) -> Iterator[Any]:
        return (v for v in vars(self.object).values() if isinstance(v, kind) and v.module == self.source.name)

    def reflect(self) -> schema.Module:
        """The module's declarations: types, configs, secrets and verbs of its text, and what its SQL contributes."""
        places, aliases = self._places()
        reflector = Reflector(
            self.source.name, vars(self.object), aliases=aliases, externals=externals(), places=places
        )
        settings = tuple(self._setting(reflector, setting) for setting in self.settings)
        verbs = tuple(self._verb(reflector, verb, places) for verb in self.verbs.values())
        for cls in self._own_types(aliases):
            reflector.type_of(cls)
        comments = tuple((self.object.__doc__ or "").strip().splitlines())
        own = {d.name for d in self.generated.decls}
        types = tuple(d for d in reflector.decls if d.name not in own)
        generated = as_visible(self.generated.decls, reflector.decls)
        return schema.Module(self.source.name, (*settings, *generated, *types, *verbs), comments=comments)

    def _own_types(self, aliases: dict[str, Any]) -> Iterator[type]:
        """The public types of the text, for other modules to use; one that no verb reaches may be beyond the schema."""
        for name, value in list(vars(self.object).items()):
            if name.startswith("_") or getattr(value, "__module__", "") != self.object.__name__:
                continue
            if not is_declarable(value) or hasattr(value, "__parameters__"):
                continue
            probe = Reflector(self.source.name, vars(self.object), aliases=aliases, externals=externals())
            with suppress(FtlError):
                probe.type_of(value)
                yield value

    def _places(self) -> tuple[dict[str, Place], dict[str, Any]]:
        places: dict[str, Place] = {}
        aliases: dict[str, Any] = {}
        for cell in self.source.python_cells:
            filename = cell.filename(self.source.name)
            tree = ast.parse(cell.text, filename)
            places.update(annotation_places(tree, cell.text, filename))
            aliases.update((name, vars(self.object).get(name)) for name in union_aliases(tree))
        return places, aliases

    @property
    def settings(self) -> tuple[Setting[Any], ...]:
        """The configs, then the secrets."""
        return (*self._own(Config), *self._own(Secret))

    def _setting(self, reflector: Reflector, setting: Setting[Any]) -> schema.Config | schema.Secret:
        kind = "secret" if isinstance(setting, Secret) else "config"
        type_ = reflector.type_of(setting.type, f"the {kind} {setting.name}", setting.name)
        made = schema.Secret if isinstance(setting, Secret) else schema.Config
        return made(camel(setting.name), type_)

    def _verb(self, reflector: Reflector, verb: Verb, places: dict[str, Place]) -> schema.Verb:
        function = verb.function
        if function is None:
            raise TypeError(f"{verb.ref} has no function")
        visibility = schema.Visibility(_VISIBILITY[verb.options.export])
        request, response = reflector.verb(function, visibility)
        fixture = verb.options.fixture
        metadata: tuple[schema.Metadata, ...] = (schema.MetadataFixture(fixture == "manual"),) if fixture else ()
        place = places.get(function.__name__)
        position = schema.Position(place.filename, place.line, place.column) if place else schema.NOWHERE
        return schema.Verb(
            verb.name, request, response, visibility, metadata, comments=comments_of(function), pos=position
        )


def public(module: ModuleType) -> list[str]:
    """The names that a module has, those of Python's own left out."""
    return [name for name in vars(module) if not name.startswith("_")]


def as_visible(generated: Iterable[schema.Decl], reflected: Iterable[schema.Decl]) -> tuple[schema.Decl, ...]:
    """Row types that the text's exported verbs show are exported with them."""
    shown = {d.name: d.visibility for d in reflected if isinstance(d, schema.Data)}
    return tuple(
        replace(d, visibility=max(d.visibility, shown.get(d.name, d.visibility))) if isinstance(d, schema.Data) else d
        for d in generated
    )
