"""Schema to Python classes, for modules whose text is not here: the binding table, read from right to left.

Classes come first as bare shells, then unions and aliases over them, then fields: so a data can contain itself, and a
type enum its own variants. What comes out works with `ftl_nb.schema.json.codec` as an author's own classes do.
"""

from __future__ import annotations

import datetime
import keyword
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from enum import Enum, IntEnum, StrEnum
from typing import Any, Generic, NamedTuple, NewType, Optional, TypeAlias, TypeVar, Union

from ftl_nb import schema
from ftl_nb.binding.streams import Stream
from ftl_nb.schema import json
from ftl_nb.schema.names import camel, snake

Resolve: TypeAlias = Callable[[str], Any]

_PACKAGE = "ftl_nb.modules."
_PRIMITIVES: dict[type[schema.Node], Any] = {
    schema.Int: int,
    schema.Float: float,
    schema.String: str,
    schema.Bytes: bytes,
    schema.Bool: bool,
    schema.Time: datetime.datetime,
    schema.Any: Any,
    schema.Unit: None,
}


def classes_of(module: schema.Module, resolve: Resolve, into: dict[str, Any] | None = None) -> dict[str, Any]:
    """The data, enums and aliases of a module as Python types, by name.

    `resolve` gives the object that holds another module's types. `into` receives each as soon as it exists, which two
    modules that refer to each other need. Raises ImportError when a reference names nothing.
    """
    return _ModuleClasses(module, resolve, {} if into is None else into).make()


def annotation_of(tp: schema.Type, resolve: Resolve) -> Any:
    """The annotation of a schema type, such as a verb's request. Raises ImportError when a reference names nothing."""
    return _annotation(tp, lambda ref: _member(resolve(ref.module), ref))


class PythonField(NamedTuple):
    """A field of a data as a dataclass has it: `optional` ones may be left out."""

    field: schema.Field
    name: str
    optional: bool
    kw_only: bool


def python_fields(data: schema.Data) -> Iterator[PythonField]:
    """The fields with their Python names.

    An optional one before a required one is keyword-only, and so is every one behind it: no value given by position
    means another field here than where the class is declared.
    """
    last_required = max((i for i, f in enumerate(data.fields) if not isinstance(f.type, schema.Optional)), default=-1)
    taken: set[str] = set()
    kw_only = False
    for index, item in enumerate(data.fields):
        name = snake(item.name)
        name = item.name if name in taken else name
        taken.add(name)
        optional = isinstance(item.type, schema.Optional)
        kw_only = kw_only or (optional and index < last_required)
        yield PythonField(item, name, optional, kw_only)


def variant_class_name(module: schema.Module, enum: schema.Enum, variant: schema.EnumVariant) -> str:
    """The class of a type enum's variant: the data of that name, else a stand-in that holds the variant's value."""
    own = isinstance(variant.value, schema.TypeValue) and variant.value.value
    if isinstance(own, schema.Ref) and own.name == variant.name and is_data(module, own):
        return variant.name
    taken = {decl.name for decl in module.decls}
    return f"{enum.name}{variant.name}" if variant.name in taken else variant.name


def is_data(module: schema.Module, ref: schema.Ref) -> bool:
    """Whether a reference of a module is to a data, as far as the module itself says; others' are taken to be."""
    return ref.module != module.name or isinstance(module.decl(ref.name), schema.Data)


def member_name(variant: schema.EnumVariant) -> str:
    """The Python name of a value enum's member; words that Python keeps for itself get an underscore behind them."""
    name = variant.name
    return f"{name}_" if keyword.iskeyword(name) or name in ("mro", "name", "value") else name


