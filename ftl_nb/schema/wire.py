"""Nodes to protobuf messages and back, without loss.

A node and its message have the same name, and so have their fields; one table per class, read from the message's
descriptor, says how each field is carried. Messages with a oneof only wrap one of several nodes.
Fields that this version does not know stay with the node that they came for, in its `unknown`; a oneof whose member is
unknown is an error, as with the public system. The protobuf runtime is loaded on first use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from ftl_nb.schema.errors import Problem, SchemaError
from ftl_nb.schema.nodes import decls, metadata, runtime, types
from ftl_nb.schema.nodes.base import NOWHERE, Position, Struct, Visibility

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message

    from ftl_nb.schema import schema_pb2 as pb

_N = TypeVar("_N", bound=Struct)
_NANOS = 1_000_000_000
_TOO_DEEP = "types nested too deeply"
_ENUMS: dict[str, type[IntEnum]] = {
    "Visibility": Visibility,
    "AliasKind": metadata.AliasKind,
    "FromOffset": metadata.FromOffset,
    "DeploymentState": runtime.DeploymentState,
}


@dataclass(frozen=True, slots=True)
class _Carrier:
    """How one field is carried: `put` writes a node's value into a message, `get` reads it back (None when absent)."""

    name: str
    put: Callable[[Message, Any], None]
    get: Callable[[Message], Any]


@overload
def to_proto(node: decls.Schema) -> pb.Schema: ...
@overload
def to_proto(node: decls.Realm) -> pb.Realm: ...
@overload
def to_proto(node: decls.Module) -> pb.Module: ...
@overload
def to_proto(node: decls.Verb) -> pb.Verb: ...
@overload
def to_proto(node: types.Ref) -> pb.Ref: ...
@overload
def to_proto(node: runtime.RuntimeElement) -> pb.RuntimeElement: ...
@overload
def to_proto(node: runtime.ModuleRuntime) -> pb.ModuleRuntime: ...
@overload
def to_proto(node: object) -> Message: ...
def to_proto(node: object) -> Message:
    """The message of a node (or runtime node), named as the node.

    Raises:
        SchemaError: a value that protobuf cannot carry: a number beyond its field, text that is no UTF-8, or nodes
            nested too deeply.
    """
    from ftl_nb.schema import schema_pb2

    message: Message = getattr(schema_pb2, type(node).__name__)()
    try:
        _fill(message, node)
    except (ValueError, TypeError) as error:
        raise SchemaError(Problem(f"{message.DESCRIPTOR.name} cannot be carried: {error}")) from error
    except RecursionError:
        raise SchemaError(Problem(_TOO_DEEP)) from None
    return message


def to_bytes(node: object) -> bytes:
    """The bytes of a node's message, fields in ascending order of their numbers.

    Raises:
        SchemaError: as `to_proto`.
    """
    return to_proto(node).SerializeToString(deterministic=True)


@overload
def from_proto(message: pb.Schema) -> decls.Schema: ...
@overload
def from_proto(message: pb.Realm) -> decls.Realm: ...
@overload
def from_proto(message: pb.Module) -> decls.Module: ...
@overload
def from_proto(message: pb.Verb) -> decls.Verb: ...
@overload
def from_proto(message: pb.Ref) -> types.Ref: ...
@overload
def from_proto(message: pb.RuntimeElement) -> runtime.RuntimeElement: ...
@overload
def from_proto(message: pb.ModuleRuntime) -> runtime.ModuleRuntime: ...
@overload
def from_proto(message: Message) -> Any: ...
def from_proto(message: Message) -> Any:
    """The node of a message; a oneof message (`Type`, `Decl`, ...) gives the node inside.

    Raises:
        SchemaError: a oneof without a member, an enum number that does not exist, a required part that is missing, or
            messages nested too deeply.
    """
    try:
        return _node(message)
    except RecursionError:
        raise SchemaError(Problem(_TOO_DEEP)) from None


def from_bytes(cls: type[_N], data: bytes) -> _N:
    """The node of this class that the bytes of its message say.

    Raises:
        SchemaError: as `from_proto`, and for bytes that are no such message.
    """
    from google.protobuf.message import DecodeError

    from ftl_nb.schema import schema_pb2

    message: Message = getattr(schema_pb2, cls.__name__)()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise SchemaError(Problem(f"these bytes are no message {cls.__name__}")) from None
    found: _N = from_proto(message)
    return found


def _node(message: Message) -> Any:
    descriptor = cast("Descriptor", message.DESCRIPTOR)
    if _is_wrapper(descriptor):
        return _unwrap(message)
    cls = _classes().get(descriptor.name)
    if cls is None:
        raise SchemaError(Problem(f"message {descriptor.name} has no node"))
    values = {carrier.name: value for carrier in _carriers(descriptor) if (value := carrier.get(message)) is not None}
    if unknown := _unknown(message):
        values["unknown"] = unknown
    try:
        return cls(**values)
    except TypeError as error:
        raise SchemaError(Problem(f"incomplete {descriptor.name}: {error}")) from error


