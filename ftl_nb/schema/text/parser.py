"""Schema text to nodes."""

from dataclasses import replace
from typing import Any

from ftl_nb.schema.errors import SchemaError
from ftl_nb.schema.nodes.decls import Module, Schema
from ftl_nb.schema.nodes.types import Ref, Type
from ftl_nb.schema.text import grammar
from ftl_nb.schema.text.engine import Rule, parse_all
from ftl_nb.schema.text.lexer import Source
from ftl_nb.schema.text.matching import matched
from ftl_nb.schema.text.state import Mismatch


def parse(text: str, filename: str = "") -> Schema:
    """A schema text: realms. It is not validated.

    Raises:
        SchemaError: with line, column, what was expected and the source line.
    """
    found: Schema = _read(grammar.schema_rule(), text, filename)
    return found


def parse_module(text: str, filename: str = "") -> Module:
    """One module.

    Raises:
        SchemaError: as `parse`.
    """
    found: Module = _read(grammar.module_rule(), text, filename)
    return found


def parse_type(text: str, filename: str = "") -> Type:
    """One type.

    Raises:
        SchemaError: as `parse`.
    """
    found: Type = _read(grammar.type_rule(), text, filename)
    return found


def parse_ref(text: str, filename: str = "") -> Ref:
    """One reference.

    Raises:
        SchemaError: as `parse`.
    """
    found: Ref = _read(grammar.ref_rule(), text, filename)
    return found


def _read(rule: Rule, text: str, filename: str) -> Any:
    source = Source(text, filename)
    try:
        return matched(rule, source) or parse_all(rule, source)
    except Mismatch as mismatch:
        problem = mismatch.fault.problem(filename)
        raise SchemaError(replace(problem, source_line=source.line_at(problem.pos))) from None
    except RecursionError:
        raise SchemaError(source.too_deep()) from None
