"""The rules of the language, each one function with its number in the rule table.

The rules on whole modules and realms (R001, R002, R008 to R011, R064, R090) are in `ftl_nb.schema.validation`,
beside the order in which things are walked.
"""

from ftl_nb.schema.rules import cron, declarations, ingress, names, references, routes, subscriptions, verbs, visibility
from ftl_nb.schema.rules.base import Context, Rule, Stage

RULES: tuple[Rule, ...] = (
    *names.RULES,
    *references.RULES,
    *declarations.RULES,
    *verbs.RULES,
    *visibility.RULES,
)
"""Rules on any node."""

ITEM_RULES: tuple[Rule, ...] = (
    *verbs.ITEM_RULES,
    *subscriptions.ITEM_RULES,
    *cron.ITEM_RULES,
    *ingress.ITEM_RULES,
    *routes.ITEM_RULES,
)
"""Rules on the metadata of a verb, checked one after another in canonical order."""

__all__ = ["ITEM_RULES", "RULES", "Context", "Rule", "Stage"]
