"""Python annotations to schema types and declarations: the binding table, read from left to right."""

from __future__ import annotations

import datetime
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NewType, NoReturn, TypeVar, get_args, get_origin

from ftl_nb import schema
from ftl_nb.binding.streams import element, is_stream
from ftl_nb.compiler.annotations import function_place
from ftl_nb.compiler.declarations import (
    comments_of,
    external_alias,
    is_declarable,
    origin_of,
    value_enum,
    with_visibility,
)
from ftl_nb.compiler.owners import Owners, named_unions
from ftl_nb.compiler.refusals import fix_of, hidden_hint, shown
from ftl_nb.errors import FtlError, Place, fail
from ftl_nb.schema import Visibility, json

_PRIMITIVES: dict[Any, schema.Type] = {
    int: schema.Int(),
    float: schema.Float(),
    str: schema.String(),
    bytes: schema.Bytes(),
    bool: schema.Bool(),
    datetime.datetime: schema.Time(),
    Any: schema.Any(),
    object: schema.Any(),
    type(None): schema.Unit(),
}


@dataclass(frozen=True, slots=True)
class Site:
    """Where an annotation stands: in words, and the key of its place (`Order.sku`)."""

    words: str
    key: str = ""
    parent: Site | None = None

    def lineage(self) -> Iterator[str]:
        """The place's key and those of what it is met from, nearest first."""
        yield self.key
        if self.parent is not None:
            yield from self.parent.lineage()

    def field(self, owner: str, name: str) -> Site:
        return Site(f"the field {name!r} of {owner}", f"{owner}.{name}", self)


