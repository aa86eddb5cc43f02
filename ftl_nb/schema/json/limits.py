"""How large and how deep JSON may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ftl_nb.schema.json.errors import JsonError
from ftl_nb.schema.limits import BODY_LIMIT

DEPTH_LIMIT = 128
"""Objects and arrays inside each other in JSON that is checked; codecs go as deep as Python's own stack does."""

TOO_DEEP = "the JSON is nested too deeply"


def too_large(size: int) -> JsonError:
    return JsonError("", f"the JSON has {size:,} bytes, which is more than {BODY_LIMIT:,}")


def parsed(data: bytes, load: Callable[[bytes], Any]) -> Any:
    """The values of JSON text as msgspec's `load` gives them. Raises JsonError."""
    if len(data) > BODY_LIMIT:
        raise too_large(len(data))
    try:
        return load(data)
    except RecursionError as error:
        raise JsonError("", TOO_DEEP) from error
    except ValueError as error:  # msgspec's own errors are ValueErrors
        raise JsonError("", f"not JSON: {error}") from error
