"""Secrets from the environment of whoever starts the cluster, handed to the control process alone.

An environment can be read by every process that inherits it, so these variables are left out of the cluster's. They go
through a pipe that is the standard input of what is started; the control process, the first one that is forked, reads
it to its end, and everybody after it finds it empty.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress

PREFIX = "FTL_SECRETS_"
_STDIN = 0


def without_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment that the cluster is started with."""
    return {name: value for name, value in variables.items() if not name.startswith(PREFIX)}


def hand_over(write: int, variables: Mapping[str, str]) -> None:
    """Writes the secrets among `variables` into the pipe and closes it; where nobody reads it, nothing was started."""
    secrets = {name: value for name, value in variables.items() if name.startswith(PREFIX)}
    with suppress(BrokenPipeError), os.fdopen(write, "wb") as pipe:
        pipe.write(json.dumps(secrets).encode())


def taken_over() -> dict[str, str]:
    """What was handed over, once; empty where nothing was."""
    with os.fdopen(_STDIN, "rb", closefd=False) as pipe:
        said = pipe.read()
    found: dict[str, str] = json.loads(said) if said else {}
    return found
