"""What authors of modules import, and how their text is executed."""

from ftl_nb.binding.dispatch import caller
from ftl_nb.binding.leases import lease
from ftl_nb.binding.resources import Config, Database, Secret, external, inject
from ftl_nb.binding.statements import module, sql
from ftl_nb.binding.streams import ArrowReadable, ArrowStream, Stream
from ftl_nb.binding.verbs import SqlVerb, Verb, fixture, verb

__all__ = [
    "ArrowReadable",
    "ArrowStream",
    "Config",
    "Database",
    "Secret",
    "SqlVerb",
    "Stream",
    "Verb",
    "caller",
    "external",
    "fixture",
    "inject",
    "lease",
    "module",
    "sql",
    "verb",
]
