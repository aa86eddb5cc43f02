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
