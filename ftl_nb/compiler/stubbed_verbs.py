"""The typed client of a verb, as the text of a class in a stub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ftl_nb import schema
from ftl_nb.binding.classes import python_fields
from ftl_nb.binding.finder import query_parameter
from ftl_nb.compiler.stubbed_types import Scope, TypeTexts, docstring
from ftl_nb.schema.names import pascal, snake


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    type: str
    optional: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.type}" + (" = ..." if self.optional else "")


def verb_lines(verb: schema.Verb, types: TypeTexts) -> Iterator[str]:
    """A class for the verb and the name that is its instance."""
    client = f"_{pascal(verb.name)}Verb"
    query = next((m for m in verb.metadata if isinstance(m, schema.MetadataSQLQuery)), None)
    signatures = list(_signatures(verb, types) if query is None else _query_signatures(verb, query, types))
    response = types.text(verb.response)
    yield f"class {client}:"
    yield from docstring(verb.comments)
    yield from _method("def __call__", signatures, response, types)
    yield from _method("async def aio", signatures, response, types)
    yield f"    def with_timeout(self, seconds: {types.builtin('float')}) -> {types.of('_typing.Self')}: ..."
    if not isinstance(verb.request, schema.Unit):
        requests = f"{types.of('_abc.Iterable')}[{_given(verb.request, types)}]"
        yield f"    def map(self, requests: {requests}) -> {types.builtin('list')}[{response}]: ..."
    if query is not None and query.command == "many":
        yield from _method("def arrow", signatures, types.of("_pyarrow.Table"), types)
        yield from _method("def df", signatures, types.of("_pandas.DataFrame"), types)
    yield f"{snake(verb.name)}: {client}"


def _method(head: str, signatures: list[str], response: str, types: TypeTexts) -> Iterator[str]:
    for signature in signatures:
        if len(signatures) > 1:
            yield f"    @{types.of('_typing.overload')}"
        yield f"    {head}({signature}) -> {response}: ..."


def _signatures(verb: schema.Verb, types: TypeTexts) -> Iterator[str]:
    injected = f"**injected: {types.of('_typing.Any')}"
    if isinstance(verb.request, schema.Unit):
        yield f"self, {injected}"
        return
    fields = _fields(verb.request, types)
    yield f"self, request: {_given(verb.request, types)}, {'/, ' if fields != [] else ''}{injected}"
    if fields is None:
        yield f"self, **fields: {types.of('_typing.Any')}"
    elif fields:
        yield f"{_receiver(fields)}, *, {', '.join(map(str, fields))}"


def _given(request: schema.Type, types: TypeTexts) -> str:
    """What a caller hands over: for a stream its values, its batches, or whatever Arrow can read."""
    if not isinstance(request, schema.Stream):
        return types.text(request)
    values = f"{types.of('_abc.Iterable')}[{types.text(request.element)}]"
    return f"{values} | {types.of('_ftl_nb.ArrowReadable')}"


def _query_signatures(verb: schema.Verb, query: schema.MetadataSQLQuery, types: TypeTexts) -> Iterator[str]:
    if isinstance(verb.request, schema.Unit):
        yield "self"
        return
    fields = _fields(verb.request, types)
    if fields is not None and not fields:
        yield f"self, {query_parameter(query.query)}: {types.text(verb.request)}"
        return
    yield f"self, request: {types.text(verb.request)}, /"
    if fields:
        yield ", ".join([_receiver(fields), *map(str, _positional(fields))])


def _receiver(fields: list[_Parameter]) -> str:
    return "_self" if any(field.name == "self" for field in fields) else "self"


def _positional(fields: list[_Parameter]) -> list[_Parameter]:
    """Only the last ones may be left out where arguments go by position."""
    required = max((i for i, f in enumerate(fields) if not f.optional), default=-1)
    return [_Parameter(f.name, f.type, f.optional and i > required) for i, f in enumerate(fields)]


def _fields(request: schema.Type, types: TypeTexts) -> list[_Parameter] | None:
    """The fields of a request that is a data; empty for any other type, None for a type of another module."""
    if not isinstance(request, schema.Ref):
        return []
    if request.module not in ("", types.module.name):
        return None
    data = types.module.decl(request.name)
    if not isinstance(data, schema.Data):
        return []
    arguments = [types.text(argument) for argument in request.type_parameters]
    scope = Scope(parameters=dict(zip((p.name for p in data.type_parameters), arguments, strict=False)))
    return [_Parameter(f.name, types.text(f.field.type, scope), f.optional) for f in python_fields(data)]
