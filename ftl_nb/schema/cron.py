"""When a cron verb runs: the text behind `+cron`, and the times it stands for. All times are UTC.

Forms: a duration of one unit (`30s`, `5m`, `2h`), a weekday (`Mon`), or 5 to 7 fields, each a list of `*`, `n` or `n-m`
with an optional `/step`. Five are minute, hour, day, month, weekday; of six the last is a year when a number in it is
at least 1000, else the first is a second; seven have both.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from ftl_nb.schema.durations import duration
from ftl_nb.schema.errors import SchemaError
from ftl_nb.schema.text import builders as build
from ftl_nb.schema.text.captures import Captures
from ftl_nb.schema.text.engine import Alt, Capture, NotBefore, Of, Rule, Seq, Word, many, maybe, parse_all
from ftl_nb.schema.text.lexer import Kind, Source
from ftl_nb.schema.text.state import Mismatch, State

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_UNITS = "smh"
_FIRST_YEAR_NUMBER = 1000
_LONGEST = 7
#: A pattern has a time behind this one.
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Field:
    """A place in a pattern: its name in messages, its bounds, and the texts a number of it may have."""

    name: str
    least: int
    most: int
    values: re.Pattern[str]


_FIELDS = tuple(
    _Field(name, least, most, re.compile(rf"(?:{values})\Z"))
    for name, least, most, values in (
        ("second", 0, 59, "0?[0-9]|[1-5][0-9]"),
        ("minute", 0, 59, "0?[0-9]|[1-5][0-9]"),
        ("hour", 0, 23, "0?[0-9]|1[0-9]|2[0-3]"),
        ("day-of-month", 1, 31, "0?[1-9]|[12][0-9]|3[01]"),
        ("month", 1, 12, "0?[1-9]|1[012]"),
        ("day-of-week", 0, 6, "0?[0-7]"),
        ("year", 1970, 2099, "19[789][0-9]|20[0-9]{2}"),
    )
)


@dataclass(frozen=True, slots=True)
class Step:
    """`*`, `n` or `n-m`, each with an optional `/step`; `start` is None for `*`."""

    start: int | None = None
    end: int | None = None
    step: int | None = None

    def __str__(self) -> str:
        values = "*" if self.start is None else f"{self.start}" if self.end is None else f"{self.start}-{self.end}"
        return values if self.step is None else f"{values}/{self.step}"


Component = tuple[Step, ...]
_EVERY: Component = (Step(),)
_ZERO: Component = (Step(0),)


@dataclass(frozen=True, slots=True)
class Pattern:
    """The values of each field, sorted; days of the month and of the week are None where `*` leaves them open."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...] | None
    months: tuple[int, ...]
    weekdays: tuple[int, ...] | None
    years: tuple[int, ...]

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time behind a moment (with its zone), in UTC; None when there is none up to the year 2099."""
        start = moment.astimezone(UTC)
        for day in self._dates(start):
            least = (start.hour, start.minute, start.second) if day.date() == start.date() else (-1, 0, 0)
            if clock := self._clock_after(least):
                return day.replace(hour=clock[0], minute=clock[1], second=clock[2])
        return None

    def _dates(self, start: datetime) -> Iterator[datetime]:
        first = start.date()
        for year in self.years:
            for month in self.months if year >= first.year else ():
                for day in self._days_of(year, month):
                    if (year, month, day) >= (first.year, first.month, first.day):
                        yield datetime(year, month, day, tzinfo=UTC)

    def _days_of(self, year: int, month: int) -> Iterator[int]:
        first, length = monthrange(year, month)
        for day in range(1, length + 1):
            weekday = (first + day) % 7  # Monday is 0 there and 1 here
            is_open = self.days is None and self.weekdays is None
            if is_open or day in (self.days or ()) or weekday in (self.weekdays or ()):
                yield day

    def _clock_after(self, least: tuple[int, int, int]) -> tuple[int, int, int] | None:
        clocks = (
            (hour, minute, second)
            for hour in self.hours
            if hour >= least[0]
            for minute in self.minutes
            if (hour, minute) >= least[:2]
            for second in self.seconds
        )
        return next((clock for clock in clocks if clock > least), None)


@lru_cache(maxsize=4096)
def parse(text: str) -> Pattern:
    """The pattern of a text; it has a time behind 2020.

    Raises:
        ValueError: with the reason, in the public system's words.
    """
    found: _Duration | _Weekday | _Components = _read(text)
    pattern = _pattern(found.complete())
    if pattern.next_after(EPOCH) is None:
        raise ValueError(f"unable to find next timeout for {text if isinstance(found, _Weekday) else found}")
    return pattern


@dataclass(frozen=True, slots=True)
class _Duration:
    """`30s`: steps of one field, from zero; not the time between two runs."""

    number: str
    unit: str

    def complete(self) -> tuple[Component, ...]:
        """Seven components."""
        count = duration(self.number + self.unit)
        step = count // {"s": 1, "m": 60, "h": 3600}[self.unit]
        place = _UNITS.index(self.unit)
        every = (Step(step=step),) if step else _EVERY
        return (*(_ZERO,) * place, every, *(_EVERY,) * (_LONGEST - place - 1))


@dataclass(frozen=True, slots=True)
class _Weekday:
    """Midnight of a weekday; Sunday is 0."""

    day: int

    def complete(self) -> tuple[Component, ...]:
        """Seven components."""
        return (_ZERO, _ZERO, _ZERO, _EVERY, _EVERY, (Step(self.day),), _EVERY)


@dataclass(frozen=True, slots=True)
class _Components:
    """Fields as they were written."""

    parts: tuple[Component, ...]

    def __str__(self) -> str:
        return " ".join(",".join(map(str, part)) for part in self.parts)

    def complete(self) -> tuple[Component, ...]:
        """Seven components."""
        match len(self.parts):
            case 5:
                return (_ZERO, *self.parts, _EVERY)
            case 6:
                return (_ZERO, *self.parts) if _is_year(self.parts[-1]) else (*self.parts, _EVERY)
            case 7:
                return self.parts
        raise ValueError(f"expected 5-7 components, got {len(self.parts)}")


def _is_year(component: Component) -> bool:
    numbers = (number for step in component for number in (step.start, step.end, step.step) if number is not None)
    return any(number >= _FIRST_YEAR_NUMBER for number in numbers)


def _pattern(components: tuple[Component, ...]) -> Pattern:
    try:
        found = [_values(component, field) for component, field in zip(components, _FIELDS, strict=True)]
    except ValueError as error:
        raise ValueError(f"failed to parse cron expression: {error}") from None
    seconds, minutes, hours, days, months, weekdays, years = found
    open_days, open_weekdays = (any(str(step) == "*" for step in components[place]) for place in (3, 5))
    sundays = tuple(day % 7 for day in weekdays)
    return Pattern(
        seconds, minutes, hours, None if open_days else days, months, None if open_weekdays else sundays, years
    )


def _values(component: Component, field: _Field) -> tuple[int, ...]:
    for step in component:
        if step.step is not None and not 1 <= step.step <= field.most and _fits(step, field):
            raise ValueError(f"invalid interval {step}")
    for step in component:
        if not _fits(step, field):
            raise ValueError(f"syntax error in {field.name} field: '{step}'")
    return tuple(sorted({value for step in component for value in _run(step, field)}))


def _fits(step: Step, field: _Field) -> bool:
    return all(field.values.match(str(number)) for number in (step.start, step.end) if number is not None)


def _run(step: Step, field: _Field) -> Iterable[int]:
    if step.start is None:
        return range(field.least, field.most + 1, step.step or 1)
    if step.end is not None:
        return range(step.start, step.end + 1, step.step or 1)
    return range(step.start, field.most + 1, step.step) if step.step else (step.start,)


# Reading


@dataclass(frozen=True, slots=True)
class _DayName:
    """A weekday in three letters of any case."""

    def parse(self, state: State) -> list[Any] | None:
        """Its number."""
        token = state.peek()
        if token.value.lower() not in _DAYS:
            return None
        state.advance(state.source.following[state.raw])
        return [_DAYS.index(token.value.lower())]


@cache
def _grammar() -> Rule:
    number, blank = Of(Kind.NUMBER), Of(Kind.WHITESPACE)
    step, component, whole = Rule("Step", _step), Rule("Component", _component), Rule("Pattern", _whole)
    values = Alt(Capture("every", Word("*")), Seq(Capture("start", number), maybe(Word("-"), Capture("end", number))))
    step.part = Seq(values, maybe(Word("/"), Capture("step", number)))
    component.part = Seq(Capture("steps", step), many(Word(","), Capture("steps", step)))
    unit = Capture("unit", Alt(*map(Word, _UNITS)))
    whole.part = Alt(
        Seq(Capture("number", number), NotBefore(blank), unit),
        Capture("day", _DayName()),
        many(Capture("components", component)),
    )
    return whole


def _step(found: Captures) -> Step:
    return Step(*(build.integer(found, name) if found.has(name) else None for name in ("start", "end", "step")))


def _component(found: Captures) -> Component:
    return found.all("steps")


def _whole(found: Captures) -> _Duration | _Weekday | _Components:
    if found.has("unit"):
        return _Duration(found.text("number"), found.text("unit"))
    if found.has("day"):
        return _Weekday(found.one("day"))
    return _Components(found.all("components"))


def _read(text: str) -> Any:
    try:
        return parse_all(_grammar(), Source(text))
    except Mismatch as mismatch:
        raise ValueError(str(mismatch.fault.problem(""))) from None
    except SchemaError as error:
        raise ValueError(str(error)) from None
