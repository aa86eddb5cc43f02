"""Describes the queries of a DuckDB database: the engine says what is wrong and the result's types, the tree the rest.

A query is prepared as it stands (the engine's errors then point into the author's text), its parameters get their types
from the syntax tree, and with typed NULLs in their places the engine tells the types of the result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ftl_nb.databases.decls import Analysis, DescribedField, DescribedQuery, declare, singular_pascal
from ftl_nb.databases.duckdb.faults import source_error
from ftl_nb.databases.duckdb.scratch import Scratch, scratch
from ftl_nb.databases.duckdb.types import NativeType, field_names, parse_type, read_type, scalar_text, schema_type
from ftl_nb.databases.lineage import Fact, Lineage
from ftl_nb.databases.model import DatabaseSource, PreparedQuery, Query, QueryParameter, Slot
from ftl_nb.databases.parameters import ParameterType, Use, agree, parameter_uses, unbound_uses
from ftl_nb.databases.scanner import respell, scan
from ftl_nb.databases.statement import Statement, read_statement
from ftl_nb.errors import FtlError, fail
from ftl_nb.schema import names

_PREPARE = "PREPARE ftl_query AS "
_READS = ("SELECT", "EXPLAIN")
_CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE_INTO")
# Python's values reach the engine with these types as they are; any other parameter is cast to its column's type
_SENT_AS_IS = frozenset({"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "VARCHAR", "BLOB"})


def analyse(source: DatabaseSource) -> Analysis:
    """The declarations and the prepared queries of a database.

    Raises `migration-failed`, `sql-syntax`, `sql-unknown-name`, `sql-parameter-type` or `name-collision`, at its place.
    """
    migrated = scratch(source)
    return declare(source, [_describe(migrated, source.module, query) for query in source.queries])


def _describe(migrated: Scratch, module: str, query: Query) -> DescribedQuery:
    """A query that was described before, by its text, is not described again."""
    key = (module, query.name, query.command, query.sql.text)
    known = migrated.described.get(key)
    if known is None:
        known = migrated.described[key] = _Describer(migrated, module, query).describe()
    return replace(known, query=query)


@dataclass(frozen=True, slots=True)
class _Parameter:
    written: QueryParameter
    native: NativeType
    known: ParameterType


class _Describer:
    """One query against the migrated catalogue."""

    def __init__(self, migrated: Scratch, module: str, query: Query) -> None:
        self._migrated = migrated
        self._connection = migrated.connection
        self._catalogue = migrated.catalogue
        self._module = module
        self._query = query
        self._stem = names.pascal(query.name)

    def describe(self) -> DescribedQuery:
        kind = self._prepare()
        tree = self._parse()
        statement = read_statement(tree, self._catalogue) if tree is not None else Statement(())
        parameters = self._parameters(tree, statement)
        result = self._result(statement, parameters, kind)
        facts = self._facts(statement, len(result))
        self._check_command(kind, bool(result))
        columns = self._columns(result, facts)
        described = self._described_parameters(parameters)
        prepared = self._prepared(kind, parameters, described, result, columns)
        return DescribedQuery(self._query, prepared, described, columns, self._whole_table(columns))

    def _prepare(self) -> str:
        """The statement's kind, once the engine has bound it."""
        sql = respell(self._query.sql.text, lambda name: f"${name}")
        try:
            statement = self._connection.extract_statements(sql)[0]
        except duckdb.Error as error:
            raise source_error(error, self._query.sql) from None
        kind = str(statement.type.name)
        self._check_statement(kind, statement.named_parameters)
        try:
            self._connection.execute(_PREPARE + sql)
            self._connection.execute("DEALLOCATE ftl_query")
        except duckdb.Error as error:
            raise source_error(error, self._query.sql, len(_PREPARE)) from None
        return kind

    def _check_statement(self, kind: str, parameters: set[str]) -> None:
        if kind not in (*_READS, *_CHANGES):
            fix = "queries read or change rows; make tables in a migration"
            raise self._refused(f"{kind.replace('_', ' ')} is not a query", fix)
        if any(name.isdigit() for name in parameters):
            mark = next((t for t in scan(self._query.sql.text) if t.text == "?"), None)
            place = self._query.sql.place(mark.start, mark.end) if mark else self._query.head.whole()
            raise fail("sql-syntax", place, detail="The parameter ? has no name", fix="name it: @sku")

    def _parse(self) -> exp.Expr | None:
        try:
            return self._catalogue.parse(self._query.sql.text)
        except SqlglotError:
            # the engine understood it: only what the tree would have told is unknown
            return None

    def _refused(self, detail: str, fix: str) -> FtlError:
        return fail("sql-syntax", self._query.head.whole(), detail=detail, fix=fix)

    def _parameters(self, tree: exp.Expr | None, statement: Statement) -> list[_Parameter]:
        uses: dict[str, list[Use]] = defaultdict(list)
        for use in self._uses(tree, statement):
            uses[use.name].append(use)
        return [self._parameter(p, agree(uses[p.name], self._same)) for p in self._query.parameters]

    def _uses(self, tree: exp.Expr | None, statement: Statement) -> list[Use]:
        if tree is None or not self._query.parameters:
            return []
        try:
            return [use for source in statement.sources for use in parameter_uses(source, self._catalogue)] or list(
                unbound_uses(tree, self._catalogue)
            )
        except SqlglotError:
            return list(unbound_uses(tree, self._catalogue))

    def _parameter(self, written: QueryParameter, known: ParameterType) -> _Parameter:
        place = self._query.sql.place(written.start, written.end)
        if known.conflict is not None:
            detail = f"The parameter @{written.name} is used as {known.conflict[0]} and as {known.conflict[1]}"
            fix = f"cast each use: CAST(@{written.name} AS {known.type})"
            raise fail("sql-syntax", place, detail=detail, fix=fix)
        if not known.type:
            raise fail("sql-parameter-type", place, parameter=written.name, query=self._query.name)
        return _Parameter(written, parse_type(known.type, self._connection), known)

    def _same(self, first: str, second: str) -> bool:
        return first == second or (
            scalar_text(parse_type(first, self._connection)) == scalar_text(parse_type(second, self._connection))
        )

    def _result(self, statement: Statement, parameters: list[_Parameter], kind: str) -> list[tuple[str, NativeType]]:
        """Names and types of the result columns; none for a change without RETURNING."""
        nulls = {p.written.name: f"CAST(NULL AS {p.native.text})" for p in parameters}
        if kind in _READS:
            sql = respell(self._query.sql.text, lambda name: nulls[name])
        elif statement.result is not None:
            sql = _with_nulls(statement.result, nulls).sql("duckdb")
        else:
            return []
        try:
            relation = self._connection.sql(sql)
        except duckdb.Error as error:
            raise source_error(error, self._query.sql, len(sql)) from None
        return [(str(n), read_type(t)) for n, t in zip(relation.columns, relation.types, strict=True)]

    def _facts(self, statement: Statement, count: int) -> Sequence[Fact]:
        unknown = [Fact()] * count
        if statement.result is None:
            return unknown
        try:
            tree = self._catalogue.qualified(statement.result)
            facts = [fact for _, fact in Lineage(self._catalogue, tree).outputs()]
        except SqlglotError:
            return unknown
        return facts if len(facts) == count else unknown

    def _check_command(self, kind: str, has_result: bool) -> None:
        command = self._query.command
        if command in ("one", "many") and not has_result:
            fix = "add RETURNING, or use :exec or :execrows"
            raise self._refused(f":{command} needs rows, and this {kind} gives none", fix)
        if command == "execrows" and kind in _READS:
            raise self._refused(":execrows counts changed rows, and this query changes none", "use :one or :many")

    def _columns(self, result: list[tuple[str, NativeType]], facts: Sequence[Fact]) -> tuple[DescribedField, ...]:
        fields = field_names(name for name, _ in result)
        rows = zip(fields, result, facts, strict=True)
        return tuple(self._field(n, native, fact.optional, fact.table, fact.column) for n, (_, native), fact in rows)

    def _described_parameters(self, parameters: list[_Parameter]) -> tuple[DescribedField, ...]:
        fields = field_names(p.written.name for p in parameters)
        rows = ((name, p, p.known) for name, p in zip(fields, parameters, strict=True))
        return tuple(
            self._field(name, p.native, p.written.optional or known.optional, known.table, known.column)
            for name, p, known in rows
        )

    def _field(self, name: str, native: NativeType, optional: bool, table: str, column: str) -> DescribedField:
        """A struct that is a table's column has one data for all queries, named after the column."""
        stem = singular_pascal(table) + names.pascal(column) if table else self._stem + names.pascal(name)
        type_, data = schema_type(native, self._module, stem)
        return DescribedField(name, type_, optional, table, column, data)

    def _whole_table(self, columns: tuple[DescribedField, ...]) -> str:
        table = self._catalogue.tables.get(columns[0].table.lower()) if columns else None
        if table is None or any(c.table != table.name for c in columns):
            return ""
        same = [(c.column, c.optional) for c in columns] == [(f.column, f.optional) for f in table.columns]
        return table.name if same and [c.name for c in columns] == field_names(f.column for f in table.columns) else ""

    def _prepared(
        self,
        kind: str,
        parameters: list[_Parameter],
        described: tuple[DescribedField, ...],
        result: list[tuple[str, NativeType]],
        columns: tuple[DescribedField, ...],
    ) -> PreparedQuery:
        spelling = {p.written.name: _spelled(p) for p in parameters}
        return PreparedQuery(
            verb=self._query.verb,
            command=self._query.command,
            sql=respell(self._query.sql.text, lambda name: spelling[name]),
            parameters=tuple(
                Slot(d.name, p.native.text, d.optional, p.written.name)
                for d, p in zip(described, parameters, strict=True)
            ),
            columns=tuple(Slot(c.name, t.text, c.optional, n) for c, (n, t) in zip(columns, result, strict=True)),
            writes=kind not in _READS,
        )


def _spelled(parameter: _Parameter) -> str:
    name = f"${parameter.written.name}"
    return name if parameter.native.kind in _SENT_AS_IS else f"CAST({name} AS {parameter.native.text})"


def _with_nulls(query: exp.Query, nulls: dict[str, str]) -> exp.Query:
    query = query.copy()
    for placeholder in list(query.find_all(exp.Placeholder)):
        placeholder.replace(exp.maybe_parse(nulls[placeholder.name], dialect="duckdb"))
    return query
