import subprocess
import sys

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings

from ftl_nb import schema
from ftl_nb.schema import schema_pb2 as pb
from ftl_nb.schema import testkit

BYTES = [
    (schema.Module("m"), "0a0022016d"),
    (schema.Verb("v", schema.Unit(), schema.Unit()), "0a002201762a0452020a00320452020a00"),
]


@pytest.mark.parametrize(("node", "expected"), BYTES)
def test_the_bytes_are_the_public_ones(node: schema.Node, expected: str) -> None:
    assert schema.to_proto(node).SerializeToString(deterministic=True).hex() == expected


@settings(max_examples=40, deadline=None)
@given(testkit.schemas())
def test_schemas_come_back(node: schema.Schema) -> None:
    message = pb.Schema.FromString(schema.to_proto(node).SerializeToString())
    assert schema.from_proto(message) == node


@settings(max_examples=40, deadline=None)
@given(testkit.everything())
def test_modules_with_runtime_come_back(node: schema.Module) -> None:
    message = pb.Module.FromString(schema.to_proto(node).SerializeToString())
    assert schema.from_proto(message) == node


def test_positions_are_carried() -> None:
    ref = schema.Ref("shop", "Order", pos=schema.Position("shop.ftl", 3, 5))
    assert schema.from_proto(schema.to_proto(ref)).pos == ref.pos


def test_runtime_elements_are_carried() -> None:
    element = schema.RuntimeElement(schema.ModuleRuntimeRunner("http://127.0.0.1:1"), "dpl-shop-1", "verb")
    assert schema.from_proto(schema.to_proto(element)) == element


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (pb.Type(), "unknown variant: <nil>"),
        (pb.Module(decls=[pb.Decl()]), "unknown variant: <nil>"),
        (pb.Event(), "unknown variant: <nil>"),
        (pb.ChangesetDrainedEvent(), "message ChangesetDrainedEvent has no node"),
    ],
)
def test_messages_that_are_no_node(message: Message, text: str) -> None:
    with pytest.raises(schema.SchemaError, match=text):
        schema.from_proto(message)


def test_a_missing_part_is_named() -> None:
    with pytest.raises(schema.SchemaError, match=r"incomplete Verb: .*'request'"):
        schema.from_proto(pb.Verb(name="v"))


def test_a_number_outside_an_enum_is_named() -> None:
    with pytest.raises(schema.SchemaError, match="Visibility has no value 9"):
        schema.from_proto(pb.Data(name="d", visibility=9))  # type: ignore[arg-type]


def test_protobuf_is_loaded_on_first_use() -> None:
    code = "import sys, ftl_nb.schema; sys.exit('google.protobuf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


#: Fields 100 (text) and 101 (a number) that no message has.
UNKNOWN = b"\xa2\x06\x03abc\xa8\x06\x07"


def test_unknown_fields_come_back_at_every_depth() -> None:
    message = schema.to_proto(schema.parse_module("module m { data D { x [Int] } verb v(Unit) Unit +calls m.v }"))
    message.runtime.base.language = "python"
    for part in (
        message,
        message.runtime.base,
        message.decls[0].data.fields[0].type.array.element.int,
        message.decls[1].verb,
        message.decls[1].verb.metadata[0].calls.calls[0],
    ):
        part.MergeFromString(UNKNOWN)
    node = schema.from_proto(message)
    assert node.unknown == node.decls[1].unknown == UNKNOWN
    assert schema.to_bytes(node) == message.SerializeToString(deterministic=True)
    assert schema.from_bytes(schema.Module, schema.to_bytes(node)).unknown == UNKNOWN


def test_unknown_fields_take_no_part_in_equality() -> None:
    assert schema.Int(unknown=UNKNOWN) == schema.Int()


@settings(max_examples=40, deadline=None)
@given(testkit.everything())
def test_bytes_come_back(node: schema.Module) -> None:
    assert schema.from_bytes(schema.Module, schema.to_bytes(node)) == node


def nested(depth: int) -> schema.Type:
    found: schema.Type = schema.Int()
    for _ in range(depth):
        found = schema.Array(found)
    return found


BOMB = b"".join((b"\x3a", b"\x80\x80\x40", b"\x12", b"\x80\x80\x40")) * 20_000
UNREADABLE = [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x12\x01", BOMB]


@pytest.mark.parametrize("data", UNREADABLE)
def test_bytes_that_are_no_message_are_named(data: bytes) -> None:
    with pytest.raises(schema.SchemaError, match="these bytes are no message Module"):
        schema.from_bytes(schema.Module, data)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (schema.IntValue(2**70), "IntValue cannot be carried"),
        (schema.Ref("a", "\udc80"), "Ref cannot be carried"),
        (nested(5_000), "types nested too deeply"),
    ],
    ids=["number", "text", "deep"],
)
def test_nodes_that_no_message_can_carry(node: schema.Node, text: str) -> None:
    with pytest.raises(schema.SchemaError, match=text):
        schema.to_bytes(node)
