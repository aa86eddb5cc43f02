"""What to write instead of an annotation that has no place in a schema."""

from __future__ import annotations

import builtins
import collections.abc
import dataclasses
import datetime
import re
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, TypeVar, get_args, get_origin

from ftl_nb.schema.json import is_data, variants

_FIXES: dict[Any, str] = {
    set: "use a list",
    frozenset: "use a list",
    tuple: "use a list, or a dataclass with a field for each part",
    list: "say of what: list[str]",
    dict: "say of what: dict[str, int]",
    datetime.date: "use datetime.datetime with a timezone, or str",
    datetime.time: "use datetime.datetime with a timezone, or str",
    datetime.timedelta: "use a number of seconds: float",
    complex: "use a dataclass of two floats",
    bytearray: "use bytes",
    memoryview: "use bytes",
    collections.abc.Callable: "a function cannot be sent; call a verb instead",
    Literal: "use a StrEnum or an IntEnum",
}
_SEQUENCES = (collections.abc.Iterable, collections.abc.Mapping)


def shown(annotation: Any) -> str:
    """An annotation as its author would write it."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    return repr(annotation).replace("typing.", "").replace("collections.abc.", "")


def hidden_hint(annotation: str, namespace: Mapping[str, Any]) -> str:
    """What to write where a name of the module hides one of Python's that an annotation means; empty elsewhere."""
    words = re.findall(r"(?<![\w.])[a-z]+\b", annotation)
    hidden = next((w for w in words if hasattr(builtins, w) and not isinstance(namespace.get(w, type), type)), "")
    if not hidden:
        return ""
    return f"{hidden} is a name of this module here: write builtins.{hidden}, or name the verb otherwise"


def fix_of(annotation: Any) -> str:
    """One sentence that says what to write instead."""
    origin = get_origin(annotation) or annotation
    if type(origin).__hash__ is not None and origin in _FIXES:
        return "the keys of a dict are str or int" if origin is dict and get_args(annotation) else _FIXES[origin]
    if isinstance(origin, TypeVar):
        return f"give {origin.__name__} a type here"
    if variants(annotation) is not None:
        return _union_fix(annotation)
    if isinstance(origin, type):
        return _class_fix(origin)
    return "use a type of the table in the documentation, such as str, list[int] or a dataclass"


def _union_fix(annotation: Any) -> str:
    union = variants(annotation)
    odd = [member for member in union.members if not is_data(member)] if union else []
    if odd:
        return f"only dataclasses can be members of a union, {shown(odd[0])} is none"
    return f"give the union a name at the top level of the module: Name = {shown(annotation)}"


def _class_fix(cls: type) -> str:
    if is_data(cls):
        parameters = ", ".join("int" for _ in getattr(cls, "__parameters__", ()))
        return f"name its type arguments: {cls.__name__}[{parameters}]"
    if issubclass(cls, Enum):
        return f"derive {cls.__name__} from StrEnum or IntEnum"
    if cls in _SEQUENCES or (cls.__module__ == "collections.abc"):
        return "use list[...] or dict[str, ...]"
    if issubclass(cls, (types.ModuleType, type)):
        return "name a type"
    return _foreign_fix(cls)


def _foreign_fix(cls: type) -> str:
    own = cls.__module__.startswith("ftl_nb.modules.") or cls.__module__ == "__main__"
    if own and not dataclasses.is_dataclass(cls):
        return f"put @dataclass above class {cls.__name__}"
    return f"register it: ftl.external({cls.__name__}, encode, decode), or use a dataclass"
