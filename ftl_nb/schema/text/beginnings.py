"""What a part of the grammar can begin with, so that it need not be tried where it cannot match."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ftl_nb.schema.text import engine
from ftl_nb.schema.text.engine import Part
from ftl_nb.schema.text.lexer import ELIDED, Kind


class Beginning(NamedTuple):
    """The first token that counts has one of these values or is of one of these kinds, where the part is not empty."""

    values: frozenset[str] = frozenset()
    kinds: tuple[Kind, ...] = ()
    empty: bool = False
    """Whether the part matches nothing too."""
    known: bool = True
    """Otherwise it may begin with anything."""


_ANYTHING = Beginning(known=False)
_NOTHING = Beginning(empty=True)


def beginning(part: Part) -> Beginning:
    """What a part can begin with. No rule of a grammar begins with itself."""
    return _OF[type(part)](part)


def _word(part: engine.Word) -> Beginning:
    return _ANYTHING if part.value == " " else Beginning(frozenset((part.value,)))


def _of(part: engine.Of) -> Beginning:
    return _ANYTHING if part.kind in ELIDED else Beginning(kinds=(part.kind,))


def _seq(part: engine.Seq) -> Beginning:
    found = _NOTHING
    for each in part.parts:
        if not found.empty:
            break
        found = _either(found, beginning(each))._replace(empty=beginning(each).empty)
    return found


def _alt(part: engine.Alt) -> Beginning:
    found = Beginning()
    for each in (*part.silent, *part.parts):
        found = _either(found, beginning(each))
    return found


def _either(one: Beginning, other: Beginning) -> Beginning:
    kinds = (*one.kinds, *(kind for kind in other.kinds if kind not in one.kinds))
    return Beginning(one.values | other.values, kinds, one.empty or other.empty, one.known and other.known)


def _repeat(part: engine.Repeat) -> Beginning:
    found = beginning(part.part)
    return found._replace(empty=found.empty or part.least == 0)


_OF: dict[type[Any], Callable[[Any], Beginning]] = {
    engine.Word: _word,
    engine.Of: _of,
    engine.Seq: _seq,
    engine.Alt: _alt,
    engine.Repeat: _repeat,
    engine.Required: lambda part: beginning(part.part),
    engine.Not: lambda part: _ANYTHING,
    engine.NotBefore: lambda part: _NOTHING,
    engine.When: lambda part: Beginning(frozenset(part.values[:1])),
    engine.Capture: lambda part: beginning(part.part),
    engine.Rule: lambda part: beginning(part.part),
    engine.Sub: lambda part: beginning(part.rule),
}
