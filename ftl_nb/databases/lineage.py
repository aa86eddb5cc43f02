"""Where the columns of a query come from and whether they can be NULL, read off its syntax tree.

Engines tell result types; none tells nullability through joins and expressions, and some tell nothing of parameters.
Every answer errs towards "can be NULL" and "type unknown".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from ftl_nb.databases.scanner import respell

PARAMETER_MARK = "@"


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of an expression: the engine's type as text ("" unknown), if it can be NULL, the column it is."""

    type: str = ""
    optional: bool = True
    table: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the migrated database: its columns in order, as facts. A view has its `definition` instead."""

    name: str
    columns: tuple[Fact, ...] = ()
    definition: str = ""

    def column(self, name: str) -> Fact | None:
        return next((c for c in self.columns if c.column.lower() == name.lower()), None)


@dataclass
class Catalogue:
    """The tables and views of a migrated database, by lower-case name; `dialect` is sqlglot's word for the engine."""

    dialect: str
    tables: Mapping[str, Table]
    schema: MappingSchema = field(init=False)

    def __post_init__(self) -> None:
        mapping: dict[str, object] = {
            t.name: {c.column: "VARCHAR" for c in t.columns} for t in self.tables.values() if t.columns
        }
        self.schema = MappingSchema(mapping, dialect=self.dialect)

    def parse(self, sql: str) -> exp.Expr:
        """The tree of one statement, its `@name` parameters as placeholders. Raises SqlglotError."""
        masked = respell(sql, lambda name: f'"{PARAMETER_MARK}{name}"')
        tree = sqlglot.parse_one(masked, dialect=self.dialect)
        for column in list(tree.find_all(exp.Column)):
            if column.name.startswith(PARAMETER_MARK):
                column.replace(exp.Placeholder(this=column.name.removeprefix(PARAMETER_MARK)))
        return tree

    def qualified(self, tree: exp.Query) -> exp.Expr:
        """The query with every column bound to its source and every star written out. Raises SqlglotError."""
        return qualify(
            tree,
            schema=self.schema,
            dialect=self.dialect,
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )

    def view(self, table: Table) -> Mapping[str, Fact]:
        """The columns of a view, each as itself: a view's column is no table's."""
        select = self.parse(table.definition).find(exp.Query)
        facts = Lineage(self, self.qualified(select)).outputs() if select is not None else ()
        return {name.lower(): replace(fact, table="", column="") for name, fact in facts}


_NEVER_NULL = (
    exp.Count, exp.Literal, exp.Boolean, exp.Exists, exp.Is, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Array,
    exp.Struct, exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.Rand, exp.Uuid, exp.Concat, exp.Star,
)  # fmt: skip
_NULL_BY_OPERAND = (
    exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not,
    exp.DPipe, exp.Like, exp.ILike, exp.Between, exp.Lower, exp.Upper, exp.Length, exp.Trim, exp.Abs, exp.Round,
    exp.Ceil, exp.Floor, exp.Substring, exp.Replace, exp.Extract, exp.Year, exp.Month, exp.Day, exp.DateTrunc,
    exp.TimestampTrunc, exp.Cast, exp.Interval, exp.Paren,
)  # fmt: skip
_AGGREGATES = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.AnyValue, exp.First, exp.ArrayAgg, exp.GroupConcat, exp.Median)
_KEEPS_TYPE = (exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Neg, exp.Abs)
_TEXT = (exp.Lower, exp.Upper, exp.Trim, exp.Concat, exp.DPipe, exp.Substring, exp.Replace)
_WHOLE_NUMBER = (
    exp.Count,
    exp.Length,
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.Extract,
    exp.Year,
    exp.Month,
    exp.Day,
)
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT"})
_REAL = frozenset({"FLOAT", "REAL", "DOUBLE"})
_TRUTH = (exp.Predicate, exp.Connector, exp.Not, exp.Boolean)


