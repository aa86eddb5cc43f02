"""The option words of a verb, a fixture or a module: which are accepted, and what they take.

The same words serve in a magic and in a decorator. A word stands here from the
day its capability exists; until then it is refused like any unknown one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from ftl_nb.errors import Place, fail

Subject = Literal["module", "verb", "fixture"]

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_MODULE = re.compile(r"[a-z][a-z0-9_]*")
_CALL = re.compile(r"[a-z][a-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*")


class _Word(NamedTuple):
    subjects: frozenset[Subject]
    accepts: Callable[[object], bool]
    takes: str


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None


def _is_module(value: object) -> bool:
    return isinstance(value, str) and _MODULE.fullmatch(value) is not None


def _is_export(value: object) -> bool:
    return isinstance(value, bool) or value in ("module", "realm")


def _is_fixture(value: object) -> bool:
    return isinstance(value, bool) or value == "manual"


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_calls(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(v, str) and _CALL.fullmatch(v) for v in value)


_BOTH: frozenset[Subject] = frozenset({"verb", "fixture"})
_WORDS: Mapping[str, _Word] = {
    "name": _Word(_BOTH, _is_name, "it takes a name of letters, digits and underscores"),
    "module": _Word(_BOTH, _is_module, "it takes a module's name in lower case"),
    "export": _Word(_BOTH, _is_export, 'it takes True, "module" or "realm"'),
    "fixture": _Word(_BOTH, _is_fixture, 'it takes True or "manual"'),
    "manual": _Word(frozenset({"fixture"}), _is_flag, "it takes True or False"),
    "calls": _Word(_BOTH, _is_calls, 'it takes a list of verbs: ["shop.checkout"]'),
}


def accepted_words(subject: Subject) -> tuple[str, ...]:
    """The option words that exist for a verb, a fixture or a module, in a fixed order."""
    return tuple(word for word, rule in _WORDS.items() if subject in rule.subjects)


def check_options(options: Mapping[str, object], subject: Subject, place: Place | None) -> dict[str, object]:
    """The options with every word checked and brought to one form.

    `manual` becomes `fixture: "manual"`, a fixture always has `fixture`, `export: True` becomes `"module"`,
    `calls` a list; a word that says nothing (`export: False`) is left out. Raises `unknown-option`, `bad-option`.
    """
    known = accepted_words(subject)
    for word, value in options.items():
        if word not in known:
            raise fail("unknown-option", place, word=word, accepted=", ".join(known) or "none")
        if not _WORDS[word].accepts(value):
            raise fail("bad-option", place, word=word, value=value, why=_WORDS[word].takes)
    return _one_form(options, subject)


def _one_form(options: Mapping[str, object], subject: Subject) -> dict[str, object]:
    plain = {word: value for word, value in options.items() if value is not False and word != "manual"}
    if plain.get("export") is True:
        plain["export"] = "module"
    if subject == "fixture":
        plain["fixture"] = "manual" if options.get("manual") else plain.get("fixture", True)
    if calls := options.get("calls"):
        plain["calls"] = list(calls) if isinstance(calls, list | tuple) else calls
    return plain
