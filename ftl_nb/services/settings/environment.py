"""Values in environment variables: `FTL_CONFIGURATION_SHOP_CURRENCY`, `FTL_SECRETS_APIKEY`; each holds JSON.

The environment is the one of whoever started the cluster. Secrets among it never reach the environment of a process of
the cluster, where every verb could read them: the starting client hands them over by a pipe (`cluster.handover`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, MutableMapping

from ftl_nb.errors import fail
from ftl_nb.services.settings.provider import Kind, Ref

PREFIXES: dict[Kind, str] = {"config": "FTL_CONFIGURATION_", "secret": "FTL_SECRETS_"}


class Environment:
    """Setting or unsetting a value takes its variable away from the cluster, so that what was set is in force."""

    name = "environment"
    keeps = False

    def __init__(self, kind: Kind, variables: MutableMapping[str, str]) -> None:
        self._prefix = PREFIXES[kind]
        self._variables = variables

    def get(self, ref: Ref) -> bytes | None:
        variable = self._variable(ref)
        text = self._variables.get(variable)
        if text is None:
            return None
        try:
            json.loads(text)
        except ValueError:
            text = ""
        if not text:
            raise fail("settings-variable", variable=variable)
        return text.encode()

    def refs(self) -> Iterable[Ref]:
        """None: a variable in capitals does not tell its name; it stands over names that are declared, or set."""
        return ()

    def put(self, ref: Ref, value: bytes | None) -> None:
        self._variables.pop(self._variable(ref), None)

    def _variable(self, ref: Ref) -> str:
        return self._prefix + "_".join(part for part in ref if part).upper()
