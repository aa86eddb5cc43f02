"""What goes wrong with a schema: an error with its place, what was expected, and the line with a caret."""

from typing import NamedTuple

from ftl_nb.schema.nodes.base import NOWHERE, Position

#: Of a longer line the part around the caret is shown.
_SHOWN = 160


class Problem(NamedTuple):
    """One fault: `str()` gives `FILE:LINE:COL: message`, without the place where the node has none.

    `rule` is its number in the rule table, empty for syntax errors; `expected` is the grammar that would have fitted.
    """

    message: str
    pos: Position = NOWHERE
    rule: str = ""
    expected: str = ""
    source_line: str = ""

    def __str__(self) -> str:
        return f"{self.pos}: {self.message}" if self.pos else self.message

    def pretty(self) -> str:
        """The problem, and under it the source line with a caret."""
        if not self.source_line:
            return str(self)
        start = max(0, self.pos.column - _SHOWN // 2) if len(self.source_line) > _SHOWN else 0
        shown = self.source_line[start : start + _SHOWN]
        blanks = "".join("\t" if char == "\t" else " " for char in shown[: self.pos.column - 1 - start])
        return f"{self}\n  {shown}\n  {blanks}^"


class SchemaError(Exception):
    """A schema that cannot be read or is not valid; `str()` is its problems, one a line."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))

    @property
    def problem(self) -> Problem:
        """The first problem."""
        return self.problems[0]

    @property
    def line(self) -> int:
        """Line of the first problem, from 1; 0 when it has no place."""
        return self.problem.pos.line

    @property
    def column(self) -> int:
        """Column of the first problem in characters, from 1; 0 when it has no place."""
        return self.problem.pos.column

    @property
    def expected(self) -> str:
        """What the grammar expected instead, empty when nothing could follow."""
        return self.problem.expected

    @property
    def source_line(self) -> str:
        """The line of the first problem."""
        return self.problem.source_line
