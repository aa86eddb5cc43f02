"""What a verb takes and gives, and how the arguments of a call become its one request."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ftl_nb.binding.streams import is_stream
from ftl_nb.errors import fail


class _Nothing:
    """Stands for the request of a verb that takes none."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING: Any = _Nothing()


@dataclass(frozen=True, slots=True)
class Signature:
    """`request` and `response` are annotations (NOTHING and None for none); `parameter` is the request's own name.

    `spread` verbs (SQL) take the fields of their request by position too. `streams` says whether the request, the
    response or both are streams: every call asks for it.
    """

    request: Any
    response: Any
    parameter: str = ""
    injected: tuple[str, ...] = ()
    spread: bool = False
    streams: bool = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "streams", is_stream(self.request) or is_stream(self.response))

    @property
    def fields(self) -> tuple[str, ...]:
        """The request's fields that may be given as keywords."""
        origin = typing.get_origin(self.request) or self.request
        if isinstance(origin, type) and dataclasses.is_dataclass(origin):
            return tuple(f.name for f in dataclasses.fields(origin))
        return ()

    @property
    def taken(self) -> str:
        """What an error calls the type of the request."""
        return "nothing" if self.request is NOTHING else _name(self.request)

    @property
    def given(self) -> str:
        """What an error calls the type of the answer."""
        return _name(self.response)

    def __str__(self) -> str:
        return f"({'' if self.request is NOTHING else self.taken}) -> {self.given}"


def _name(annotation: Any) -> str:
    plain = isinstance(annotation, type) and not typing.get_args(annotation)
    return annotation.__name__ if plain else str(annotation)


def signature_of(function: Callable[..., Any]) -> Signature:
    """The signature of a verb's function, its annotations resolved; the compiler has refused what does not fit."""
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    injected = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
    response = hints.get("return")
    response = None if response is type(None) else response
    if not positional:
        return Signature(NOTHING, response, injected=injected)
    name = positional[0].name
    return Signature(hints.get(name, Any), response, name, injected)


def build_request(verb: str, sig: Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The one request of a call, NOTHING for a verb without one. Raises FtlError `call-arguments`."""
    if sig.request is NOTHING:
        if args or kwargs:
            raise _refuse(verb, sig, "it takes no request")
        return NOTHING
    if len(args) == 1 and not kwargs and not (sig.spread and _is_field_value(sig, args[0])):
        return args[0]
    if len(args) > 1 and not sig.spread:
        raise _refuse(verb, sig, f"it takes one request, {len(args)} were given")
    return _from_keywords(verb, sig, args, kwargs)


def _is_field_value(sig: Signature, value: Any) -> bool:
    """Whether the only argument of a spread verb is its first field rather than its whole request."""
    origin = typing.get_origin(sig.request) or sig.request
    return bool(sig.fields) and not isinstance(value, origin)


def _from_keywords(verb: str, sig: Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    fields = sig.fields
    if not fields or (set(kwargs) == {sig.parameter} and not args):
        return _single(verb, sig, args, kwargs)
    given = {**dict(zip(fields, args, strict=False)), **kwargs}
    unknown = [name for name in given if name not in fields]
    if unknown or len(args) > len(fields) or len(given) < len(args) + len(kwargs):
        raise _refuse(verb, sig, f"its fields are {', '.join(fields)}")
    try:
        return sig.request(**given)
    except TypeError as e:
        raise _refuse(verb, sig, str(e).split(") ", 1)[-1].replace("__init__() ", "")) from None


def _single(verb: str, sig: Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    if len(args) + len(kwargs) != 1 or (kwargs and sig.parameter not in kwargs):
        raise _refuse(verb, sig, f"it takes one request, {sig.parameter}")
    return args[0] if args else kwargs[sig.parameter]


def _refuse(verb: str, sig: Signature, why: str) -> Exception:
    return fail("call-arguments", verb=verb, why=why, type=sig.taken)
