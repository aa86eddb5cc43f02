"""Verbs as objects: what `@ftl.verb` makes of a function, and what `ftl_nb.modules` has for a verb that runs elsewhere.

A call is remote unless an injected parameter is passed by hand: then the body runs here, which is how one tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

from ftl_nb.binding import dispatch
from ftl_nb.binding.dispatch import DEFAULT_OPTIONS, CallOptions
from ftl_nb.binding.options import Subject, check_options
from ftl_nb.binding.resources import Database, Injected, Setting
from ftl_nb.binding.signature import NOTHING, Signature, build_request, signature_of
from ftl_nb.errors import FtlError, fail
from ftl_nb.schema.names import camel, snake

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from ftl_nb.schema.json import Codec

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class VerbOptions:
    """The words of a verb: the same in magic and decorator."""

    name: str = ""
    export: bool | str = False
    fixture: bool | str = False
    calls: tuple[str, ...] = ()
    module: str = ""

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> VerbOptions:
        given: dict[str, Any] = {k: tuple(v) if k == "calls" else v for k, v in words.items()}
        return cls(**given)


class Verb:
    """A typed callable for one verb. `function` is there only where the module's text is (its runner, its notebook)."""

    def __init__(
        self,
        module: str,
        name: str,
        *,
        function: Callable[..., Any] | None = None,
        signature: Signature | None = None,
        options: VerbOptions | None = None,
        call_options: CallOptions = DEFAULT_OPTIONS,
    ) -> None:
        self.module = module
        self.name = name
        self.ref = f"{module}.{name}"
        self.function = function
        self.options = options or VerbOptions()
        self._given_signature = signature
        self._call_options = call_options
        if function is not None:
            update_wrapper(self, function)

    @cached_property
    def signature(self) -> Signature:
        if self._given_signature is not None:
            return self._given_signature
        if self.function is None:
            raise TypeError(f"the verb {self.ref} has neither a function nor a signature")
        return signature_of(self.function)

    def rebind(self, signature: Signature) -> None:
        """Takes another signature: the module's types were defined anew."""
        self._given_signature = signature
        for name in ("signature", "request_codec", "response_codec"):
            self.__dict__.pop(name, None)

    @cached_property
    def request_codec(self) -> Codec:
        return _codec(None if self.signature.request is NOTHING else self.signature.request)

    @cached_property
    def response_codec(self) -> Codec:
        return _codec(self.signature.response)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.function is not None and not kwargs.keys().isdisjoint(self.signature.injected):
            return self._run_here(args, kwargs)
        request = self._request(args, kwargs)
        if self.signature.streams:
            return dispatch.current(self.ref).stream(self, request, self._call_options)
        body = self.encode(request)
        return self.decode(dispatch.current(self.ref).call(self.module, self.name, body, self._call_options))

    async def aio(self, *args: Any, **kwargs: Any) -> Any:
        """The awaitable twin of a call. Of a stream the beginning is awaited; it is read as ever."""
        request = self._request(args, kwargs)
        dispatcher = dispatch.current(self.ref)
        if self.signature.streams:
            return await dispatcher.stream_async(self, request, self._call_options)
        body = self.encode(request)
        return self.decode(await dispatcher.call_async(self.module, self.name, body, self._call_options))

    def with_timeout(self, seconds: float) -> Verb:
        """The same verb with a deadline: a call that takes longer is cancelled and raises FtlError `deadline`."""
        return self._twin(CallOptions(timeout=seconds, arrow=self._call_options.arrow))

    def map(self, requests: Iterable[Any]) -> list[Any]:
        """Calls the verb for each request, many at once; answers in their order. Raises the first error.

        With an error, or an interrupt, the calls whose answers nobody takes any more are cancelled.
        """
        from concurrent.futures import ThreadPoolExecutor
        from contextvars import copy_context

        from ftl_nb.rpc.cutting import together

        pool = ThreadPoolExecutor(16, thread_name_prefix="ftl-map")
        try:
            with together():
                return [f.result() for f in [pool.submit(copy_context().run, self, r) for r in requests]]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _twin(self, call_options: CallOptions) -> Verb:
        return type(self)(
            self.module,
            self.name,
            function=self.function,
            signature=self._given_signature,
            options=self.options,
            call_options=call_options,
        )

    def _request(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The request of a call; without arguments the default that the function's own text gives it."""
        defaults = getattr(self.function, "__defaults__", None)
        if defaults and not args and not kwargs:
            return defaults[0]
        return build_request(self.ref, self.signature, args, kwargs)

    def encode(self, request: Any) -> bytes:
        """The body of a request. Raises FtlError `json-invalid`."""
        codec = self.request_codec
        try:
            return codec.encode(None if request is NOTHING else request)
        except codec.error as e:
            raise fail("json-invalid", detail=str(e), verb=self.ref, type=self.signature.taken) from None

    def decode(self, body: bytes) -> Any:
        """The answer of a body. Raises FtlError `result-invalid`."""
        codec = self.response_codec
        try:
            return codec.decode(body)
        except codec.error as e:
            raise fail("result-invalid", verb=self.ref, detail=str(e), type=self.signature.given) from None

    def _run_here(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The body in this process: what is passed by hand is used, the rest is injected as remote handles."""
        if self.function is None:
            raise TypeError(f"the text of {self.ref} is not here")
        injected = {k: v for k, v in kwargs.items() if k in self.signature.injected}
        fields = {k: v for k, v in kwargs.items() if k not in self.signature.injected}
        request = self._request(args, fields)
        handles = {**injections(self.function, self.signature.injected, injected), **injected}
        return self.function(**handles) if request is NOTHING else self.function(request, **handles)

    def __repr__(self) -> str:
        return f"<verb {self.ref}>"


class SqlVerb(Verb):
    """A query as a verb; its rows come as typed objects, or whole as Arrow and DataFrame."""

    def arrow(self, *args: Any, **kwargs: Any) -> pyarrow.Table:
        """The result as an Arrow table."""
        import pyarrow

        options = CallOptions(timeout=self._call_options.timeout, arrow=True)
        body = self.encode(self._request(args, kwargs))
        answer = dispatch.current(self.ref).call(self.module, self.name, body, options)
        return pyarrow.ipc.open_stream(answer).read_all()

    def df(self, *args: Any, **kwargs: Any) -> pandas.DataFrame:
        """The result as a DataFrame."""
        frame: pandas.DataFrame = self.arrow(*args, **kwargs).to_pandas()
        return frame


def injections(function: Callable[..., Any], names: Iterable[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """The handles of a function's keyword-only parameters: by `inject(...)`, else by name from its module."""
    defaults = function.__kwdefaults__ or {}
    handles = {}
    for name in names:
        default = defaults.get(name)
        if name not in given:
            handles[name] = default.target if isinstance(default, Injected) else _by_name(function, name)
    return handles


def _by_name(function: Callable[..., Any], name: str) -> Any:
    """The module's own name first, then the schema's in snake case, as the analysis takes them."""
    namespace = function.__globals__
    if name in namespace:
        return namespace[name]
    found = next((v for v in namespace.values() if _is_called(v, name, _module(function))), None)
    if found is None:
        near = "what can be injected: verbs, SQL verbs, configs, secrets and databases of the module"
        raise fail("unknown-injection", module=_module(function), name=name, verb=function.__name__, near=near)
    return found


def _is_called(value: object, name: str, module: str) -> bool:
    return isinstance(value, Verb | Setting | Database) and value.module == module and snake(value.name) == name


def _module(function: Callable[..., Any]) -> str:
    return str(function.__globals__.get("__name__", "")).rpartition(".")[2]


def _codec(annotation: Any) -> Codec:
    from ftl_nb.binding.resources import externals
    from ftl_nb.schema.json import codec

    return codec(annotation, externals())


@dataclass(slots=True)
class _Marked:
    """The verbs that the text being loaded has defined so far."""

    verbs: list[Verb] = field(default_factory=list)


def verb(function: F | None = None, /, **words: Any) -> Any:
    """`@ftl.verb` or `@ftl.verb(export=True)`: the function becomes a verb of the module whose text it stands in.

    Words: `name`, `module`, `export` (True or "realm"), `fixture` (True or "manual"), `calls`. Raises FtlError
    `unknown-option` or `bad-option`.
    """
    return _decorator(function, "verb", words)


def fixture(function: F | None = None, /, **words: Any) -> Any:
    """`@ftl.fixture`: runs inside the deployment, before it is committed; with `manual=True` only when called.

    It takes the other words of `verb` too.
    """
    return _decorator(function, "fixture", words)


def _decorator(function: Callable[..., Any] | None, subject: Subject, words: Mapping[str, Any]) -> Any:
    options = VerbOptions.of(check_options(words, subject, None))
    return (lambda f: _make(f, options)) if function is None else _make(function, options)


def _make(function: Callable[..., Any], options: VerbOptions) -> Verb:
    from ftl_nb.binding import statements

    module = dispatch.module_being_loaded() or statements.module_of(function, options)
    made = Verb(module, options.name or camel(function.__name__), function=function, options=options)
    if isinstance(function, Verb):
        raise FtlError("bad-option", f"{function.ref} is a verb already.")
    return made
