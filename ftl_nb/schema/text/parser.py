"""Schema text to nodes."""

from collections.abc import Iterator
from typing import Any

from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.nodes.decls import Module, Schema
from ftl_nb.schema.nodes.types import Ref, Type
from ftl_nb.schema.text import grammar
from ftl_nb.schema.text.engine import Rule, parse_all
from ftl_nb.schema.text.lexer import Source
from ftl_nb.schema.text.matching import matched
from ftl_nb.schema.text.recovery import further_faults
from ftl_nb.schema.text.state import Fault, Mismatch


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
        if (node := matched(rule, source)) is not None:
            return node
        source.read = {}
        return parse_all(rule, source)
    except Mismatch as mismatch:
        raise SchemaError(*_problems(mismatch.fault, source)) from None
    except RecursionError:
        raise SchemaError(source.too_deep()) from None


def _problems(first: Fault, source: Source) -> Iterator[Problem]:
    """The first fault of a text, and those of later declarations."""
    faults = (first, *further_faults(source, first.token.line))
    for problem in (fault.problem(source.filename) for fault in faults):
        yield problem._replace(source_line=source.line_at(problem.pos))