class Lineage:
    """The facts of one qualified query."""

    def __init__(self, catalogue: Catalogue, tree: exp.Expr) -> None:
        self._catalogue = catalogue
        self._tree = tree
        self._scopes = {id(scope.expression): scope for scope in traverse_scope(tree)}
        self._outputs: dict[int, tuple[tuple[str, Fact], ...]] = {}

    def outputs(self) -> tuple[tuple[str, Fact], ...]:
        """The result columns in order: name and fact."""
        return self._outputs_of(self._tree)

    def fact(self, node: exp.Expr | None) -> Fact:
        """What is known of an expression of the query."""
        match node:
            case exp.Column():
                return self._column(node)
            case exp.Paren() | exp.Alias() | exp.Filter():
                return self.fact(node.this)
            case exp.Coalesce():
                return self._first_not_null([node.this, *node.expressions])
            case exp.Case() | exp.If():
                return self._branches(node)
            case exp.Subquery() | exp.Select():
                return self._scalar(node)
            case exp.Placeholder():
                return Fact(optional=False)
            case None:
                return Fact()
        return Fact(self._type(node), self._optional(node))

    def _outputs_of(self, query: exp.Expr) -> tuple[tuple[str, Fact], ...]:
        query = query.unnest() if isinstance(query, exp.Subquery) else query
        if id(query) not in self._outputs:
            self._outputs[id(query)] = ()  # a recursive reference adds nothing to what the other branch says
            self._outputs[id(query)] = tuple(self._read_outputs(query))
        return self._outputs[id(query)]

    def _read_outputs(self, query: exp.Expr) -> Iterator[tuple[str, Fact]]:
        if isinstance(query, exp.SetOperation):
            yield from self._either(self._outputs_of(query.left), self._outputs_of(query.right))
        elif isinstance(query, exp.Select):
            for projection in query.selects:
                fact = self.fact(projection)
                yield projection.alias_or_name, replace(fact, optional=True) if _has_subtotals(query) else fact

    @staticmethod
    def _either(left: Iterable[tuple[str, Fact]], right: Iterable[tuple[str, Fact]]) -> Iterator[tuple[str, Fact]]:
        for (name, a), (_, b) in zip(left, right, strict=False):
            same = (a.table, a.column) == (b.table, b.column)
            origin = (a.table, a.column) if same else ("", "")
            yield name, Fact(a.type if a.type == b.type else "", a.optional or b.optional, *origin)

    def _column(self, column: exp.Column) -> Fact:
        scope = self._scope_of(column)
        while scope is not None and column.table not in scope.sources:
            scope = scope.parent
        if scope is None:
            return Fact()
        fact = self._from_source(scope.sources[column.table], column.name)
        present = (column.table, column.name) in _asserted(scope.expression)
        return replace(fact, optional=(fact.optional or column.table in _outer(scope.expression)) and not present)

    def _scope_of(self, node: exp.Expr) -> Scope | None:
        parent = node.parent
        while parent is not None and id(parent) not in self._scopes:
            parent = parent.parent
        return self._scopes.get(id(parent)) if parent is not None else None

    def _from_source(self, source: exp.Expr | Scope, name: str) -> Fact:
        if isinstance(source, Scope):
            facts = {n.lower(): f for n, f in self._outputs_of(source.expression)}
            return facts.get(name.lower(), Fact())
        table = self._catalogue.tables.get(source.name.lower()) if not source.args.get("db") else None
        if table is None:
            return Fact()
        fact = table.column(name) or Fact()
        return self._through_view(table, name, fact) if table.definition else fact

    def _through_view(self, table: Table, name: str, fact: Fact) -> Fact:
        inner = self._catalogue.view(table).get(name.lower(), Fact())
        return Fact(fact.type, inner.optional)

    def _first_not_null(self, nodes: list[exp.Expr]) -> Fact:
        facts = [self.fact(node) for node in nodes]
        if facts[0] and not facts[0].optional:
            return facts[0]
        typed = next((f.type for f in facts if f.type), "")
        return Fact(typed, all(f.optional for f in facts))

    def _branches(self, node: exp.Case | exp.If) -> Fact:
        nodes = (
            [i.args["true"] for i in node.args.get("ifs", ())] if isinstance(node, exp.Case) else [node.args["true"]]
        )
        nodes.append(node.args.get("default" if isinstance(node, exp.Case) else "false"))
        facts = [self.fact(n) for n in nodes]
        return Fact(next((f.type for f in facts if f.type), ""), any(f.optional for f in facts))

    def _scalar(self, node: exp.Expr) -> Fact:
        outputs = self._outputs_of(node)
        # a subquery without a row is NULL; only an aggregate without GROUP BY always has one
        return Fact(outputs[0][1].type if outputs else "", not _is_count(node.unnest()))

    def _type(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Cast):
            return node.to.sql(self._catalogue.dialect)
        if isinstance(node, exp.Literal):
            return "VARCHAR" if node.is_string else "BIGINT" if node.is_int else "DOUBLE"
        if isinstance(node, _KEEPS_TYPE):
            return self.fact(node.this).type
        if isinstance(node, exp.Add | exp.Sub | exp.Mul):
            return self._arithmetic(node)
        words = ((_TEXT, "VARCHAR"), (_WHOLE_NUMBER, "BIGINT"), (_TRUTH, "BOOLEAN"))
        return next((word for kinds, word in words if isinstance(node, kinds)), "")

    def _arithmetic(self, node: exp.Binary) -> str:
        types = {self.fact(node.this).type.upper(), self.fact(node.expression).type.upper()}
        if types <= _WHOLE | _REAL:
            return "DOUBLE" if types & _REAL else "BIGINT"
        return ""

    def _optional(self, node: exp.Expr) -> bool:
        if isinstance(node, exp.TryCast):
            return True
        if isinstance(node, exp.Window):
            return not isinstance(node.this, _NEVER_NULL)
        if isinstance(node, exp.In):
            return bool(node.args.get("query")) or self._any_optional(node)
        if isinstance(node, _AGGREGATES):
            return not _is_grouped(node) or self.fact(node.this).optional
        if isinstance(node, exp.Div | exp.Mod | exp.IntDiv):
            return not _is_nonzero(node.expression) or self.fact(node.this).optional
        if isinstance(node, exp.Anonymous):
            return node.name.lower() not in ("now", "today")
        return not isinstance(node, _NEVER_NULL) and (
            not isinstance(node, _NULL_BY_OPERAND) or self._any_optional(node)
        )

    def _any_optional(self, node: exp.Expr) -> bool:
        operands = (n for n in node.iter_expressions() if not isinstance(n, exp.DataType | exp.Var | exp.Identifier))
        return any(self.fact(operand).optional for operand in operands)


