"""Lengths of time as the language writes them: numbers with units, from days to seconds."""

import re

from ftl_nb.schema.quote import quote

_PART = re.compile(r"(\d+)([a-zA-Z]+)", re.ASCII)
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LARGEST_INT = (1 << 63) - 1


class BadForm(ValueError):
    """Not numbers with units."""


class UnknownUnit(ValueError):
    """A unit other than d, h, m and s."""


class UnitsOutOfOrder(ValueError):
    """Units not from large to small, or one of them twice."""


class TooLarge(ValueError):
    """A number past 64 bits."""


def duration(text: str) -> int:
    """Seconds of a text such as `1d2h`; 0 of an empty one.

    Raises:
        BadForm, UnknownUnit, UnitsOutOfOrder, TooLarge: all of them ValueErrors.
    """
    rest, seconds, units = text, 0, list(_UNITS)
    while rest:
        match = _PART.match(rest)
        if not match:
            raise BadForm(f"unable to parse duration {quote(rest)} - expected duration in format like '1m' or '30s'")
        number, unit = match.groups()
        if unit not in units:
            raise _bad_unit(unit)
        if len(number) > len(str(_LARGEST_INT)) or int(number) > _LARGEST_INT:
            reason = f"strconv.Atoi: parsing {quote(number)}: value out of range"
            raise TooLarge(f"unable to parse duration {quote(rest)}: {reason}")
        seconds += int(number) * _UNITS[unit]
        units = units[units.index(unit) + 1 :]
        rest = rest[match.end() :]
    return seconds


def _bad_unit(unit: str) -> ValueError:
    if unit not in _UNITS:
        return UnknownUnit(f"duration has unknown unit {quote(unit)} - use 'd', 'h', 'm' or 's', eg '1d' or '30s'")
    order = "units need to be ordered from largest to smallest - eg '1d3h2m'"
    return UnitsOutOfOrder(f"duration has unit {quote(unit)} out of order - {order}")
