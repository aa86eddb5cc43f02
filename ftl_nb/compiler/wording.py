"""What the type checker says, without the names and the arguments that only generated text has."""

from __future__ import annotations

import re

from ftl_nb.compiler.clients import CLASS_PREFIX
from ftl_nb.compiler.shadow import OWN_VIEW, PACKAGE, VIEW_PACKAGE
from ftl_nb.schema.names import snake

_MODULE = re.compile(rf"\b{VIEW_PACKAGE}\.(\w+)\.{OWN_VIEW}\b|\b{PACKAGE}\.(\w+)")
_CALL = re.compile(rf"bound method `(?:{CLASS_PREFIX}(\w+)|_(\w+)Verb)\.(?:__call__|(\w+))`")
_CLIENT = re.compile(rf"`(?:{CLASS_PREFIX}(\w+)|_(\w+)Verb)`")
_COUNTS = re.compile(r"(to verb `[^`]+`): expected (\d+), got (\d+)")


def in_the_authors_words(message: str) -> str:
    """The first paragraph of a finding; a client is the verb that it calls, and `self` is not counted."""
    first = message.partition("\n\n")[0].replace("Unknown | ", "")
    first = _MODULE.sub(lambda found: f"ftl_nb.modules.{found[1] or found[2]}", first)
    first = _CALL.sub(lambda found: f"verb `{_verb(found)}{'.' + found[3] if found[3] else ''}`", first)
    first = _CLIENT.sub(lambda found: f"verb `{_verb(found)}`", first)
    return _COUNTS.sub(lambda found: f"{found[1]}: expected {int(found[2]) - 1}, got {int(found[3]) - 1}", first)


def _verb(found: re.Match[str]) -> str:
    return found[1] or snake(found[2])