def _fill(message: Message, node: object) -> None:
    for carrier in _carriers(cast("Descriptor", message.DESCRIPTOR)):
        value = getattr(node, carrier.name)
        if value is not None:
            carrier.put(message, value)
    if unknown := getattr(node, "unknown", b""):
        message.MergeFromString(unknown)


def _unknown(message: Message) -> bytes:
    """The fields of a message, not of those below it, that its descriptor does not know."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    if not len(UnknownFieldSet(message)):
        return b""
    rest = type(message)()
    rest.CopyFrom(message)
    for field, _ in message.ListFields():
        rest.ClearField(field.name)
    return rest.SerializeToString()


@cache
def _classes() -> dict[str, type[Any]]:
    found = (value for module in (decls, metadata, runtime, types) for value in vars(module).values())
    return {cls.__name__: cls for cls in (*found, Position) if isinstance(cls, type)}


@cache
def _carriers(descriptor: Descriptor) -> tuple[_Carrier, ...]:
    return tuple(_carrier(field) for field in descriptor.fields)


def _is_wrapper(descriptor: Descriptor) -> bool:
    return [oneof.name for oneof in descriptor.oneofs] == ["value"]


@cache
def _members(descriptor: Descriptor) -> dict[str, str]:
    """The oneof members of a wrapper by node class name."""
    return {field.message_type.name: field.name for field in descriptor.fields if field.message_type}


def _wrap(message: Message, node: object) -> None:
    inner = getattr(message, _members(cast("Descriptor", message.DESCRIPTOR))[type(node).__name__])
    inner.SetInParent()
    _fill(inner, node)


def _unwrap(message: Message) -> Any:
    member = message.WhichOneof("value")
    if member is None:
        raise SchemaError(Problem("unknown variant: <nil>"))
    return _node(getattr(message, member))


# One carrier a field form


def _carrier(field: FieldDescriptor) -> _Carrier:
    if field.message_type is None:
        return _scalars(field.name) if field.is_repeated else _scalar(field)
    if field.message_type.full_name == "google.protobuf.Timestamp":
        return _timestamp(field.name)
    if field.name == "pos":
        return _position()
    put_one = _wrap if _is_wrapper(field.message_type) else _fill
    return _messages(field.name, put_one) if field.is_repeated else _message(field.name, put_one)


def _scalar(field: FieldDescriptor) -> _Carrier:
    name, enum = field.name, _ENUMS.get(field.enum_type.name) if field.enum_type else None

    def get(message: Message) -> Any:
        if field.has_presence and not message.HasField(name):
            return None
        value = getattr(message, name)
        return _enum_value(enum, value) if enum else value

    return _Carrier(name, lambda message, value: setattr(message, name, value), get)


def _scalars(name: str) -> _Carrier:
    return _Carrier(
        name, lambda message, value: getattr(message, name).extend(value), lambda message: tuple(getattr(message, name))
    )


def _message(name: str, put_one: Callable[[Message, Any], None]) -> _Carrier:
    def put(message: Message, value: Any) -> None:
        inner = getattr(message, name)
        inner.SetInParent()
        put_one(inner, value)

    return _Carrier(name, put, lambda message: _node(getattr(message, name)) if message.HasField(name) else None)


def _messages(name: str, put_one: Callable[[Message, Any], None]) -> _Carrier:
    def put(message: Message, value: Any) -> None:
        items = getattr(message, name)
        for item in value:
            put_one(items.add(), item)

    return _Carrier(name, put, lambda message: tuple(_node(item) for item in getattr(message, name)))


def _timestamp(name: str) -> _Carrier:
    def put(message: Message, value: int) -> None:
        stamp = getattr(message, name)
        stamp.SetInParent()
        stamp.seconds, stamp.nanos = divmod(value, _NANOS)

    def get(message: Message) -> int | None:
        stamp = getattr(message, name)
        return stamp.seconds * _NANOS + stamp.nanos if message.HasField(name) else None

    return _Carrier(name, put, get)


def _position() -> _Carrier:
    # Always written, as the public system does, so that equal schemas have equal bytes.
    def put(message: Any, value: Position) -> None:
        message.pos.SetInParent()
        if value:
            message.pos.filename, message.pos.line, message.pos.column = value.filename, value.line, value.column

    def get(message: Any) -> Position:
        pos = message.pos
        return Position(pos.filename, pos.line, pos.column) if pos.ByteSize() else NOWHERE

    return _Carrier("pos", put, get)


def _enum_value(enum: type[IntEnum], number: int) -> IntEnum:
    try:
        return enum(number)
    except ValueError:
        raise SchemaError(Problem(f"{enum.__name__} has no value {number}")) from None
