"""What every node shares: value semantics, its position, and its canonical text as `str(node)`.

Nodes are what frozen, slotted dataclasses are, and `dataclasses.fields` and `replace` take them for such. They are made
by a metaclass of ours, since an import of the language would otherwise be that of `dataclasses` and the compilation of
six methods for each of seventy classes: here a constructor is compiled when its class makes its first node.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeVar, dataclass_transform


class Position(NamedTuple):
    """A place in schema text: line and column start at 1, columns count characters; all empty means no position.

    A tuple, because a text has as many as it has nodes, and the garbage collector passes by tuples of plain values.
    """

    filename: str = ""
    line: int = 0
    column: int = 0

    def __bool__(self) -> bool:
        return bool(self.filename or self.line or self.column)

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}"
        return f"{self.filename}:{place}" if self.filename else place


NOWHERE = Position()


class Visibility(IntEnum):
    """How far a declaration reaches: its own module, its realm, or other realms too."""

    NONE = 0
    MODULE = 1
    REALM = 2

    @property
    def word(self) -> str:
        """The words written before the declaration."""
        return _VISIBILITY_WORDS[self]


_VISIBILITY_WORDS = {Visibility.NONE: "", Visibility.MODULE: "export", Visibility.REALM: "export realm"}


class Part(NamedTuple):
    """A field of a node. `aside` ones are given by keyword alone and take no part in equality and `repr`."""

    name: str
    type: object
    default: Any
    aside: bool


MISSING: Any = object()


class _Aside(NamedTuple):
    default: Any


def aside(*, default: Any, kw_only: bool = True) -> Any:
    """The default of a field that takes no part in what a node is; type checkers read `kw_only`."""
    return _Aside(default)


@dataclass_transform(frozen_default=True, field_specifiers=(aside,))
class StructType(type):
    """Makes the annotations of a class its fields. Defaults must be immutable values."""

    parts: tuple[Part, ...]

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> "StructType":
        own = tuple(_parts(namespace))
        rest = {key: value for key, value in namespace.items() if key not in {part.name for part in own}}
        made = super().__new__(mcls, name, bases, {**rest, "__slots__": tuple(part.name for part in own)})
        made.parts = (*(part for base in bases for part in getattr(base, "parts", ())), *own)
        shown = [part.name for part in made.parts if not part.aside]
        members: dict[str, Any] = {
            "__init__": _first_time,
            "__match_args__": tuple(shown),
            "_compared": staticmethod(attrgetter(*shown) if shown else _nothing),
        }
        for key, value in members.items():
            setattr(made, key, value)
        return made


class _Fields:
    """The fields of a node, and of its class, as `dataclasses` has them."""

    def __get__(self, instance: object, cls: StructType) -> Mapping[str, Any]:
        return _dataclass_fields(cls)


def _parts(namespace: Mapping[str, Any]) -> Iterator[Part]:
    for name, annotation in namespace.get("__annotations__", {}).items():
        if "ClassVar" not in str(annotation):
            default = namespace.get(name, MISSING)
            is_aside = isinstance(default, _Aside)
            yield Part(name, annotation, default.default if is_aside else default, is_aside)


def _first_time(self: "Struct", *values: Any, **named: Any) -> None:
    """Stands for the constructor of a class until it makes its first node."""
    cls: Any = type(self)
    cls.__init__ = _constructor(cls.parts)
    cls.__init__(self, *values, **named)


def _constructor(parts: tuple[Part, ...]) -> Callable[..., None]:
    values = {f"_{part.name}": part.default for part in parts if part.default is not MISSING}
    plain, named = ([part for part in parts if part.aside is only] for only in (False, True))
    parameters = ["self", *map(_parameter, plain), *(["*", *map(_parameter, named)] if named else [])]
    body = "".join(f"\n _set(self, {part.name!r}, {part.name})" for part in parts) or "\n pass"
    names: dict[str, Any] = {**values, "_set": object.__setattr__}
    exec(f"def __init__({', '.join(parameters)}):{body}", names)
    constructor: Callable[..., None] = names["__init__"]
    return constructor


def _parameter(part: Part) -> str:
    return part.name if part.default is MISSING else f"{part.name}=_{part.name}"


def _nothing(value: object) -> tuple[()]:
    return ()


@cache
def _dataclass_fields(cls: StructType) -> Mapping[str, Any]:
    from dataclasses import field, make_dataclass

    described = []
    for part in cls.parts:
        default: dict[str, Any] = {} if part.default is MISSING else {"default": part.default}
        shown = not part.aside
        described.append((part.name, part.type, field(kw_only=part.aside, compare=shown, repr=shown, **default)))
    made: Any = make_dataclass(cls.__name__, described, init=False, repr=False, eq=False)
    fields: Mapping[str, Any] = made.__dataclass_fields__
    return fields


class Struct(metaclass=StructType):
    """Value semantics of a frozen dataclass.

    `unknown` is what a protobuf message held of fields that this version does not know. It is kept with the node, so
    that it moves, is replaced and is dropped with it.
    """

    unknown: bytes = aside(default=b"", kw_only=True)
    _compared: ClassVar[Callable[[Any], Any]]
    __match_args__: ClassVar[tuple[str, ...]]
    __dataclass_fields__: ClassVar[Any] = _Fields()

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return bool(type(self)._compared(self) == type(self)._compared(other))

    def __hash__(self) -> int:
        return hash((type(self), type(self)._compared(self)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__name__}({shown})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise _frozen(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise _frozen(f"cannot delete field {name!r}")

    def __getstate__(self) -> tuple[object, ...]:
        return tuple(getattr(self, part.name) for part in type(self).parts)

    def __setstate__(self, state: tuple[object, ...]) -> None:
        for part, value in zip(type(self).parts, state, strict=True):
            object.__setattr__(self, part.name, value)


_S = TypeVar("_S", bound=Struct)


def replaced(node: _S, updates: Mapping[str, Any]) -> _S:
    """The node with other values in some fields, as `dataclasses.replace` makes it."""
    kept = {part.name: getattr(node, part.name) for part in type(node).parts if part.name not in updates}
    return type(node)(**kept, **updates)


def _frozen(sentence: str) -> AttributeError:
    from dataclasses import FrozenInstanceError

    return FrozenInstanceError(sentence)


class Node(Struct):
    """A part of a schema. Immutable and hashable; positions take no part in equality."""

    pos: Position = aside(default=NOWHERE, kw_only=True)

    def __str__(self) -> str:
        from ftl_nb.schema.printing import text

        return text(self)