class _ModuleClasses:
    """The types of one module in the making."""

    def __init__(self, module: schema.Module, resolve: Resolve, into: dict[str, Any]) -> None:
        self._module = module
        self._resolve = resolve
        self._into = into
        self._made: dict[str, Any] = {}
        self._parameters: dict[str, dict[str, TypeVar]] = {}
        self._stand_ins: dict[tuple[str, str], type] = {}

    def make(self) -> dict[str, Any]:
        data = [decl for decl in self._module.decls if isinstance(decl, schema.Data)]
        for decl in data:
            self._keep(decl.name, self._shell(decl))
        for other in self._module.decls:
            if isinstance(other, schema.Enum | schema.TypeAlias):
                self._named(other.name)
        for decl in data:
            self._complete(decl)
        for (enum, variant), cls in self._stand_ins.items():
            self._complete_stand_in(enum, variant, cls)
        return self._made

    def _keep(self, name: str, made: Any) -> Any:
        self._made[name] = self._into[name] = made
        return made

    def _class(self, name: str, bases: tuple[Any, ...] = ()) -> Any:
        namespace = {"__module__": _PACKAGE + self._module.name, "__qualname__": name}
        return types.new_class(name, bases, exec_body=lambda body: body.update(namespace))

    def _shell(self, decl: schema.Data) -> Any:
        parameters = {p.name: _type_variable(p.name) for p in decl.type_parameters}
        self._parameters[decl.name] = parameters
        generic: Any = Generic
        return self._class(decl.name, (generic[tuple(parameters.values())],) if parameters else ())

    def _named(self, name: str) -> Any:
        """The type of a name of this module, made now if it is not yet: aliases and enums refer to each other."""
        if name in self._made:
            return self._made[name]
        decl = self._module.decl(name)
        if isinstance(decl, schema.TypeAlias):
            return self._keep(name, self._alias(decl))
        if isinstance(decl, schema.Enum):
            return self._keep(name, self._value_enum(decl) if decl.type else self._type_enum(decl))
        return _member(self._resolve(self._module.name), schema.Ref(self._module.name, name))

    def _lookup(self, ref: schema.Ref) -> Any:
        if ref.module in ("", self._module.name):
            return self._named(ref.name)
        return _member(self._resolve(ref.module), ref)

    def _alias(self, decl: schema.TypeAlias) -> Any:
        registered = _registered(decl)
        if registered is not None:
            return registered
        made = _new_type(decl.name, _annotation(decl.type, self._lookup))
        made.__module__ = _PACKAGE + self._module.name
        return made

    def _value_enum(self, decl: schema.Enum) -> type[Enum]:
        members = [(member_name(v), v.value.value) for v in decl.variants]
        number = any(isinstance(variant.value, schema.IntValue) for variant in decl.variants)
        kind: Any = IntEnum if number else StrEnum
        made: type[Enum] = kind(decl.name, members, module=_PACKAGE + self._module.name, qualname=decl.name)
        made.__doc__ = _doc(decl.comments)
        return made

    def _type_enum(self, decl: schema.Enum) -> Any:
        members = tuple(self._variant(decl, variant) for variant in decl.variants)
        # A union of one is no union to Python, and its JSON would lose the name.
        return Union[members if len(members) > 1 else (*members, self._never(decl))]  # noqa: UP007

    def _variant(self, enum: schema.Enum, variant: schema.EnumVariant) -> Any:
        name = variant_class_name(self._module, enum, variant)
        value = variant.value
        if name == variant.name and isinstance(value, schema.TypeValue) and isinstance(value.value, schema.Ref):
            found = _annotation(value.value, self._lookup)
            if value.value.name == name and self._is_class_of_data(found):
                return found
        made = self._stand_ins[enum.name, variant.name] = self._class(name)
        json.name_variant(made, variant.name)
        return self._keep(name, made)

    def _is_class_of_data(self, found: Any) -> bool:
        return json.is_data(found) or (getattr(found, "__origin__", found) in self._shells())

    def _shells(self) -> list[Any]:
        return [self._made[name] for name in self._parameters]

    def _never(self, decl: schema.Enum) -> type:
        return dataclass(self._class(f"{decl.name}Never"))  # type: ignore[no-any-return]

    def _complete(self, decl: schema.Data) -> None:
        cls, scope = self._made[decl.name], self._parameters[decl.name]
        cls.__doc__ = _doc(decl.comments)
        cls.__annotations__ = {}
        for item, name, optional, kw_only in python_fields(decl):
            cls.__annotations__[name] = _annotation(item.type, lambda ref: self._scoped(ref, scope))
            metadata = {} if camel(name) == item.name else json.field_metadata(item.name)
            default: Any = None if optional else MISSING
            setattr(cls, name, field(default=default, kw_only=kw_only, metadata=metadata))
        dataclass(cls)

    def _scoped(self, ref: schema.Ref, scope: Mapping[str, TypeVar]) -> Any:
        parameter = scope.get(ref.name) if not ref.module else None
        return self._lookup(ref) if parameter is None else parameter

    def _complete_stand_in(self, enum: str, variant: str, cls: type) -> None:
        decl = self._module.decl(enum)
        variants = decl.variants if isinstance(decl, schema.Enum) else ()
        value = next(v.value for v in variants if v.name == variant)
        inner = _annotation(value.value, self._lookup) if isinstance(value, schema.TypeValue) else Any
        cls.__annotations__ = {"value": inner}
        dataclass(cls)


def _annotation(tp: schema.Type, lookup: Callable[[schema.Ref], Any]) -> Any:
    if isinstance(tp, schema.Array):
        return list[_annotation(tp.element, lookup)]  # type: ignore[misc]
    if isinstance(tp, schema.Map):
        return dict[_annotation(tp.key, lookup), _annotation(tp.value, lookup)]  # type: ignore[misc]
    if isinstance(tp, schema.Stream):
        return Stream[_annotation(tp.element, lookup)]  # type: ignore[misc]
    if isinstance(tp, schema.Optional):
        return Optional[_annotation(tp.type, lookup)]  # noqa: UP045
    if isinstance(tp, schema.Ref):
        found = lookup(tp)
        arguments = tuple(_annotation(argument, lookup) for argument in tp.type_parameters)
        return found[arguments] if arguments else found
    return _PRIMITIVES[type(tp)]


def _member(holder: Any, ref: schema.Ref) -> Any:
    found = holder.get(ref.name) if isinstance(holder, Mapping) else getattr(holder, ref.name, None)
    if found is None:
        raise ImportError(f"module {ref.module} declares no type {ref.name}")
    return found


def _registered(decl: schema.TypeAlias) -> Any:
    """The class behind an external type, where this process registered it too."""
    from ftl_nb.binding.resources import externals

    names = {m.native_name for m in decl.metadata if isinstance(m, schema.MetadataTypeMap) and m.runtime == "python"}
    return next((e.type for e in json.frozen(externals()) if e.native_name in names), None)


def _doc(comments: tuple[str, ...]) -> str | None:
    return "\n".join(comments) or None


# Called through a name that is no special form to a type checker, which wants literals.
_type_variable: Callable[[str], Any] = TypeVar
_new_type: Callable[[str, Any], Any] = NewType
