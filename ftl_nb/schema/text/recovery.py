"""What else is wrong with a text behind its first fault: reading goes on at the next declaration.

The next declaration begins a line and is indented no more than the one with the fault, so that what stands inside
of the broken one is not taken for one.
"""

from __future__ import annotations

from collections.abc import Iterator

from ftl_nb.schema.text.engine import many
from ftl_nb.schema.text.grammar import DECLARED, decl_rule
from ftl_nb.schema.text.lexer import ELIDED, Kind, Source
from ftl_nb.schema.text.state import Fault, State

_MOST = 20
_ENDS = frozenset(("}", "module", "builtin", "realm", "external"))


def further_faults(source: Source, line: int) -> Iterator[Fault]:
    """The faults of declarations behind the one that a line belongs to, at most 20."""
    starts = [*_starts(source)]
    before = [index for index in starts if source.position(index).line <= line]
    found, stopped = 0, before[-1] if before else len(source.kinds)
    for index in starts:
        pos = source.position(index)
        inner = before and pos.column > source.position(before[-1]).column
        if index <= stopped or pos.line <= line or inner or found == _MOST:
            continue
        fault, stopped = _fault_from(source, index)
        if fault:
            found, line = found + 1, fault.token.line
            yield fault


def _fault_from(source: Source, index: int) -> tuple[Fault | None, int]:
    """The fault of the declarations from an index on, none where their module ends well, and where reading stopped."""
    state = State(source, index)
    many(decl_rule()).parse(state)
    token = state.peek()
    fault = state.deepest_or(Fault(token))
    ended = token.kind is Kind.EOF or token.value in _ENDS
    return None if ended and fault.token == token else fault, state.raw


def _starts(source: Source) -> Iterator[int]:
    """Where a declaration may begin: its word, first in its line, before a name."""
    first = True
    for index, kind in enumerate(source.kinds):
        if kind in ELIDED:
            first = first or "\n" in source.values[index] or kind is Kind.EOL
        else:
            word = first and kind is Kind.IDENT and source.values[index] in DECLARED
            if word and source.kinds[source.following[index + 1]] is Kind.IDENT:
                yield index
            first = False
