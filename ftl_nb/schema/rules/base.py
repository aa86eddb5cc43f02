"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from ftl_nb.schema.errors import Problem
from ftl_nb.schema.nodes import decls
from ftl_nb.schema.nodes.base import NOWHERE, Node, Position
from ftl_nb.schema.scope import ModuleState, Scope


class Stage(Enum):
    """When a rule is checked: on a module that knows only itself and builtin, or in its realm."""

    MODULE = auto()
    REALM = auto()
    BOTH = auto()


@dataclass(frozen=True, slots=True)
class Context:
    """Where a node stands."""

    scope: Scope
    decl: decls.Decl
    made: frozenset[str] = frozenset()
    """Names of the dead letter topics that validation itself added to the module."""

    @property
    def module(self) -> ModuleState:
        """The module being checked, in its current state."""
        return self.scope.module


Found = Iterator[tuple[str, Position]]
Check = Callable[[Any, Context], Found]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its number in the rule table, what it says, the nodes it looks at, and its check.

    The check yields a message and its position for every fault.
    """

    number: str
    says: str
    on: tuple[type[Node], ...]
    check: Check
    stage: Stage = Stage.MODULE

    def problems(self, node: Node, context: Context) -> Iterable[Problem]:
        """The faults of a node."""
        return [Problem(message, pos, self.number) for message, pos in self.check(node, context)]


def kind_of(node: Node) -> str:
    """The kind word of a declaration in messages."""
    return decls.DECL_KINDS[type(node)]


def nowhere(message: str) -> tuple[str, Position]:
    """A message without a position."""
    return message, NOWHERE
