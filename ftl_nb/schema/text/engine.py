"""A backtracking parser of grammars made of small parts.

Each part's `parse` gives None when it does not match at all, a list of values when it does, and raises `Mismatch`
when it began to match and then could not go on. A part that may be left out swallows the mismatch, but the state keeps
the *deepest* fault seen: when the whole text cannot be read, the fault that got furthest is the one reported, as in
the public system. `str(part)` is the grammar text in messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from ftl_nb.schema.text.captures import Captured, Captures
from ftl_nb.schema.text.lexer import ELIDED, Kind, Source
from ftl_nb.schema.text.state import Fault, Mismatch, State


class Part(Protocol):
    """A part of a grammar."""

    def parse(self, state: State) -> list[Any] | None:
        """Values when it matches, None when it does not; raises Mismatch when it fails on the way."""


@dataclass(frozen=True, slots=True)
class Word:
    """A token of exactly this value, of whatever kind."""

    value: str

    def __str__(self) -> str:
        return f'"{self.value}"'

    def parse(self, state: State) -> list[Any] | None:
        """The value."""
        source, index = state.source, state.source.following[state.raw]
        if self.value == " ":  # the only skipped token that is ever asked for by value
            index = next((i for i in range(state.raw, index) if source.values[i] == " "), index)
        if source.values[index] != self.value or source.kinds[index] is Kind.EOF:
            return None
        state.advance(index)
        return [self.value]


@dataclass(frozen=True, slots=True)
class Of:
    """Any token of a kind; a skipped kind is looked for before the next token that counts."""

    kind: Kind

    def __str__(self) -> str:
        return f"<{self.kind.name.lower()}>"

    def parse(self, state: State) -> list[Any] | None:
        """The token's value."""
        source, last = state.source, state.source.following[state.raw]
        first = state.raw if self.kind in ELIDED else last
        for index in range(first, last + 1):
            if source.kinds[index] is self.kind:
                state.advance(index)
                return [source.values[index]]
        return None


class Seq:
    """Parts one after another. Not matching the first is no match; not matching a later one is a mismatch."""

    def __init__(self, *parts: Part) -> None:
        self.parts = parts

    def __str__(self) -> str:
        return " ".join(filter(None, map(_grouped, self.parts)))

    @cached_property
    def _rests(self) -> list[Seq]:
        return [Seq(*self.parts[index:]) for index in range(len(self.parts))]

    def parse(self, state: State) -> list[Any] | None:
        """The values of all parts."""
        values: list[Any] = []
        for index, part in enumerate(self.parts):
            found = part.parse(state)
            if found is None:
                if index == 0:
                    return None
                raise Mismatch(Fault(state.peek(), self._rests[index]))
            values += found
        return values


class Alt:
    """The first alternative that matches. `silent` ones are tried too but not named in messages.

    `choose` may name the only alternative that can match at an index, to save the others' tries.
    """

    def __init__(
        self,
        *parts: Part,
        silent: Sequence[Part] = (),
        name: str = "",
        choose: Callable[[Source, int], Part | None] | None = None,
    ) -> None:
        self.parts, self.silent, self.name, self.choose = parts, tuple(silent), name, choose

    def __str__(self) -> str:
        return self.name or " | ".join(map(_alternative, self.parts))

    def parse(self, state: State) -> list[Any] | None:
        """The values of the alternative."""
        only = self.choose(state.source, state.raw) if self.choose else None
        if only is NOTHING:
            return None
        fault, furthest = None, 0
        for part in (only,) if only is not None else (*self.silent, *self.parts):
            branch = state.branch()
            try:
                values = part.parse(branch)
            except Mismatch as mismatch:
                state.reject(mismatch.fault, branch)
                if branch.cursor >= furthest:
                    fault, furthest = mismatch.fault, branch.cursor
            else:
                if values is not None:
                    state.accept(branch)
                    return values
        if fault:
            state.note(fault)
            raise Mismatch(fault)
        return None


#: What `choose` gives where no alternative can match.
NOTHING = Alt()


class Repeat:
    """A part `least` to `most` times; a try that fails ends it."""

    def __init__(self, part: Part, mark: str, least: int, most: float = float("inf")) -> None:
        self.part, self.mark, self.least, self.most = part, mark, least, most

    def __str__(self) -> str:
        if not str(self.part):
            return ""
        simple = isinstance(self.part, Word | Of | Rule | Capture | Sub) or (
            isinstance(self.part, Alt) and self.part.name
        )
        return f"{self.part if simple else f'({self.part})'}{self.mark}"

    def parse(self, state: State) -> list[Any] | None:
        """The values of all matches."""
        values = self._before_the_last(state) if self.most > 1 else []
        count = len(values) and self.least
        while count < self.most:
            branch = state.branch()
            try:
                found = self.part.parse(branch)
            except Mismatch as mismatch:
                state.note(mismatch.fault)
                state.reject(mismatch.fault, branch)
                break
            state.accept(branch)
            if found is None:
                break
            values += found
            count += 1
        return None if count < self.least else values

    def _before_the_last(self, state: State) -> list[Any]:
        """The values of all matches but the last two, read without faults: those that matter lie behind them."""
        from ftl_nb.schema.text.matching import matcher  # which is made of these parts

        match, values, ends = matcher(self.part, True), list[Any](), [(state.raw, 0)]
        while (end := match(state.source, ends[-1][0], values)) >= 0:
            ends.append((end, len(values)))
        raw, count = ends[-3] if len(ends) > 2 else ends[0]
        state.skip(raw)
        return values[:count]


