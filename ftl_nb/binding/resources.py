"""What a module declares besides verbs: config values and databases, as the handles that its verbs use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args

from ftl_nb.binding import dispatch
from ftl_nb.errors import fail

if TYPE_CHECKING:
    from ftl_nb.schema.json import Codec

T = TypeVar("T")


class _Missing:
    """The default of a config that has none."""

    def __repr__(self) -> str:
        return "…"


MISSING: Any = _Missing()


class Config(Generic[T]):
    """`currency = Config[str]("currency", default="USD")`: a typed value set from outside, read by `currency.get()`.

    `name` may be left out where the variable's name serves. Values are JSON of the type T.
    """

    def __init__(self, name: str = "", *, default: T = MISSING) -> None:
        self.name = name
        self.default = default
        self.module = dispatch.module_being_loaded()

    @property
    def type(self) -> object:
        """T, as given in the brackets; str when none were."""
        generic = getattr(self, "__orig_class__", None)
        return get_args(generic)[0] if generic is not None else str

    def get(self) -> T:
        """The value now in force. Raises FtlError `config-missing` or `config-invalid`."""
        raw = dispatch.current(f"{self.module}.{self.name}").config(self.module, self.name)
        if raw is not None:
            return self._decode(raw)
        if self.default is MISSING:
            raise fail("config-missing", name=f"{self.module}.{self.name}")
        return self.default

    def _decode(self, raw: bytes) -> T:
        from ftl_nb.schema.json import JsonError

        try:
            value: T = self.codec.decode(raw)
        except JsonError as e:
            raise fail("config-invalid", name=f"{self.module}.{self.name}", type=self.type, detail=str(e)) from e
        return value

    @property
    def codec(self) -> Codec:
        from ftl_nb.schema.json import codec

        return codec(self.type)

    def __repr__(self) -> str:
        return f"<config {self.module}.{self.name}>"


class Database:
    """The handle of a database of the own module: SQL runs in the database's own runner, which alone opens it."""

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def query(self, sql: str, **parameters: object) -> list[dict[str, Any]]:
        """The rows of `sql` as dictionaries; `$name` in the SQL is the keyword `name`. Raises FtlError `sql-failed`.

        Times are aware datetimes, decimals texts, as in the rows of a query's verb.
        """
        from ftl_nb.binding.rows import decode_rows

        body, _ = self._run(sql, parameters, rows=True)
        return decode_rows(body)

    def execute(self, sql: str, **parameters: object) -> int:
        """Runs `sql` and returns the number of rows changed. Raises FtlError `sql-failed`."""
        return self._run(sql, parameters, rows=False)[1]

    def _run(self, sql: str, parameters: dict[str, object], *, rows: bool) -> tuple[bytes, int]:
        from ftl_nb.binding.rows import encode_parameters

        body = encode_parameters(parameters)
        return dispatch.current(f"{self.module}.{self.name}").statement(self.module, self.name, sql, body, rows=rows)

    def __repr__(self) -> str:
        return f"<database {self.module}.{self.name}>"


class Injected:
    """The default of a keyword-only parameter that names what is injected: `checkout=ftl.inject(shop.checkout)`."""

    def __init__(self, target: object) -> None:
        self.target = target


def inject(target: T) -> T:
    """Names the resource that a keyword-only parameter gets where its own name does not say it."""
    return Injected(target)  # type: ignore[return-value]


_externals: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {}


def external(type_: type[T], encode: Callable[[T], Any], decode: Callable[[Any], T]) -> type[T]:
    """Lets values of a foreign class cross verbs: `encode` gives something JSON can hold, `decode` takes it back."""
    _externals[type_] = (encode, decode)
    return type_


def externals() -> dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]]:
    """The external types registered in this process."""
    return _externals
