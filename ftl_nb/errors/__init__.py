"""The one error base: a code, one sentence, the place and a hint.

An error that a user can cause is made by `fail(slug, place=…, **fields)` from the catalogue, travels between
processes as a dictionary and is shown by every surface in the same way. Nothing else reaches a user as a traceback.
"""

from ftl_nb.errors.base import FtlError, VerbError, fail
from ftl_nb.errors.catalogue import CATALOGUE, Entry
from ftl_nb.errors.place import Place

__all__ = ["CATALOGUE", "Entry", "FtlError", "Place", "VerbError", "fail"]
