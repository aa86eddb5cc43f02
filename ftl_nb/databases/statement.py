"""A statement as queries: INSERT, UPDATE and DELETE are read as the selects they contain.

What a parameter is assigned to and what RETURNING gives are then questions about a select, answered in one way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from ftl_nb.databases.lineage import Catalogue, Fact, Table


@dataclass(frozen=True, slots=True)
class Source:
    """A select, not yet qualified; its projection `i` is assigned to `targets[i]` where there are targets."""

    query: exp.Query
    targets: tuple[Fact | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """The selects that parameters stand in, and the one that gives the result (None: no result)."""

    sources: tuple[Source, ...]
    result: exp.Query | None = None


def read_statement(tree: exp.Expr, catalogue: Catalogue) -> Statement:
    """The statement's selects; a kind of statement that is not known here has none."""
    match tree:
        case exp.Query():
            return Statement((Source(tree),), tree)
        case exp.Insert():
            return Statement(tuple(_insert(tree, catalogue)), _returning(tree))
        case exp.Update():
            return Statement((_update(tree, catalogue),), _returning(tree))
        case exp.Delete():
            return Statement((_delete(tree),), _returning(tree))
    return Statement(())


def _target(tree: exp.Expr) -> exp.Table:
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    assert isinstance(target, exp.Table)
    return target.copy()


def _table(tree: exp.Expr, catalogue: Catalogue) -> Table:
    name = _target(tree).name
    return catalogue.tables.get(name.lower()) or Table(name)


def _returning(tree: exp.Expr) -> exp.Query | None:
    returning = tree.args.get("returning")
    if returning is None:
        return None
    return exp.select(*(e.copy() for e in returning.expressions)).from_(_target(tree))


def _insert(tree: exp.Insert, catalogue: Catalogue) -> Iterator[Source]:
    table = _table(tree, catalogue)
    listed = [i.name for i in tree.this.expressions] if isinstance(tree.this, exp.Schema) else None
    targets = tuple(table.column(n) for n in listed) if listed is not None else table.columns
    values = tree.expression
    if isinstance(values, exp.Values):
        for row in values.expressions:
            yield Source(exp.select(*(e.copy() for e in row.expressions), copy=False), targets)
    elif isinstance(values, exp.Query):
        query = values.copy()
        if (with_ := tree.args.get("with_")) is not None:
            query.set("with_", with_.copy())
        by_name = tuple(table.column(e.alias_or_name) for e in query.selects)
        yield Source(query, by_name if tree.args.get("by_name") else targets)
    if (conflict := tree.args.get("conflict")) is not None and conflict.expressions:
        yield _conflict(tree, conflict, table)


def _conflict(tree: exp.Insert, conflict: exp.Expr, table: Table) -> Source:
    target = _target(tree)
    excluded = exp.alias_(exp.to_table(table.name), "excluded", table=True)
    query = _assigning(conflict, target).join(excluded, join_type="cross")
    for column in query.find_all(exp.Column):
        if not column.table:
            column.set("table", exp.to_identifier(target.alias_or_name))
    return Source(query, _assigned(conflict, table))


def _update(tree: exp.Update, catalogue: Catalogue) -> Source:
    query = _assigning(tree, _target(tree))
    if (from_ := tree.args.get("from_")) is not None:
        query = _joined(query, from_.this)
    return Source(_with(query, tree), _assigned(tree, _table(tree, catalogue)))


def _delete(tree: exp.Delete) -> Source:
    query = exp.select("1").from_(_target(tree))
    for other in tree.args.get("using") or ():
        query = _joined(query, other)
    return Source(_with(_where(query, tree), tree))


def _assigning(tree: exp.Expr, target: exp.Table) -> exp.Select:
    query = exp.select(*(e.expression.copy() for e in _assignments(tree))).from_(target)
    return _where(query, tree)


def _assignments(tree: exp.Expr) -> list[exp.EQ]:
    return [e for e in tree.expressions if isinstance(e, exp.EQ)]


def _assigned(tree: exp.Expr, table: Table) -> tuple[Fact | None, ...]:
    plain = (e.this if isinstance(e.this, exp.Column) else None for e in _assignments(tree))
    return tuple(table.column(c.name) if c is not None else None for c in plain)


def _joined(query: exp.Select, other: exp.Expr) -> exp.Select:
    relation = other.copy()
    joins = relation.args.pop("joins", None) or []
    query = query.join(relation, join_type="cross")
    for join in joins:
        query.append("joins", join)
    return query


def _where(query: exp.Select, tree: exp.Expr) -> exp.Select:
    where = tree.args.get("where")
    return query.where(where.this.copy()) if where is not None else query


def _with(query: exp.Select, tree: exp.Expr) -> exp.Select:
    if (with_ := tree.args.get("with_")) is not None:
        query.set("with_", with_.copy())
    return query
