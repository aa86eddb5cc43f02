"""The types of a query's parameters, for engines that do not tell them.

A parameter has the type of the column it is compared with or assigned to, of a cast around it, or of the place it
stands in (LIMIT, LIKE, a condition). Anything else is not guessed: the author writes a cast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from ftl_nb.databases.lineage import Catalogue, Fact, Lineage
from ftl_nb.databases.statement import Source


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a parameter: the fact of its counterpart (type "" where that is unknown).

    `assigned`: it becomes the counterpart's value. `tested`: the query asks whether it is NULL.
    """

    name: str
    fact: Fact
    assigned: bool = False
    tested: bool = False


@dataclass(frozen=True, slots=True)
class ParameterType:
    """What all uses of a parameter agree on. `type` "" when no use tells; `conflict` when two uses differ in type."""

    type: str = ""
    optional: bool = False
    table: str = ""
    column: str = ""
    conflict: tuple[str, str] | None = None


def parameter_uses(source: Source, catalogue: Catalogue) -> Iterator[Use]:
    """Every use of every parameter in a select. Raises SqlglotError."""
    tree = catalogue.qualified(source.query)
    yield from Uses(Lineage(catalogue, tree), tree, source.targets).all()


def unbound_uses(tree: exp.Expr, catalogue: Catalogue) -> Iterator[Use]:
    """The uses in a tree whose columns cannot be bound: casts still tell."""
    yield from Uses(Lineage(catalogue, exp.select("1")), tree, ()).all()


def agree(uses: Iterable[Use], same: Callable[[str, str], bool]) -> ParameterType:
    """What the uses of one parameter say together; `same` tells whether two engine types are one type to a caller."""
    uses = list(uses)
    typed = [use for use in uses if use.fact.type]
    tested = any(use.tested for use in uses)
    if not typed:
        return ParameterType()
    first = typed[0].fact
    other = next((u.fact.type for u in typed if not same(first.type, u.fact.type)), None)
    assigned = [use.fact.optional for use in uses if use.assigned]
    origin = next((u.fact for u in typed if u.fact.table), first)
    optional = tested or (bool(assigned) and all(assigned))
    return ParameterType(first.type, optional, origin.table, origin.column, (first.type, other) if other else None)


_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_ALIKE = (exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif, exp.Between)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.IntDiv)
_TEXTUAL = (
    exp.Like, exp.ILike, exp.SimilarTo, exp.RegexpLike, exp.DPipe, exp.Concat, exp.Lower, exp.Upper, exp.Trim,
    exp.StartsWith, exp.EndsWith, exp.StrPosition,
)  # fmt: skip
_CONDITIONS = (exp.And, exp.Or, exp.Not, exp.Where, exp.Having)
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "REAL")


def _is_tested(node: exp.Expr) -> bool:
    """`@x IS NULL`, or `COALESCE(@x, …)`: without NULL these would say nothing."""
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Cast):
        node, parent = parent, parent.parent
    return isinstance(parent, exp.Is | exp.Coalesce) and parent.this is node


class Uses:
    """Climbs from each placeholder to what says its type."""

    def __init__(self, lineage: Lineage, tree: exp.Expr, targets: tuple[Fact | None, ...]) -> None:
        self._lineage = lineage
        self._tree = tree
        self._targets = targets

    def all(self) -> Iterator[Use]:
        for node in self._tree.find_all(exp.Placeholder):
            fact, assigned = self._expected(node)
            yield Use(node.name, fact, assigned, _is_tested(node))

    def _expected(self, node: exp.Expr) -> tuple[Fact, bool]:
        if (target := self._target(node)) is not None:
            return target, True
        parent = node.parent
        if parent is None:
            return Fact(), False
        fact = self._by_operand(node, parent)
        if not fact.type and isinstance(parent, exp.Paren | exp.Alias | exp.Coalesce | exp.Case | exp.If | exp.Nullif):
            return self._expected(parent)
        return fact, False

    def _by_operand(self, node: exp.Expr, parent: exp.Expr) -> Fact:
        if isinstance(parent, exp.Cast):
            return self._lineage.fact(parent) if parent.this is node else Fact()
        if isinstance(parent, exp.Limit | exp.Offset):
            return Fact("BIGINT")
        if isinstance(parent, _TEXTUAL):
            return self._sibling(node, parent, texts_only=True)
        if isinstance(parent, (*_COMPARISONS, *_ALIKE)):
            return self._sibling(node, parent)
        if isinstance(parent, _ARITHMETIC):
            fact = self._sibling(node, parent)
            return fact if any(word in fact.type.upper() for word in _NUMBERS) else Fact()
        if isinstance(parent, _CONDITIONS) or (isinstance(parent, exp.If) and parent.this is node):
            return Fact("BOOLEAN")
        return self._in_list(node, parent)

    def _in_list(self, node: exp.Expr, parent: exp.Expr) -> Fact:
        match parent:
            case exp.In(this=this) if this is not node:
                return self._lineage.fact(this)
            case exp.In():
                query = parent.args.get("query")
                return self._first_typed(parent.expressions if query is None else [query])
            case exp.Any():
                return self._list_of(parent.parent, parent)
            case exp.Paren(parent=exp.Any() as quantifier):
                return self._list_of(quantifier.parent, quantifier)
            case exp.ArrayContains(this=this, expression=expression):
                return self._contained(this, expression, node)
        return Fact()

    def _list_of(self, comparison: exp.Expr | None, quantifier: exp.Expr) -> Fact:
        if not isinstance(comparison, _COMPARISONS):
            return Fact()
        fact = self._sibling(quantifier, comparison)
        return Fact(f"{fact.type}[]" if fact.type else "", fact.optional, fact.table, fact.column)

    def _contained(self, elements: exp.Expr, element: exp.Expr, node: exp.Expr) -> Fact:
        if node is elements:
            fact = self._lineage.fact(element)
            return Fact(f"{fact.type}[]" if fact.type else "", fact.optional, fact.table, fact.column)
        fact = self._lineage.fact(elements)
        return Fact(fact.type.removesuffix("[]") if fact.type.endswith("[]") else "")

    def _sibling(self, node: exp.Expr, parent: exp.Expr, texts_only: bool = False) -> Fact:
        fact = self._first_typed(n for n in parent.iter_expressions() if n is not node)
        if not texts_only:
            return fact
        # the counterpart of a pattern may be any text type; what is given is a text
        return Fact("VARCHAR", fact.optional, fact.table, fact.column)

    def _first_typed(self, nodes: Iterable[exp.Expr]) -> Fact:
        facts = (self._lineage.fact(n) for n in nodes if not isinstance(n, exp.Placeholder))
        return next((fact for fact in facts if fact.type), Fact())

    def _target(self, node: exp.Expr) -> Fact | None:
        """The column that the projection `node` is assigned to."""
        select = node.parent
        if not self._targets or not isinstance(select, exp.Select) or not self._gives_result(select):
            return None
        index = next((i for i, e in enumerate(select.expressions) if e is node), None)
        return self._targets[index] if index is not None and index < len(self._targets) else None

    def _gives_result(self, select: exp.Select) -> bool:
        top: exp.Expr = select
        while isinstance(top.parent, exp.SetOperation):
            top = top.parent
        return top is self._tree