class Reflector:
    """The types of one module.

    `namespace` is the executed module's globals; `owners` says which module declares a class or a union that is not
    its own, beside those made by `ftl_nb.modules`; `aliases` are the unions that the module's text names at its top
    level; `places` are those of `annotation_places`. Raises FtlError: `type-unsupported`, `annotation-unresolved`,
    `parameter-unannotated`, `parameter-extra`, `enum-ambiguous`, `name-collision`.
    """

    def __init__(
        self,
        module: str,
        namespace: Mapping[str, Any],
        owners: Mapping[Any, tuple[str, str]] | None = None,
        *,
        aliases: Mapping[str, Any] | None = None,
        externals: json.Externals = json.NONE,
        places: Mapping[str, Place] | None = None,
    ) -> None:
        self.module = module
        self._namespace = namespace
        self._places = places or {}
        self._owners = Owners(module, str(namespace.get("__name__", "")), owners or {})
        self._externals = {external.type: external for external in json.frozen(externals)}
        self._unions = named_unions(aliases or {}, self._places)
        self._sources: dict[str, Any] = {}
        self._decls: dict[str, schema.Decl] = {}
        self._exported: list[tuple[schema.Type, Visibility]] = []

    @property
    def decls(self) -> tuple[schema.Decl, ...]:
        """The data, enums and aliases met, in that order; what an exported verb reaches is exported as far as it is."""
        levels = dict.fromkeys(self._decls, Visibility.NONE)
        for tp, visibility in self._exported:
            self._spread(tp, visibility, levels)
        return tuple(with_visibility(decl, levels[name]) for name, decl in self._decls.items())

    def verb(
        self, function: Callable[..., Any], visibility: Visibility = Visibility.NONE
    ) -> tuple[schema.Type, schema.Type]:
        """Request and response of a verb's function; Unit where it has none."""
        name = function.__name__
        request: schema.Type = schema.Unit()
        parameter = self._request_parameter(function)
        if parameter is not None:
            request = self._annotated(function, parameter.name, f"the parameter {parameter.name!r} of {name}")
        response = self._annotated(function, "return", f"the result of {name}")
        self._check_stream(function, (request, response))
        self.export(request, visibility)
        self.export(response, visibility)
        return request, response

    def _check_stream(self, function: Callable[..., Any], sides: tuple[schema.Type, ...]) -> None:
        unwrapped = inspect.unwrap(function)
        is_async = inspect.iscoroutinefunction(unwrapped) or inspect.isasyncgenfunction(unwrapped)
        if is_async and any(isinstance(side, schema.Stream) for side in sides):
            name = function.__name__
            raise fail("stream-async", self._places.get(name) or function_place(function), verb=name)

    def type_of(self, annotation: Any, where: str = "its annotation", key: str = "") -> schema.Type:
        """The schema type of an annotation, which may be text; the declarations that it needs are collected."""
        site = Site(where, key)
        return self._type(self._resolve(annotation, site), site)

    def export(self, tp: schema.Type, visibility: Visibility) -> None:
        """Makes what a type reaches visible as far as `visibility`."""
        self._exported.append((tp, visibility))

    # Verbs

    def _request_parameter(self, function: Callable[..., Any]) -> inspect.Parameter | None:
        name, kinds = function.__name__, inspect.Parameter
        parameters = [p for p in inspect.signature(function).parameters.values() if p.kind is not kinds.KEYWORD_ONLY]
        variadic = any(p.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD) for p in parameters)
        if len(parameters) > 1 or variadic:
            place = self._parameter_place(function, parameters[-1].name)
            raise fail("parameter-extra", place, verb=name, count="any number of" if variadic else len(parameters))
        if parameters and parameters[0].annotation is kinds.empty:
            first = parameters[0].name
            raise fail("parameter-unannotated", self._parameter_place(function, first), name=first, verb=name)
        return parameters[0] if parameters else None

    def _parameter_place(self, function: Callable[..., Any], parameter: str) -> Place | None:
        name = function.__name__
        return self._places.get(f"{name}.{parameter}") or self._places.get(name) or function_place(function)

    def _annotated(self, function: Callable[..., Any], parameter: str, words: str) -> schema.Type:
        annotation = inspect.unwrap(function).__annotations__.get(parameter)
        site = Site(words, f"{function.__name__}.{parameter}", Site("", function.__name__))
        try:
            tp = self._resolve(annotation, site)
            return schema.Stream(self._type(element(tp), site)) if is_stream(tp) else self._type(tp, site)
        except FtlError as error:
            error.place = error.place or function_place(function)
            raise

    def _resolve(self, annotation: Any, site: Site) -> Any:
        try:
            return json.resolved(annotation, self._namespace)
        except json.UNRESOLVABLE as error:
            raise self._unresolved(annotation, str(error), site) from error

    # Types

    def _type(self, tp: Any, site: Site) -> schema.Type:
        tp = json.unwrapped(tp)
        if type(tp).__hash__ is None:
            self._refuse(tp, site)
        if tp in _PRIMITIVES:
            return _PRIMITIVES[tp]
        if isinstance(tp, TypeVar):
            return self._type_variable(tp, site)
        if json.variants(tp) is not None:
            return self._union(tp, site)
        if get_origin(tp) in (list, dict):
            return self._container(tp, site)
        return self._named(tp, site)

    def _type_variable(self, variable: TypeVar, site: Site) -> schema.Type:
        """A variable is a type inside the generic data that declares it, nowhere else."""
        owner = self._sources.get(site.key.partition(".")[0])
        if variable not in json.type_parameters(owner):
            self._refuse(variable, site)
        return schema.Ref("", variable.__name__)

    def _container(self, tp: Any, site: Site) -> schema.Type:
        arguments = get_args(tp)
        if get_origin(tp) is list:
            return schema.Array(self._type(arguments[0], site))
        key = self._type(arguments[0], site)
        if not self._is_key(key):
            self._refuse(tp, site)
        return schema.Map(key, self._type(arguments[1], site))

    def _is_key(self, key: schema.Type) -> bool:
        """Texts, numbers, and enums and aliases of either can be keys of a map."""
        if isinstance(key, schema.Ref) and key.module == self.module:
            decl = self._decls[key.name]
            inner = decl.type if isinstance(decl, schema.Enum | schema.TypeAlias) else None
            return inner is not None and self._is_key(inner)
        return isinstance(key, schema.String | schema.Int | schema.Ref)

    def _union(self, tp: Any, site: Site) -> schema.Type:
        members, optional = json.variants(tp) or ((), False)
        if len(members) == 1:
            return schema.Optional(self._type(members[0], site))
        key = frozenset(members)
        name = self._unions.get(key)
        ref = None if name else self._owners.foreign(tp)
        if ref is None and name is None:
            self._refuse(tp, site)
        ref = ref or self._declare(name or "", key, lambda: self._type_enum(name or "", tp, site), site)
        return schema.Optional(ref) if optional else ref

    def _named(self, tp: Any, site: Site) -> schema.Type:
        if isinstance(tp, NewType) and self._owners.foreign(tp) is None:
            return self._declare(
                tp.__name__, tp, lambda: schema.TypeAlias(tp.__name__, self._type(tp.__supertype__, site)), site
            )
        external = self._externals.get(tp)
        if external is not None:
            return self._declare(external.name, tp, lambda: external_alias(external), site)
        cls = get_origin(tp) or tp
        ref = self._owners.foreign(cls)
        unbound = json.type_parameters(cls) and not get_args(tp)
        if unbound or (ref is None and not is_declarable(cls)):
            self._refuse(tp, site)
        ref = ref or self._declare(cls.__name__, cls, lambda: self._declaration(cls, site), site)
        return replace(ref, type_parameters=tuple(self._type(argument, site) for argument in get_args(tp)))

    # Declarations

    def _declare(self, name: str, source: Any, make: Callable[[], schema.Decl], site: Site) -> schema.Ref:
        """The reference to a declaration, made when it is met first; its place is kept meanwhile for recursive ones."""
        known = self._sources.setdefault(name, source)
        if known != source:
            first, second = f"{name} of {origin_of(known)}", f"{name} of {origin_of(source)}"
            raise self._collision(first, second, name, site)
        if name not in self._decls:
            self._decls[name] = schema.Data(name)
            try:
                self._decls[name] = make()
            except FtlError:
                del self._decls[name]
                raise
        return schema.Ref(self.module, name)

    def _declaration(self, cls: Any, site: Site) -> schema.Decl:
        if issubclass(cls, Enum):
            return value_enum(cls)
        parameters = tuple(schema.TypeParameter(variable.__name__) for variable in json.type_parameters(cls))
        fields = tuple(
            schema.Field(hint.schema_name, self._type(hint.type, site.field(cls.__name__, hint.name)))
            for hint in self._field_hints(cls, site)
        )
        return schema.Data(cls.__name__, fields, parameters, comments=comments_of(cls))

    def _field_hints(self, cls: Any, site: Site) -> tuple[json.FieldHint, ...]:
        own = cls.__module__ == self._namespace.get("__name__") or cls.__module__ not in sys.modules
        try:
            return json.field_hints(cls, self._namespace if own else None)
        except json.UnresolvedAnnotation as error:
            annotation = cls.__annotations__.get(error.field, "")
            raise self._unresolved(annotation, error.why, site.field(cls.__name__, error.field)) from error
        except json.FieldCollision as error:
            first, second = f"{error.owner}.{error.first}", f"{error.owner}.{error.second}"
            raise self._collision(first, second, error.name, site.field(cls.__name__, error.second)) from error

    def _type_enum(self, name: str, tp: Any, site: Site) -> schema.Enum:
        members, _ = json.variants(tp) or ((), False)
        return schema.Enum(
            name, tuple(self._variant(member, Site(f"the type enum {name}", name, site)) for member in members)
        )

    def _variant(self, member: Any, site: Site) -> schema.EnumVariant:
        return schema.EnumVariant((get_origin(member) or member).__name__, schema.TypeValue(self._type(member, site)))

    def _spread(self, node: schema.Node, visibility: Visibility, levels: dict[str, Visibility]) -> None:
        for ref in schema.refs(node):
            if ref.module == self.module and levels.get(ref.name, visibility) < visibility:
                levels[ref.name] = visibility
                self._spread(self._decls[ref.name], visibility, levels)

    # Refusals

    def _place(self, site: Site) -> Place | None:
        return next((self._places[key] for key in site.lineage() if key in self._places), None)

    def _refuse(self, tp: Any, site: Site) -> NoReturn:
        raise fail("type-unsupported", self._place(site), annotation=shown(tp), where=site.words, fix=fix_of(tp))

    def _unresolved(self, annotation: Any, why: str, site: Site) -> FtlError:
        text = annotation.strip("'\"") if isinstance(annotation, str) else shown(annotation)
        hint = hidden_hint(text, self._namespace)
        return fail("annotation-unresolved", self._place(site), hint, annotation=text, where=site.words, why=why)

    def _collision(self, first: str, second: str, name: str, site: Site) -> FtlError:
        return fail("name-collision", self._place(site), first=first, second=second, name=name, module=self.module)
