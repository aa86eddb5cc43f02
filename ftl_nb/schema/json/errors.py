"""What goes wrong between a value and its JSON."""


class JsonError(ValueError):
    """A value or JSON text that is not of its type; `path` is in schema names (`items[0].sku`), empty for the root."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidJson(JsonError):
    """JSON that is not of its type; `problems` are its faults, with paths from `$` on; `str()` is one a line."""

    def __init__(self, problems: tuple[JsonError, ...]) -> None:
        super().__init__(problems[0].path, problems[0].message)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class UnsupportedType(TypeError):
    """A Python type that has no place in the schema; the message says what to write instead where that is known."""


class UnresolvedAnnotation(UnsupportedType):
    """An annotation that is text and names something unknown."""

    def __init__(self, owner: str, field: str, why: str) -> None:
        super().__init__(f"the annotation of {owner}.{field} cannot be resolved: {why}")
        self.owner = owner
        self.field = field
        self.why = why


class FieldCollision(UnsupportedType):
    """Two fields of one dataclass that have the same name in the schema."""

    def __init__(self, owner: str, first: str, second: str, name: str) -> None:
        super().__init__(f"the fields {first!r} and {second!r} of {owner} have the same name in the schema, {name!r}")
        self.owner = owner
        self.first = first
        self.second = second
        self.name = name


class Mismatch(Exception):
    """A refusal inside a generated function: the message alone. The codec finds the path and raises `JsonError`."""


class Missing:
    """The one value that stands for a key that is not there."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()

_JSON_KINDS = {dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "boolean"}


def value_kind(value: object) -> str:
    """What an encoding error calls the value it got: its Python type."""
    return "None" if value is None else type(value).__name__


def json_kind(value: object) -> str:
    """What a decoding error calls the JSON it got."""
    return "null" if value is None else _JSON_KINDS.get(type(value), type(value).__name__)


def refused_value(name: str, value: object) -> Mismatch:
    return Mismatch(f"expected {name}, got {value_kind(value)}")


def refused_json(name: str, raw: object) -> Mismatch:
    return Mismatch("is required" if raw is MISSING else f"expected {name}, got {json_kind(raw)}")