def _is_count(query: exp.Expr) -> bool:
    if not isinstance(query, exp.Select) or query.args.get("group") or query.args.get("limit"):
        return False
    return isinstance(query.selects[0].unalias(), exp.Count)


def _has_subtotals(select: exp.Select) -> bool:
    group = select.args.get("group")
    return group is not None and group.find(exp.Rollup, exp.Cube, exp.GroupingSets) is not None


def _is_grouped(node: exp.Expr) -> bool:
    select = node.find_ancestor(exp.Select)
    group = select.args.get("group") if select is not None else None
    filtered = isinstance(node.parent, exp.Filter)
    return group is not None and bool(group.expressions) and not filtered


def _is_nonzero(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and float(node.name) != 0


def _outer(select: exp.Expr) -> set[str]:
    """The sources of a select that an outer join may leave without a row."""
    first = select.args.get("from_")
    seen = [first.this.alias_or_name] if first is not None else []
    without: set[str] = set()
    for join in select.args.get("joins") or ():
        if join.side in ("RIGHT", "FULL"):
            without.update(seen)
        if join.side in ("LEFT", "FULL"):
            without.add(join.this.alias_or_name)
        seen.append(join.this.alias_or_name)
    return without


def _asserted(select: exp.Expr) -> set[tuple[str, str]]:
    """The columns of which the WHERE clause says `IS NOT NULL`."""
    where = select.args.get("where")
    conditions = (
        where.this.flatten() if where is not None and isinstance(where.this, exp.And) else [where and where.this]
    )
    found: set[tuple[str, str]] = set()
    for condition in conditions:
        match condition:
            case exp.Not(this=exp.Is(this=exp.Column() as column, expression=exp.Null())):
                found.add((column.table, column.name))
    return found
