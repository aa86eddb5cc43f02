"""Dataclasses: one generated function each way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ftl_nb.schema.json.errors import MISSING, Mismatch, refused_json, refused_value
from ftl_nb.schema.json.hints import FieldHint
from ftl_nb.schema.json.shape import Part, Shape, Typed, called, generate, inline, unique


class DataField(NamedTuple):
    """A field and the shape of its type."""

    hint: FieldHint
    shape: Shape

    @property
    def default(self) -> Callable[[], object] | None:
        return self.hint.default or self.shape.default()


class DataShape(Shape):
    """A data. It exists before its fields do, for a recursive one to refer to itself; `complete` makes it whole."""

    def __init__(self, name: str, cls: type) -> None:
        super().__init__(name, lambda value: self.encode(value), lambda raw: self.decode(raw))
        self._class = cls
        self._fields: tuple[DataField, ...] = ()
        self._typed: Typed | None = None
        self._being_typed = False

    def complete(self, fields: tuple[DataField, ...]) -> None:
        self._fields = fields
        self.encode = _encoder(self._class, self.name, fields)
        self.decode = _decoder(self._class, self.name, fields)

    def typed(self) -> Typed:
        """A struct of the same fields; the data inside itself is decoded without one."""
        if self._being_typed:
            return super().typed()
        if self._typed is None:
            self._being_typed = True
            try:
                self._typed = _typed(self._class, self._fields)
            finally:
                self._being_typed = False
        return self._typed

    def encode_parts(self, value: Any) -> Iterator[Part]:
        for field in self._fields if isinstance(value, self._class) else ():
            yield f".{field.hint.schema_name}", field.shape, getattr(value, field.hint.name)

    def decode_parts(self, raw: Any) -> Iterator[Part]:
        for field in self._fields if isinstance(raw, dict) else ():
            found = raw.get(field.hint.schema_name, MISSING)
            if found is not MISSING:
                yield f".{field.hint.schema_name}", field.shape, found
            elif field.default is None:
                yield f".{field.hint.schema_name}", REQUIRED, found


def _refuse_missing(raw: object) -> object:
    raise refused_json("", raw)


REQUIRED = Shape("", _refuse_missing, _refuse_missing)


def _encoder(cls: type, name: str, fields: tuple[DataField, ...]) -> Any:
    names: dict[str, object] = {"CLASS": cls, "NAME": name, "refused": refusal_of(cls)}
    lines = [
        "def encode(value):",
        "    if value.__class__ is not CLASS and not isinstance(value, CLASS): raise refused(NAME, value)",
        *(f"    x{i} = value.{field.hint.name}" for i, field in enumerate(fields)),
        "    return {",
    ]
    for i, field in enumerate(fields):
        names[f"e{i}"] = field.shape.encode
        lines.append(f"        {field.hint.schema_name!r}: {inline(field.shape.encode_test, f'e{i}', f'x{i}')},")
    return generate([*lines, "    }"], "encode", names)


def refusal_of(cls: type) -> Callable[[str, object], Mismatch]:
    """What is refused in the place of `cls`: a class that only has its name too is told apart by its module."""

    def refused(name: str, value: object) -> Mismatch:
        found = type(value)
        if found.__name__ != cls.__name__:
            return refused_value(name, value)
        if found.__module__ == cls.__module__:
            return Mismatch(f"expected {name}, got a value made before the class {name} was defined anew")
        ours, theirs = (c.__module__.rpartition(".")[2] for c in (cls, found))
        return Mismatch(f"expected {ours}.{name}, got {theirs}.{found.__name__}")

    return refused


def _decoder(cls: type, name: str, fields: tuple[DataField, ...]) -> Any:
    names: dict[str, object] = {"NAME": name, "refused": refused_json, "M": MISSING, "make": _made_by(cls, fields)}
    lines = ["def decode(raw):", "    if raw.__class__ is not dict: raise refused(NAME, raw)", "    get = raw.get"]
    for i, field in enumerate(fields):
        names[f"d{i}"], names[f"z{i}"] = field.shape.decode, field.default or _required
        lines.append(f"    x{i} = get({field.hint.schema_name!r}, M)")
        lines.append(f"    x{i} = z{i}() if x{i} is M else {inline(field.shape.decode_test, f'd{i}', f'x{i}')}")
    arguments = ", ".join(f"x{i}" for i in range(len(fields)))
    return generate([*lines, f"    return make({arguments})"], "decode", names)


def _required() -> object:
    raise refused_json("", MISSING)


def _made_by(cls: type, fields: tuple[DataField, ...]) -> Any:
    return maker(cls, tuple(field.hint for field in fields))


def maker(cls: type, fields: tuple[FieldHint, ...]) -> Any:
    """A function of all fields' values that calls the constructor; what the class's own checks raise is a mismatch."""
    late = [i for i, field in enumerate(fields) if not field.init]
    arguments = [f"{field.name}=x{i}" if field.kw_only else f"x{i}" for i, field in enumerate(fields) if field.init]
    lines = [
        f"def make({', '.join(f'x{i}' for i in range(len(fields)))}):",
        f"    try: made = CLASS({', '.join(sorted(arguments, key=lambda a: '=' in a))})",
        "    except (ValueError, TypeError) as error: raise Mismatch(f'{NAME}: {error}') from error",
        *(f"    set_field(made, {fields[i].name!r}, x{i})" for i in late),
        "    return made",
    ]
    names = {"CLASS": cls, "NAME": cls.__name__, "Mismatch": Mismatch, "set_field": object.__setattr__}
    return generate(lines, "make", names)


def _typed(cls: type, fields: tuple[DataField, ...]) -> Typed:
    """Structs are what msgspec fills fastest: one and a constructor take no longer than msgspec's own dataclasses."""
    import msgspec

    parts = [field.shape.typed() for field in fields]
    columns = [
        (f"x{i}", part.annotation, _struct_field(f)) for i, (f, part) in enumerate(zip(fields, parts, strict=True))
    ]
    struct = msgspec.defstruct("Fields", columns, kw_only=True, gc=False)
    return _from_tuple(cls, struct) if _is_plain(fields, parts) else _from_struct(cls, struct, fields, parts)


def _is_plain(fields: tuple[DataField, ...], parts: list[Typed]) -> bool:
    positional = all(field.hint.init and not field.hint.kw_only for field in fields)
    return positional and all(part.expression == "@" for part in parts)


def _struct_field(field: DataField) -> Any:
    import msgspec

    default = field.default
    if default is None:
        return msgspec.field(name=field.hint.schema_name)
    return msgspec.field(name=field.hint.schema_name, default_factory=default)


def _from_tuple(cls: type, struct: Any) -> Typed:
    from msgspec.structs import astuple

    name, values = unique(), unique()
    return Typed(struct, f"{name}(*{values}(@))", {name: cls, values: astuple})


def _from_struct(cls: type, struct: Any, fields: tuple[DataField, ...], parts: list[Typed]) -> Typed:
    names: dict[str, object] = {name: value for part in parts for name, value in part.names.items()}
    names["make"] = cls if all(f.hint.init and not f.hint.kw_only for f in fields) else _made_by(cls, fields)
    arguments = ", ".join(part.of(f"s.x{i}") for i, part in enumerate(parts))
    return called(struct, generate(["def convert(s):", f"    return make({arguments})"], "convert", names))
