"""A module's schema as the text of a `.pyi`: what editors and the type check see of `ftl_nb.modules.NAME`."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from ftl_nb import schema
from ftl_nb.binding.classes import member_name, python_fields, variant_class_name
from ftl_nb.compiler.stubbed_types import Scope, TypeTexts, docstring
from ftl_nb.compiler.stubbed_verbs import verb_lines
from ftl_nb.schema.names import snake

# What a type checker takes as the base of a NewType; anything else becomes a plain alias.
_SUBCLASSABLE = schema.Int | schema.Float | schema.String | schema.Bytes | schema.Time | schema.Array | schema.Map


def stub(module: schema.Module) -> str:
    """The stub's text: data as dataclasses, enums, aliases, a typed client for each verb, configs and databases.

    Declarations stand in the module's order. It type-checks with ty and `mypy --strict`.
    """
    types = TypeTexts(module)
    blocks = [list(_lines(decl, types)) for decl in module.decls]
    variables = [
        f"{_variable(name)} = {types.of('_typing.TypeVar')}({_variable(name)!r})" for name in _parameters(module)
    ]
    head = docstring(module.comments, "")
    sections = [head, types.imports(), variables, *blocks]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _lines(decl: schema.Decl, types: TypeTexts) -> Iterator[str]:
    if isinstance(decl, schema.Verb):
        return verb_lines(decl, types)
    if isinstance(decl, schema.Data | schema.Enum | schema.TypeAlias):
        return iter(()) if keyword.iskeyword(decl.name) else _type_lines(decl, types)
    return iter((f"{snake(decl.name)}: {_handle(decl, types)}",))


def _type_lines(decl: schema.Data | schema.Enum | schema.TypeAlias, types: TypeTexts) -> Iterator[str]:
    if isinstance(decl, schema.Data):
        return _data(decl, types)
    if isinstance(decl, schema.TypeAlias):
        return _alias(decl, types)
    return _value_enum(decl, types) if decl.type else _type_enum(decl, types)


def _handle(decl: schema.Decl, types: TypeTexts) -> str:
    if isinstance(decl, schema.Config | schema.Secret):
        handle = "_ftl_nb.Config" if isinstance(decl, schema.Config) else "_ftl_nb.Secret"
        return f"{types.of(handle)}[{types.text(decl.type)}]"
    return types.of("_ftl_nb.Database" if isinstance(decl, schema.Database) else "_typing.Any")


def _parameters(module: schema.Module) -> list[str]:
    return sorted({p.name for d in module.decls if isinstance(d, schema.Data) for p in d.type_parameters})


def _variable(parameter: str) -> str:
    return f"_{parameter}Variable"


def _data(decl: schema.Data, types: TypeTexts) -> Iterator[str]:
    fields = list(python_fields(decl))
    parameters = {p.name: _variable(p.name) for p in decl.type_parameters}
    scope = Scope(frozenset(f.name for f in fields), parameters)
    base = f"({types.of('_typing.Generic')}[{', '.join(parameters.values())}])" if parameters else ""
    body = docstring(decl.comments)
    for item in fields:
        default = " = None" if item.optional else ""
        if item.kw_only:
            given = "default=None, " if item.optional else ""
            default = f" = {types.of('_dataclasses.field')}({given}kw_only=True)"
        body.append(f"    {item.name}: {types.text(item.field.type, scope)}{default}")
    yield from _dataclass(f"{decl.name}{base}", body, types)


def _dataclass(head: str, body: list[str], types: TypeTexts) -> Iterator[str]:
    yield f"@{types.of('_dataclasses.dataclass')}"
    yield f"class {head}:" if body else f"class {head}: ..."
    yield from body


def _alias(decl: schema.TypeAlias, types: TypeTexts) -> Iterator[str]:
    text = types.text(decl.type)
    if isinstance(decl.type, _SUBCLASSABLE):
        yield f"{decl.name} = {types.of('_typing.NewType')}({decl.name!r}, {text})"
    else:
        yield f"{decl.name}: {types.of('_typing.TypeAlias')} = {text}"


def _value_enum(decl: schema.Enum, types: TypeTexts) -> Iterator[str]:
    number = any(isinstance(variant.value, schema.IntValue) for variant in decl.variants)
    yield f"class {decl.name}({types.of('_enum.IntEnum' if number else '_enum.StrEnum')}):"
    body = [f"    {member_name(variant)} = {variant.value.value!r}" for variant in decl.variants]
    yield from [*docstring(decl.comments), *body] or ["    ..."]


def _type_enum(decl: schema.Enum, types: TypeTexts) -> Iterator[str]:
    members = []
    for variant in decl.variants:
        name = variant_class_name(types.module, decl, variant)
        value = variant.value.value if isinstance(variant.value, schema.TypeValue) else schema.Any()
        if name == variant.name and isinstance(value, schema.Ref) and value.name == name:
            members.append(types.text(value))
        else:
            members.append(name)
            scope = Scope(frozenset({"value"}))
            yield from _dataclass(name, [f"    value: {types.text(value, scope)}"], types)
    yield f"{decl.name}: {types.of('_typing.TypeAlias')} = {' | '.join(members) or types.of('_typing.Never')}"
