"""The grammar as functions, for texts that fit it: no faults are kept, so it is many times faster than the engine.

A text that does not fit is given to the engine, which says why. Both read the same parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftl_nb.schema.text import engine
from ftl_nb.schema.text.captures import Captured, Captures
from ftl_nb.schema.text.engine import Part
from ftl_nb.schema.text.lexer import ELIDED, Kind, Source
from ftl_nb.schema.text.state import Mismatch

#: Reads from an index of all tokens on, adds the values, and gives the index behind, -1 where the part does not match.
Matcher = Callable[[Source, int, list[Any]], int]


_MADE: dict[int, Matcher] = {}
_PARTS: list[Part] = []  # those of the identities above live on


def matched(rule: engine.Rule, source: Source) -> Any:
    """The node of a whole text; None when it does not fit."""
    values: list[Any] = []
    end = matcher(rule)(source, 0, values)
    fits = end >= 0 and source.kinds[source.following[end]] is Kind.EOF
    return values[0] if fits else None


def matcher(part: Part) -> Matcher:
    """The function of a part, made once. A rule's is made at its first use: rules contain each other."""
    if (found := _MADE.get(id(part))) is None:
        found = _MAKERS[type(part)](part)
        _MADE[id(part)] = found
        _PARTS.append(part)
    return found


def _word(part: engine.Word) -> Matcher:
    word = part.value

    def match(source: Source, raw: int, values: list[Any]) -> int:
        index = source.following[raw]
        if source.values[index] != word:
            return -1
        values.append(word)
        return index + 1

    return match


def _blank(part: engine.Word) -> Matcher:
    def match(source: Source, raw: int, values: list[Any]) -> int:
        for index in range(raw, source.following[raw]):
            if source.values[index] == " ":
                values.append(" ")
                return index + 1
        return -1

    return match


def _of(part: engine.Of) -> Matcher:
    kind, skipped = part.kind, part.kind in ELIDED

    def match(source: Source, raw: int, values: list[Any]) -> int:
        last = source.following[raw]
        for index in range(raw, last + 1) if skipped else (last,):
            if source.kinds[index] is kind:
                values.append(source.values[index])
                return index + 1
        return -1

    return match


def _seq(part: engine.Seq) -> Matcher:
    first, *rest = (matcher(each) for each in part.parts)

    def match(source: Source, raw: int, values: list[Any]) -> int:
        before = len(values)
        if (raw := first(source, raw, values)) < 0:
            return -1
        for each in rest:
            raw = each(source, raw, values)
            if raw < 0:
                del values[before:]
                return -1
        return raw

    return match


def _alt(part: engine.Alt) -> Matcher:
    choose = part.choose
    # Made at the first use: a rule's parts may hold the rule.
    every: list[Matcher] = []

    def match(source: Source, raw: int, values: list[Any]) -> int:
        only = choose(source, raw) if choose else None
        if only is not None:
            return matcher(only)(source, raw, values)
        if not every:
            every.extend(matcher(each) for each in (*part.silent, *part.parts))
        for each in every:
            end = each(source, raw, values)
            if end >= 0:
                return end
        return -1

    return match


def _repeat(part: engine.Repeat) -> Matcher:
    each, least, most = matcher(part.part), part.least, part.most

    def match(source: Source, raw: int, values: list[Any]) -> int:
        before, count = len(values), 0
        while count < most and (end := each(source, raw, values)) >= 0:
            raw, count = end, count + 1
        if count < least:
            del values[before:]
            return -1
        return raw

    return match


def _not(part: engine.Not) -> Matcher:
    inner = matcher(part.part)

    def match(source: Source, raw: int, values: list[Any]) -> int:
        index = source.following[raw]
        if source.kinds[index] is Kind.EOF or inner(source, raw, []) >= 0:
            return -1
        values.append(source.values[index])
        return index + 1

    return match


def _not_before(part: engine.NotBefore) -> Matcher:
    inner = matcher(part.part)
    return lambda source, raw, values: -1 if inner(source, raw, []) >= 0 else raw


def _when(part: engine.When) -> Matcher:
    inner = matcher(part.part)
    return lambda source, raw, values: inner(source, raw, values) if part.begins(source, raw) else -1


def _capture(part: engine.Capture) -> Matcher:
    name, inner = part.name, matcher(part.part)

    def match(source: Source, raw: int, values: list[Any]) -> int:
        own: list[Any] = []
        end = inner(source, raw, own)
        if end >= 0:
            values.append(Captured(name, own, raw))
        return end

    return match


def _rule(part: engine.Rule) -> Matcher:
    build, identity = part.build, id(part)
    inner: list[Matcher] = []

    def match(source: Source, raw: int, values: list[Any]) -> int:
        if not inner:
            inner.append(matcher(part.part))
        if (identity, raw) in source.failed:
            return -1
        own: list[Any] = []
        end = inner[0](source, raw, own)
        if end < 0:
            source.failed.add((identity, raw))
            return -1
        try:
            values.append(build(Captures(own, source, source.position(source.following[raw]))))
        except Mismatch:
            return -1
        return end

    return match


_MAKERS: dict[type[Any], Callable[[Any], Matcher]] = {
    engine.Word: lambda part: _blank(part) if part.value == " " else _word(part),
    engine.Of: _of,
    engine.Seq: _seq,
    engine.Alt: _alt,
    engine.Repeat: _repeat,
    engine.Required: lambda part: matcher(part.part),
    engine.Not: _not,
    engine.NotBefore: _not_before,
    engine.When: _when,
    engine.Capture: _capture,
    engine.Rule: _rule,
    engine.Sub: lambda part: matcher(part.rule),
}
