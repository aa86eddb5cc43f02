"""The schema declarations of a database, made from what its engine's analysis found out about each query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ftl_nb import schema
from ftl_nb.databases.model import DatabaseSource, PreparedQuery, Query, migrations_digest
from ftl_nb.databases.scanner import collapse
from ftl_nb.errors import fail
from ftl_nb.schema import Decl, Type, names


@dataclass(frozen=True, slots=True)
class DescribedField:
    """A parameter or a result column as the schema has it: `type` without its `?`, its column, the data it needs."""

    name: str
    type: Type
    optional: bool = False
    table: str = ""
    column: str = ""
    data: tuple[schema.Data, ...] = ()

    def full_type(self) -> Type:
        return schema.Optional(self.type) if self.optional else self.type

    def to_field(self) -> schema.Field:
        origin = (schema.MetadataSQLColumn(self.table, self.column),) if self.table else ()
        return schema.Field(self.name, self.full_type(), origin)


@dataclass(frozen=True, slots=True)
class DescribedQuery:
    """What an engine says of a query. `whole_table`: the table whose columns, all and in order, are the result."""

    query: Query
    prepared: PreparedQuery
    parameters: tuple[DescribedField, ...] = ()
    columns: tuple[DescribedField, ...] = ()
    whole_table: str = ""


@dataclass(frozen=True, slots=True)
class Analysis:
    """A database, analysed: its declarations, and what its process needs to answer them.

    `keywords`: the keyword of each verb with one parameter, by the verb's schema name.
    """

    decls: tuple[Decl, ...]
    queries: tuple[PreparedQuery, ...]
    keywords: Mapping[str, str] = field(default_factory=dict)


def declare(source: DatabaseSource, described: list[DescribedQuery]) -> Analysis:
    """Raises `name-collision` when two declarations of the database have one name."""
    digest = migrations_digest(source.migrations)
    metadata = (schema.MetadataSQLMigration(digest),) if source.migrations else ()
    decls: dict[str, Decl] = {}
    for decl in (schema.Database(source.name, source.engine, metadata), *_query_decls(source, described)):
        first = decls.setdefault(decl.name, decl)
        if first != decl:
            raise _collision(source, described, first, decl)
    keywords = {d.query.verb: d.prepared.parameters[0].source for d in described if len(d.parameters) == 1}
    return Analysis(tuple(decls.values()), tuple(d.prepared for d in described), keywords)


def _collision(source: DatabaseSource, described: list[DescribedQuery], first: Decl, second: Decl) -> Exception:
    places = {d.query.position: d.query.head.whole() for d in described}
    one, other = (f"{type(d).__name__.lower()} {d.name}" for d in (first, second))
    place = places.get(second.pos)
    return fail("name-collision", place, first=one, second=other, name=second.name, module=source.module)


def _query_decls(source: DatabaseSource, described: list[DescribedQuery]) -> Iterator[Decl]:
    for d in described:
        for part in (*d.parameters, *(d.columns if d.prepared.command in ("one", "many") else ())):
            yield from part.data
        request, request_data = _request(source.module, d)
        response, response_data = _response(source.module, d)
        yield from (*request_data, *response_data)
        query, metadata = d.query, _metadata(source, d)
        yield schema.Verb(query.verb, request, response, metadata=metadata, comments=query.comments, pos=query.position)


def _metadata(source: DatabaseSource, d: DescribedQuery) -> tuple[schema.Metadata, ...]:
    return (
        schema.MetadataDatabases((schema.Ref(source.module, source.name),)),
        schema.MetadataSQLQuery(d.query.command, collapse(d.query.sql.text)),
        schema.MetadataGenerated(),
    )


def _request(module: str, d: DescribedQuery) -> tuple[Type, tuple[schema.Data, ...]]:
    if not d.parameters:
        return schema.Unit(), ()
    if len(d.parameters) == 1:
        return d.parameters[0].full_type(), ()
    return _data(module, f"{names.pascal(d.query.name)}Query", d.parameters, d)


def _response(module: str, d: DescribedQuery) -> tuple[Type, tuple[schema.Data, ...]]:
    if d.query.command == "exec":
        return schema.Unit(), ()
    if d.query.command == "execrows":
        return schema.Int(), ()
    row, data = _row(module, d)
    return (row if d.query.command == "one" else schema.Array(row)), data


def _row(module: str, d: DescribedQuery) -> tuple[Type, tuple[schema.Data, ...]]:
    if len(d.columns) == 1:
        return d.columns[0].full_type(), ()
    stem = singular_pascal(d.whole_table) if d.whole_table else names.pascal(d.query.name)
    return _data(module, f"{stem}Row", d.columns, d)


def _data(
    module: str, name: str, fields: tuple[DescribedField, ...], d: DescribedQuery
) -> tuple[Type, tuple[schema.Data, ...]]:
    data = schema.Data(
        name, tuple(f.to_field() for f in fields), metadata=(schema.MetadataGenerated(),), pos=d.query.position
    )  # fmt: skip
    return schema.Ref(module, name), (data,)


_SINGULAR = (
    ("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"),
    ("ss", "ss"), ("us", "us"), ("is", "is"), ("s", ""),
)  # fmt: skip


def singular_pascal(table: str) -> str:
    """The name of one row of a table.

    >>> singular_pascal("order_items"), singular_pascal("categories"), singular_pascal("status")
    ('OrderItem', 'Category', 'Status')
    """
    *lead, last = names.words(table)
    for ending, other in _SINGULAR:
        if last.lower().endswith(ending) and len(last) > len(ending) + 1:
            last = last[: len(last) - len(ending)] + other
            break
    return names.pascal("_".join([*lead, last]))
