"""What the annotations of Python types say: fields of dataclasses, generics filled in, members of unions.

Shared by the codec and by whoever reads a schema from Python types.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING as NO_DEFAULT
from typing import Annotated, Any, Generic, NamedTuple, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from ftl_nb.schema.json.errors import FieldCollision, UnresolvedAnnotation
from ftl_nb.schema.names import camel

_NAME_KEY = "ftl_name"


class FieldHint(NamedTuple):
    """One field of a dataclass: its Python name, its schema name, its type, and how the constructor takes it."""

    name: str
    schema_name: str
    type: Any
    init: bool
    kw_only: bool
    default: Callable[[], object] | None


class Variants(NamedTuple):
    """A union without its `None`."""

    members: tuple[Any, ...]
    optional: bool


def field_metadata(schema_name: str) -> dict[str, str]:
    """Field metadata that fixes the schema name of a field, where the lower camel case of its own name differs."""
    return {_NAME_KEY: schema_name}


def schema_name(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get(_NAME_KEY) or camel(field.name))


def is_data(tp: object) -> bool:
    """Whether the type is a dataclass, or a generic one with its arguments."""
    origin = get_origin(tp) or tp
    return isinstance(origin, type) and dataclasses.is_dataclass(origin)


def unwrapped(tp: Any) -> Any:
    """The type without `Annotated` and without the name a `type` statement gives it."""
    while True:
        if get_origin(tp) is Annotated:
            tp = tp.__origin__
        elif type(tp).__name__ == "TypeAliasType":
            tp = tp.__value__
        else:
            return tp


def underlying(tp: Any) -> Any:
    """The type behind `Annotated`, aliases and NewTypes."""
    tp = unwrapped(tp)
    return underlying(tp.__supertype__) if isinstance(tp, NewType) else tp


def variants(tp: object) -> Variants | None:
    """The members of a union type and whether `None` is one; nothing when the type is no union."""
    if get_origin(tp) not in (Union, types.UnionType):
        return None
    members = get_args(tp)
    kept = tuple(member for member in members if member is not types.NoneType)
    return Variants(kept, len(kept) < len(members))


def field_hints(tp: Any, namespace: Mapping[str, Any] | None = None) -> tuple[FieldHint, ...]:
    """The fields of a dataclass in order, type arguments filled in. `namespace` resolves annotations that are text.

    Raises UnsupportedType when an annotation cannot be resolved or two fields meet in one schema name.
    """
    cls = get_origin(tp) or tp
    types_by_name = _annotations(cls, namespace)
    bound = _type_arguments(tp)
    found = tuple(
        FieldHint(f.name, schema_name(f), _filled(types_by_name[f.name], bound), f.init, f.kw_only is True, _default(f))
        for f in dataclasses.fields(cls)
    )
    _refuse_collisions(cls, found)
    return found


def type_parameters(cls: Any) -> tuple[TypeVar, ...]:
    """The type variables of a generic class; none for a plain one."""
    return tuple(getattr(cls, "__parameters__", ()))


def resolved(annotation: Any, namespace: Mapping[str, Any]) -> Any:
    """An annotation with the names in it looked up, for one that is text or holds text. Raises what Python raises."""
    holder = types.SimpleNamespace(__annotations__={"value": annotation}, __module__="", __globals__=dict(namespace))
    return get_type_hints(holder, include_extras=True)["value"]


UNRESOLVABLE = (NameError, AttributeError, SyntaxError, TypeError)
"""What `resolved` raises for an annotation that names nothing."""


def _annotations(cls: Any, namespace: Mapping[str, Any] | None) -> dict[str, Any]:
    try:
        return get_type_hints(cls, None if namespace is None else dict(namespace), include_extras=True)
    except UNRESOLVABLE as error:
        raise _unresolved(cls, namespace, error) from error


def _unresolved(cls: Any, namespace: Mapping[str, Any] | None, error: Exception) -> UnresolvedAnnotation:
    names = namespace if namespace is not None else vars(sys.modules.get(cls.__module__, types))
    for field in dataclasses.fields(cls):
        try:
            resolved(field.type, names)
        except UNRESOLVABLE as why:
            return UnresolvedAnnotation(cls.__qualname__, field.name, str(why))
    return UnresolvedAnnotation(cls.__qualname__, "", str(error))


def _refuse_collisions(cls: type, fields: tuple[FieldHint, ...]) -> None:
    first: dict[str, str] = {}
    for field in fields:
        other = first.setdefault(field.schema_name, field.name)
        if other != field.name:
            raise FieldCollision(cls.__qualname__, other, field.name, field.schema_name)


def _default(field: dataclasses.Field[Any]) -> Callable[[], object] | None:
    if field.default_factory is not NO_DEFAULT:
        return field.default_factory
    return None if field.default is NO_DEFAULT else _constant(field.default)


def _constant(value: object) -> Callable[[], object]:
    return lambda: value


def _type_arguments(tp: Any) -> dict[TypeVar, Any]:
    """What each type variable means inside `tp`, through the generic classes it derives from."""
    cls = get_origin(tp) or tp
    bound: dict[TypeVar, Any] = dict(zip(type_parameters(cls), get_args(tp), strict=False))
    for base in getattr(cls, "__orig_bases__", ()):
        if get_origin(base) not in (None, Generic):
            inner = _type_arguments(base)
            bound = {**{name: _filled(value, bound) for name, value in inner.items()}, **bound}
    return bound


def _filled(tp: Any, bound: Mapping[TypeVar, Any]) -> Any:
    if isinstance(tp, TypeVar):
        return bound.get(tp, tp)
    parameters = getattr(tp, "__parameters__", ())
    if not parameters or isinstance(tp, type) or not bound:
        return tp
    return tp[tuple(bound.get(parameter, parameter) for parameter in parameters)]
