"""The part of a module that its SQL contributes."""

from __future__ import annotations

from ftl_nb import schema
from ftl_nb.rpc.view import query_database


def generated_of(module: schema.Module) -> schema.Module:
    """The databases, queries and row types of a module."""
    return schema.Module(module.name, tuple(d for d in module.decls if is_generated(d)))


def is_generated(decl: schema.Decl) -> bool:
    if isinstance(decl, schema.Database):
        return True
    return isinstance(decl, schema.Data | schema.Verb) and schema.MetadataGenerated() in decl.metadata


def query_databases(generated: schema.Module) -> dict[str, str]:
    """SQL verb to the database that executes it."""
    verbs = [d for d in generated.decls if isinstance(d, schema.Verb)]
    return {v.name: database for v in verbs if (database := query_database(v)) is not None}