def maybe(*parts: Part) -> Repeat:
    """`(...)?`."""
    return Repeat(_one(parts), "?", 0, 1)


def many(*parts: Part) -> Repeat:
    """`(...)*`."""
    return Repeat(_one(parts), "*", 0)


def some(*parts: Part) -> Repeat:
    """`(...)+`."""
    return Repeat(_one(parts), "+", 1)


@dataclass(frozen=True, slots=True)
class Required:
    """`(...)!`: printed so, and matching as its part does."""

    part: Part

    def __str__(self) -> str:
        return f"({self.part})!"

    def parse(self, state: State) -> list[Any] | None:
        """The values of the part."""
        return self.part.parse(state)


@dataclass(frozen=True, slots=True)
class Not:
    """Any token that counts, unless the part matches here."""

    part: Part

    def __str__(self) -> str:
        return f"~{_grouped(self.part)}"

    def parse(self, state: State) -> list[Any] | None:
        """The token's value."""
        token = state.peek()
        if token.kind is Kind.EOF:
            return None
        if self.part.parse(state.branch()) is not None:
            raise Mismatch(Fault(token))
        state.advance(state.source.following[state.raw])
        return [token.value]


@dataclass(frozen=True, slots=True)
class NotBefore:
    """Nothing, where the part does not match."""

    part: Part

    def __str__(self) -> str:
        return f"(?! {self.part})"

    def parse(self, state: State) -> list[Any] | None:
        """No values."""
        if self.part.parse(state.branch()) is not None:
            raise Mismatch(Fault(state.peek()))
        return []


@dataclass(frozen=True, slots=True)
class When:
    """A part tried only where the next tokens that count have these values.

    Our extensions are such: they are not named in messages, and where they are not begun nothing is noted of them.
    """

    values: tuple[str, ...]
    part: Part

    def __str__(self) -> str:
        return ""

    def begins(self, source: Source, raw: int) -> bool:
        """Whether the next tokens that count have the values."""
        index = raw
        for value in self.values:
            index = source.following[index]
            if source.values[index] != value or source.kinds[index] is Kind.EOF:
                return False
            index += 1
        return True

    def parse(self, state: State) -> list[Any] | None:
        """The values of the part."""
        return self.part.parse(state) if self.begins(state.source, state.raw) else None


@dataclass(frozen=True, slots=True)
class Capture:
    """The values of a part, for a field of the rule around."""

    name: str
    part: Part

    def __str__(self) -> str:
        return _grouped(self.part)

    def parse(self, state: State) -> list[Any] | None:
        """One Captured."""
        start = state.raw
        values = self.part.parse(state)
        return None if values is None else [Captured(self.name, values, start)]


class Rule:
    """A named rule whose captures become one node."""

    def __init__(self, name: str, build: Callable[[Captures], Any]) -> None:
        self.name, self.build = name, build
        self.part: Part = Seq()

    def __str__(self) -> str:
        return self.name

    def parse(self, state: State) -> list[Any] | None:
        """The node."""
        pos = state.position()
        try:
            values = self.part.parse(state)
        except Mismatch as mismatch:
            state.note(mismatch.fault)
            raise
        return None if values is None else [self.build(Captures(values, state.source, pos))]


@dataclass(frozen=True, slots=True)
class Sub:
    """A rule parsed on its own: what it leaves unread, and faults it got over, are forgotten."""

    name: str
    rule: Rule

    def __str__(self) -> str:
        return self.name

    def parse(self, state: State) -> list[Any] | None:
        """The rule's values."""
        inner = State(state.source, state.raw, state.cursor)
        try:
            values = self.rule.parse(inner)
            if values is None:
                raise Mismatch(inner.deepest_or(Fault(inner.peek())))
            return values
        finally:
            state.raw, state.cursor = inner.raw, inner.cursor


def parse_all(part: Part, source: Source) -> Any:
    """The one value of a whole text.

    Raises:
        Mismatch: with the fault to report.
    """
    state = State(source)
    values = part.parse(state)
    token = state.peek()
    if values is None or token.kind is not Kind.EOF:
        raise Mismatch(state.deepest_or(Fault(token)))
    return values[0]


def _one(parts: tuple[Part, ...]) -> Part:
    return parts[0] if len(parts) == 1 else Seq(*parts)


def _grouped(part: Part) -> str:
    return f"({part})" if isinstance(part, Alt) and not part.name else str(part)


def _alternative(part: Part) -> str:
    return f"({part})" if isinstance(part, Seq) and len(part.parts) > 1 else _grouped(part)
