"""What a module declares besides verbs: configs, secrets and databases, as the handles that its verbs use."""

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


class Setting(Generic[T]):
    """A typed value set from outside: what Config and Secret share. Values are JSON of the type T."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.module = dispatch.module_being_loaded()

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"

    @property
    def type(self) -> object:
        """T, as given in the brackets; str when none were."""
        generic = getattr(self, "__orig_class__", None)
        return get_args(generic)[0] if generic is not None else str

    @property
    def codec(self) -> Codec:
        from ftl_nb.schema.json import codec

        return codec(self.type)


class Config(Setting[T]):
    """`currency = Config[str]("currency", default="USD")`, read by `currency.get()`.

    `name` may be left out where the variable's name serves.
    """

    def __init__(self, name: str = "", *, default: T = MISSING) -> None:
        super().__init__(name)
        self.default = default

    def get(self) -> T:
        """The value now in force. Raises FtlError `config-missing` or `config-invalid`."""
        raw = dispatch.current(self.path).config(self.module, self.name)
        if raw is not None:
            return self._decode(raw)
        if self.default is MISSING:
            raise fail("config-missing", name=self.path)
        return self.default

    def _decode(self, raw: bytes) -> T:
        from ftl_nb.schema.json import JsonError

        try:
            value: T = self.codec.decode(raw)
        except JsonError as e:
            raise fail("config-invalid", name=self.path, type=self.type, detail=str(e)) from e
        return value

    def __repr__(self) -> str:
        return f"<config {self.path}>"


class Secret(Setting[T]):
    """`api_key = Secret[str]("apiKey")`: a value that only `api_key.get()` shows; each such read is on the timeline."""

    def get(self) -> T:
        """The value now in force. Raises FtlError `secret-missing` or `secret-invalid`, which never tell the value."""
        from ftl_nb.schema.json import JsonError

        raw = dispatch.current(self.path).secret(self.module, self.name)
        if raw is None:
            raise fail("secret-missing", name=self.path)
        try:
            value: T = self.codec.decode(raw)
        except JsonError:
            value = MISSING
        if value is MISSING:
            # Outside of the handler: what was decoded is no context of the error.
            raise fail("secret-invalid", name=self.path, type=getattr(self.type, "__name__", self.type))
        return value

    def __repr__(self) -> str:
        return f"<secret {self.path}>"


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
