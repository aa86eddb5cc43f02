"""The rules of the language, each one function with its number in the rule table.

The rules on whole modules and realms (`WHOLE`) are in `ftl_nb.schema.validation`, beside the order in which things are
walked.
"""

from collections.abc import Mapping

from ftl_nb.schema.rules import (
    cron,
    declarations,
    extensions,
    ingress,
    names,
    references,
    routes,
    subscriptions,
    verbs,
    visibility,
)
from ftl_nb.schema.rules.base import Context, Rule, Stage

RULES: tuple[Rule, ...] = (
    *names.RULES,
    *references.RULES,
    *declarations.RULES,
    *verbs.RULES,
    *visibility.RULES,
    *extensions.RULES,
)
"""Rules on any node."""

ITEM_RULES: tuple[Rule, ...] = (
    *verbs.ITEM_RULES,
    *subscriptions.ITEM_RULES,
    *cron.ITEM_RULES,
    *ingress.ITEM_RULES,
    *routes.ITEM_RULES,
    *extensions.ITEM_RULES,
)
"""Rules on the metadata of a verb, checked one after another in canonical order."""

WHOLE: Mapping[str, str] = {
    "R001": "A module's name is an identifier and no keyword of Go.",
    "R002": "Only the builtin module is called builtin.",
    "R008": "A module has one declaration of a kind and name.",
    "R009": "A realm has one module of a name.",
    "R010": "A realm has one module of a name, said a second time.",
    "R011": "A schema has one realm of a name.",
    "R064": "Two verbs of a realm share no method and path.",
    "R090": "Modules do not import each other in a circle.",
    "X005": "A realm and a module have their headers once.",
}
"""What the rules on whole modules and realms say, by number."""

NEVER: Mapping[str, str] = {
    "R006": "A name of 64 letters and digits is read as a digest: a syntax error.",
    "R007": "As R001, for a module that was not read from text.",
    "R029": "A config has a type: a node without one cannot be made.",
    "R031": "A secret has a type: a node without one cannot be made.",
    "R042": "A dead letter topic is there: it is made before it is looked for.",
    "R082": "Only verbs have a catch: nothing else reads one.",
    "R086": "A transaction calls no verb of another module: the public system accepts it.",
    "R089": "A realm knows its own modules alone: reported as R012.",
}
"""Numbers of the rule table that are never reported, and why."""

__all__ = ["ITEM_RULES", "NEVER", "RULES", "WHOLE", "Context", "Rule", "Stage"]
