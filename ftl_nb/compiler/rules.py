"""Which findings of the type checker refuse a cell: this table, and nothing else.

A finding refuses when the checker rates it an error and its rule is not here. What stays are mistakes that fail, or
give a wrong value, when the line runs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

LENIENT: Mapping[str, str] = {
    "call-to-function-with-unknown-signature": "says that a library is not typed, which is not the author's to mend",
    "conflicting-declarations": "a later cell may give a name a new meaning",
    "incompatible-attribute-override": "how classes inherit is the author's own matter, it does not fail when run",
    "incompatible-method-override": "how classes inherit is the author's own matter, it does not fail when run",
    "incompatible-mutable-override": "how classes inherit is the author's own matter, it does not fail when run",
    "incompatible-property-override": "how classes inherit is the author's own matter, it does not fail when run",
    "invalid-type-form": "libraries make types at run time; where it matters, reflection refuses the annotation",
    "invalid-type-variable-default": "how classes inherit is the author's own matter, it does not fail when run",
    "lost-keyword-for-regular-parameter": "how classes inherit is the author's own matter, it does not fail when run",
    "override-of-final-method": "how classes inherit is the author's own matter, it does not fail when run",
    "override-of-final-variable": "how classes inherit is the author's own matter, it does not fail when run",
    "raw-string-type-annotation": "style",
    "subclass-of-final-class": "how classes inherit is the author's own matter, it does not fail when run",
}
"""Rules that never refuse, each with the reason."""

UNRESOLVED_IMPORT = "import-not-found"
"""Refuses for `ftl_nb` alone: whether a package is there is told by the runner, which imports it for real."""


MISSING_MEMBER = "missing-attribute"
"""Of a module this refuses for the standard library and `ftl_nb` alone: packages make members as they are imported, as
`pyarrow.compute` makes its functions, and the checker sees only what their text says."""
_MODULE_MEMBER = re.compile(r"Module `(\w+)[\w.]*` has no member")


def refuses(rule: str, severity: str, message: str) -> bool:
    """Whether a finding stops a deployment. `severity` is the checker's own: `error`, `warning` or `info`."""
    if severity != "error" or rule in LENIENT:
        return False
    if rule == MISSING_MEMBER and (found := _MODULE_MEMBER.match(message)):
        return found[1] == "ftl_nb" or found[1] in sys.stdlib_module_names
    return rule != UNRESOLVED_IMPORT or "`ftl_nb" in message
