"""From a Python type to its shape."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin

from ftl_nb.schema.json.containers import AnyShape, ListShape, MapShape, OptionalShape
from ftl_nb.schema.json.data import DataField, DataShape
from ftl_nb.schema.json.enums import EnumShape, StandInShape, TypeEnumShape, Variant, variant_name
from ftl_nb.schema.json.errors import Mismatch, UnsupportedType, refused_value
from ftl_nb.schema.json.externals import External
from ftl_nb.schema.json.hints import Variants, field_hints, is_data, type_parameters, underlying, variants
from ftl_nb.schema.json.scalars import scalar_shapes
from ftl_nb.schema.json.shape import Shape


class ShapeBuilder:
    """The shapes of all types met with one registry of externals. Safe to use from several threads."""

    def __init__(self, externals: tuple[External, ...]) -> None:
        self._externals = {external.type: external for external in externals}
        self._lock = threading.RLock()
        self._any = AnyShape(self.shape)
        scalars = scalar_shapes()
        self._done: dict[Any, Shape] = {**scalars, None: scalars[type(None)], Any: self._any, object: self._any}
        self._open: dict[Any, Shape] = {}
        self._depth = 0

    def shape(self, tp: Any) -> Shape:
        """The shape of a type. Raises UnsupportedType."""
        known = self._done.get(tp)
        if known is not None:
            return known
        with self._lock:
            return self._build(tp)

    def _build(self, tp: Any) -> Shape:
        """Shapes count as done when the outermost is, so that a failure leaves no half-made one behind."""
        self._depth += 1
        try:
            made = self._done.get(tp) or self._open.get(tp) or self._make(tp)
            self._open[tp] = made
            if self._depth == 1:
                self._done.update(self._open)
            return made
        finally:
            self._depth -= 1
            if not self._depth:
                self._open.clear()

    def _make(self, tp: Any) -> Shape:
        external = self._externals.get(tp)
        if external is not None:
            return _external_shape(external, self._any)
        plain = underlying(tp)
        if plain is not tp:
            return self.shape(plain)
        union = variants(tp)
        if union is not None:
            return self._union(tp, union)
        if get_origin(tp) in (list, dict):
            return self._list(tp) if get_origin(tp) is list else self._map(tp)
        return self._declared(tp)

    def _declared(self, tp: Any) -> Shape:
        if is_data(tp):
            return self._data(tp)
        if isinstance(tp, type) and issubclass(tp, Enum) and issubclass(tp, (str, int)):
            return EnumShape(tp)
        raise UnsupportedType(_refusal(tp))

    def _list(self, tp: Any) -> Shape:
        return ListShape(self.shape(get_args(tp)[0]))

    def _map(self, tp: Any) -> Shape:
        key_type, value_type = get_args(tp)
        key = underlying(key_type)
        if not (isinstance(key, type) and issubclass(key, (str, int)) and key is not bool):
            raise UnsupportedType(f"the keys of {_shown(tp)} must be str or int")
        return MapShape(self.shape(key), self.shape(value_type), issubclass(key, int))

    def _union(self, tp: Any, union: Variants) -> Shape:
        if len(union.members) == 1:
            return OptionalShape(self.shape(union.members[0]))
        made = TypeEnumShape()
        shape = self._open[tp] = OptionalShape(made) if union.optional else made
        found = tuple(self._variant(tp, member) for member in union.members)
        names = [variant.name for variant in found]
        if len(set(names)) < len(names):
            raise UnsupportedType(f"two members of {_shown(tp)} have the same name")
        made.complete(found)
        shape.name = f"{made.name}?" if union.optional else made.name
        return shape

    def _variant(self, union: Any, member: Any) -> Variant:
        if not is_data(member):
            raise UnsupportedType(f"{_shown(member)} in {_shown(union)} is not a dataclass; members of a union must be")
        cls = get_origin(member) or member
        name = variant_name(cls)
        if name is None:
            return Variant(cls.__name__, cls, self.shape(member))
        return Variant(name, cls, StandInShape(cls, self.shape(field_hints(cls)[0].type)))

    def _data(self, tp: Any) -> Shape:
        cls, arguments = get_origin(tp) or tp, get_args(tp)
        if type_parameters(cls) and not arguments:
            raise UnsupportedType(f"{cls.__name__} is generic: name its type arguments, such as {cls.__name__}[int]")
        self._open[tp] = made = DataShape(cls.__name__, cls)
        names = [self.shape(argument).name for argument in arguments]
        made.name = f"{cls.__name__}<{', '.join(names)}>" if names else cls.__name__
        made.complete(tuple(DataField(hint, self.shape(hint.type)) for hint in field_hints(tp)))
        return made


def _external_shape(external: External, inner: Shape) -> Shape:
    def encode(value: object) -> object:
        if not isinstance(value, external.cls):
            raise refused_value(external.name, value)
        return inner.encode(_foreign(external.encode, value, external.name))

    return Shape(external.name, encode, lambda raw: _foreign(external.decode, raw, external.name))


def _foreign(convert: Callable[[Any], object], value: object, name: str) -> object:
    try:
        return convert(value)
    except Exception as error:  # the author's own function: whatever it raises, the value is refused
        raise Mismatch(f"expected {name}, got {value!r}: {type(error).__name__}: {error}") from error


def _refusal(tp: Any) -> str:
    if isinstance(tp, TypeVar):
        return f"the type variable {tp} has no argument here"
    if tp in (list, dict):
        return f"{tp.__name__} does not say of what: write {'list[str]' if tp is list else 'dict[str, int]'}"
    return f"{_shown(tp)} is not a type of the schema"


def _shown(tp: Any) -> str:
    return tp.__name__ if isinstance(tp, type) and not get_args(tp) else repr(tp).replace("typing.", "")
