"""Declarations made of Python classes: value enums, aliases, and the comments that docstrings become."""

from __future__ import annotations

import inspect
from dataclasses import replace
from enum import Enum
from typing import Any

from ftl_nb import schema
from ftl_nb.schema import json

_UNWRITTEN = {str.__doc__, int.__doc__, object.__doc__, Enum.__doc__}


def comments_of(source: Any) -> tuple[str, ...]:
    """The lines of an object's own docstring; nothing for the one that `@dataclass` writes."""
    text = source.__dict__.get("__doc__") if isinstance(source, type) else source.__doc__
    if not isinstance(text, str) or text in _UNWRITTEN or _is_signature(source, text):
        return ()
    return tuple(line.rstrip() for line in inspect.cleandoc(text).splitlines())


def _is_signature(source: Any, text: str) -> bool:
    return isinstance(source, type) and text.startswith(f"{source.__name__}(") and text.endswith(")")


def value_enum(cls: type[Enum]) -> schema.Enum:
    """The enum of a StrEnum or an IntEnum; variants keep their Python names."""
    text = issubclass(cls, str)
    variants = tuple(
        schema.EnumVariant(m.name, schema.StringValue(str(m.value)) if text else schema.IntValue(int(m.value)))
        for m in cls
    )
    return schema.Enum(cls.__name__, variants, schema.String() if text else schema.Int(), comments=comments_of(cls))


def external_alias(external: json.External) -> schema.TypeAlias:
    """The alias of a type from outside: any JSON, with the name of the Python class."""
    metadata = (schema.MetadataTypeMap("python", external.native_name),)
    return schema.TypeAlias(external.name, schema.Any(), metadata=metadata)


def is_declarable(cls: Any) -> bool:
    """Whether a class can become a declaration: a dataclass, or an enum of texts or numbers."""
    return json.is_data(cls) or (isinstance(cls, type) and issubclass(cls, Enum) and issubclass(cls, (str, int)))


def origin_of(source: Any) -> str:
    """Where a class or a union of that name comes from, for an error about two of them."""
    return str(getattr(source, "__module__", "a union of this module"))


def with_visibility(decl: schema.Decl, visibility: schema.Visibility) -> schema.Decl:
    if isinstance(decl, schema.Data | schema.Enum | schema.TypeAlias):
        return replace(decl, visibility=visibility)
    return decl
