"""The grammar as functions, for texts that fit it: no faults are kept, so it is many times faster than the engine.

A text that does not fit is given to the engine, which says why. Both read the same parts. A rule needs only what its
parts capture: there the values of its words are not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftl_nb.schema.text import engine
from ftl_nb.schema.text.beginnings import beginning
from ftl_nb.schema.text.captures import Captured, Captures
from ftl_nb.schema.text.engine import Part
from ftl_nb.schema.text.lexer import ELIDED, Kind, Source
from ftl_nb.schema.text.state import Mismatch

#: Reads from an index of all tokens on, adds the values, and gives the index behind, -1 where the part does not match.
Matcher = Callable[[Source, int, list[Any]], int]


_MADE: dict[tuple[int, bool], Matcher] = {}
_PARTS: list[Part] = []  # those of the identities above live on


def matched(rule: engine.Rule, source: Source) -> Any:
    """The node of a whole text; None when it does not fit."""
    values: list[Any] = []
    end = matcher(rule, True)(source, 0, values)
    fits = end >= 0 and source.kinds[source.following[end]] is Kind.EOF
    return values[0] if fits else None


def matcher(part: Part, kept: bool) -> Matcher:
    """The function of a part, made once; `kept` says whether it adds the values of tokens that are not captured.
    A rule's is made at its first use: rules contain each other."""
    if (found := _MADE.get((id(part), kept))) is None:
        found = _MAKERS[type(part)](part, kept)
        _MADE[id(part), kept] = found
        _PARTS.append(part)
    return found


def _word(part: engine.Word, kept: bool) -> Matcher:
    word = part.value
    if word == " ":
        return _blank

    def match(source: Source, raw: int, values: list[Any]) -> int:
        index = source.following[raw]
        if source.values[index] != word:
            return -1
        if kept:
            values.append(word)
        return index + 1

    return match


def _blank(source: Source, raw: int, values: list[Any]) -> int:
    for index in range(raw, source.following[raw]):
        if source.values[index] == " ":
            values.append(" ")
            return index + 1
    return -1


def _of(part: engine.Of, kept: bool) -> Matcher:
    kind, skipped = part.kind, part.kind in ELIDED

    def match(source: Source, raw: int, values: list[Any]) -> int:
        last = source.following[raw]
        for index in range(raw, last + 1) if skipped else (last,):
            if source.kinds[index] is kind:
                values.append(source.values[index])
                return index + 1
        return -1

    return match


def _seq(part: engine.Seq, kept: bool) -> Matcher:
    first, *rest = (matcher(each, kept) for each in part.parts)

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


def _alt(part: engine.Alt, kept: bool) -> Matcher:
    choose = part.choose
    # Made at the first use: a rule's parts may hold the rule.
    every: list[Matcher] = []

    def match(source: Source, raw: int, values: list[Any]) -> int:
        only = choose(source, raw) if choose else None
        if only is not None:
            return matcher(only, kept)(source, raw, values)
        if not every:
            every.extend(_where_it_begins(each, kept) for each in (*part.silent, *part.parts))
        for each in every:
            end = each(source, raw, values)
            if end >= 0:
                return end
        return -1

    return match


def _where_it_begins(part: Part, kept: bool) -> Matcher:
    """The function of a part, called only where the next token is one that the part can begin with."""
    inner, (words, kinds, empty, known) = matcher(part, kept), beginning(part)
    if empty or not known:
        return inner

    def match(source: Source, raw: int, values: list[Any]) -> int:
        index = source.following[raw]
        begins = source.values[index] in words or source.kinds[index] in kinds
        return inner(source, raw, values) if begins else -1

    return match


def _repeat(part: engine.Repeat, kept: bool) -> Matcher:
    each, least, most = _where_it_begins(part.part, kept), part.least, part.most

    def match(source: Source, raw: int, values: list[Any]) -> int:
        before, count = len(values), 0
        while count < most and (end := each(source, raw, values)) >= 0:
            raw, count = end, count + 1
        if count < least:
            del values[before:]
            return -1
        return raw

    return match


def _not(part: engine.Not, kept: bool) -> Matcher:
    inner = matcher(part.part, False)

    def match(source: Source, raw: int, values: list[Any]) -> int:
        index = source.following[raw]
        if source.kinds[index] is Kind.EOF or inner(source, raw, []) >= 0:
            return -1
        values.append(source.values[index])
        return index + 1

    return match


def _not_before(part: engine.NotBefore, kept: bool) -> Matcher:
    inner = matcher(part.part, False)
    return lambda source, raw, values: -1 if inner(source, raw, []) >= 0 else raw


def _when(part: engine.When, kept: bool) -> Matcher:
    inner = matcher(part.part, kept)
    return lambda source, raw, values: inner(source, raw, values) if part.begins(source, raw) else -1


def _capture(part: engine.Capture, kept: bool) -> Matcher:
    if isinstance(part.part, engine.Of) and part.part.kind not in ELIDED:
        return _captured_token(part.name, part.part.kind)
    name, inner = part.name, matcher(part.part, True)

    def match(source: Source, raw: int, values: list[Any]) -> int:
        own: list[Any] = []
        end = inner(source, raw, own)
        if end >= 0:
            values.append(Captured(name, own, raw))
        return end

    return match


def _captured_token(name: str, kind: Kind) -> Matcher:
    def match(source: Source, raw: int, values: list[Any]) -> int:
        index = source.following[raw]
        if source.kinds[index] is not kind:
            return -1
        values.append(Captured(name, [source.values[index]], raw))
        return index + 1

    return match


def _rule(part: engine.Rule, kept: bool) -> Matcher:
    build, number = part.build, len(_PARTS)
    inner: list[Matcher] = []

    def match(source: Source, raw: int, values: list[Any]) -> int:
        if not inner:
            inner.append(matcher(part.part, False))
        key = raw << 16 | number
        if key in source.failed:
            return -1
        if source.read is not None and (known := source.read.get(key)):
            values.append(known[1])
            return known[0]
        own: list[Any] = []
        end = inner[0](source, raw, own)
        if end < 0:
            source.failed.add(key)
            return -1
        try:
            node = build(Captures(own, source, source.position(source.following[raw])))
        except Mismatch:
            return -1
        values.append(node)
        if source.read is not None:
            source.read[key] = end, node
        return end

    return match


_MAKERS: dict[type[Any], Callable[[Any, bool], Matcher]] = {
    engine.Word: _word,
    engine.Of: _of,
    engine.Seq: _seq,
    engine.Alt: _alt,
    engine.Repeat: _repeat,
    engine.Required: lambda part, kept: matcher(part.part, kept),
    engine.Not: _not,
    engine.NotBefore: _not_before,
    engine.When: _when,
    engine.Capture: _capture,
    engine.Rule: _rule,
    engine.Sub: lambda part, kept: matcher(part.rule, kept),
}
