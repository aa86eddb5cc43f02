"""What one cell of a module is: its tree, what it declares and the verbs it marks."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ftl_nb.binding.names import Declared, Function, declared, imports_of, top_level
from ftl_nb.binding.options import Subject, check_options
from ftl_nb.binding.source import Cell, CellKind
from ftl_nb.compiler.syntax import Spot, dotted, parse_text, place_of
from ftl_nb.errors import Place, fail

_DECORATORS: Mapping[str, Subject] = {"ftl_nb.verb": "verb", "ftl_nb.fixture": "fixture"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A function that is a verb or a fixture, by its decorator or as the candidate of its cell."""

    subject: Subject
    function: Function = field(repr=False)
    options: Mapping[str, object]

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.function.name


@dataclass(frozen=True, slots=True)
class ParsedCell:
    """One Python cell, parsed. `marks` holds its verbs and fixtures in order of the text.

    `known` are its imports and those of the module's cells before it.
    """

    cell: Cell
    module: str
    tree: ast.Module = field(repr=False)
    names: Declared
    marks: tuple[Mark, ...]
    imports: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def filename(self) -> str:
        return self.cell.filename(self.module)

    @property
    def function(self) -> str:
        """The name of the one verb or fixture of a verb or fixture cell; empty in a module cell."""
        return self.marks[-1].name if self.cell.kind != "module" else ""

    def place(self, node: Spot) -> Place:
        return place_of(node, self.cell.text, self.filename)

    def name_place(self, function: Function) -> Place:
        """The place of the name behind `def`."""
        return _name_place(function, self.cell.text, self.filename)


def parse_cell(
    text: str, kind: CellKind, options: Mapping[str, object] | None = None, module: str = "", label: str = ""
) -> ParsedCell:
    """One cell as typed; see `parse`. Without a label the file name ends in the cell's kind."""
    return parse(Cell("", kind, label or kind, text, options or {}), module)


def parse(cell: Cell, module: str, aliases: Mapping[str, str] | None = None) -> ParsedCell:
    """A Python cell of `module`, its words checked.

    `aliases` are names bound by earlier cells of the module, with the dotted names they stand for.
    Raises `syntax`, `cell-magic-line`, `verb-candidates`, `verb-missing`, `unknown-option` or `bad-option`.
    """
    filename = cell.filename(module)
    tree = parse_text(cell.text, filename)
    imports = imports_of(tree.body)
    known = {**(aliases or {}), **imports}
    marks = list(marks_of(tree, known, cell.text, filename))
    if cell.kind in ("verb", "fixture"):
        marks = _with_candidate(cell, _candidate(tree, cell.text, filename), marks)
    return ParsedCell(cell, module, tree, declared(tree), tuple(marks), imports, known)


def _candidate(tree: ast.Module, text: str, filename: str) -> Function:
    named = {s.name: s for s in tree.body if isinstance(s, Function) and not s.name.startswith("_")}
    if not named:
        raise fail("verb-missing", _first_place(tree, text, filename))
    if len(named) > 1:
        second = list(named.values())[1]
        place = _name_place(second, text, filename)
        raise fail("verb-candidates", place, count=len(named), names=", ".join(named))
    return next(iter(named.values()))


def _first_place(tree: ast.Module, text: str, filename: str) -> Place:
    if tree.body:
        return place_of(tree.body[0], text, filename)
    return Place(filename, 1)


def _name_place(function: Function, text: str, filename: str) -> Place:
    place = place_of(function, text, filename)
    start = place.source_line.find(function.name, place.column - 1)
    if start < 0:
        return place
    return Place(filename, place.line, start + 1, place.source_line, start + 1 + len(function.name))


def _with_candidate(cell: Cell, function: Function, marks: list[Mark]) -> list[Mark]:
    """The cell's own words laid under those of a decorator on the same function."""
    subject: Subject = "fixture" if cell.kind == "fixture" else "verb"
    own = next((m for m in marks if m.function is function), None)
    options = check_options(cell.options, subject, None)
    if own is not None:
        options.update(own.options)
    return [m for m in marks if m is not own] + [Mark(subject, function, options)]


def marks_of(tree: ast.Module, known: Mapping[str, str], text: str, filename: str) -> Iterator[Mark]:
    """The functions of the top level under a decorator of ours; of two with one name, the last."""
    found: dict[str, Mark] = {}
    for function in (s for s in top_level(tree.body) if isinstance(s, Function)):
        found.pop(function.name, None)
        for decorator in function.decorator_list:
            if subject := subject_of(decorator, known):
                words = call_words(decorator, text, filename)
                options = check_options(words, subject, place_of(decorator, text, filename))
                found[function.name] = Mark(subject, function, options)
    yield from found.values()


def subject_of(decorator: ast.expr, known: Mapping[str, str]) -> Subject | None:
    """What a decorator of ours makes of its function; None for any other decorator."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return _DECORATORS.get(full_name(target, known))


def full_name(node: ast.expr, known: Mapping[str, str]) -> str:
    """`ftl.verb` as `ftl_nb.verb`, by the imports in `known`; empty when the root is not imported."""
    parts = dotted(node)
    if not parts or parts[0] not in known:
        return ""
    name = ".".join((known[parts[0]], *parts[1:]))
    # What authors import may be spelled by its room too.
    return name.replace("ftl_nb.binding.", "ftl_nb.", 1) if name.startswith("ftl_nb.binding.") else name


def call_words(call: ast.expr, text: str, filename: str) -> dict[str, object]:
    """The keyword arguments of a decorator, all literals. Raises `bad-option` for anything that is not one."""
    if not isinstance(call, ast.Call):
        return {}
    if call.args:
        place = place_of(call.args[0], text, filename)
        value = ast.unparse(call.args[0])
        raise fail("bad-option", place, word="without a name", value=value, why="options are keywords")
    return {word.arg or "**": _literal(word, text, filename) for word in call.keywords}


def _literal(word: ast.keyword, text: str, filename: str) -> object:
    try:
        value: object = ast.literal_eval(word.value)
    except ValueError:
        place = place_of(word.value, text, filename)
        raise fail(
            "bad-option", place, word=word.arg or "**", value=ast.unparse(word.value), why="it takes a literal"
        ) from None
    return value
