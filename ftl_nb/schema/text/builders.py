"""From what a rule captured to its node."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ftl_nb.schema.nodes import decls, metadata, types
from ftl_nb.schema.nodes.base import Node, Visibility
from ftl_nb.schema.quote import quote
from ftl_nb.schema.text.captures import Captures

Builder = Callable[[Captures], Any]
_VISIBILITIES = {"": Visibility.NONE, "export": Visibility.MODULE, "export realm": Visibility.REALM}
_HEX_DIGITS = re.compile(r"([0-9a-fA-F]{2})*\Z")
_DIGEST_LENGTH = 64
_OCTAL = re.compile(r"0[0-7]*\Z")
_DECIMAL = re.compile(r"[1-9][0-9]*\Z")


def schema(found: Captures) -> decls.Schema:
    return decls.Schema(found.all("realms"), pos=found.pos)


def realm(found: Captures) -> decls.Realm:
    external, metadata_ = found.has("external"), found.all("metadata")
    return decls.Realm(found.text("name"), found.all("modules"), external, metadata_, pos=found.pos)


def module(found: Captures) -> decls.Module:
    return decls.Module(
        found.text("name"),
        found.all("decls"),
        found.all("metadata"),
        found.all("comments"),
        found.has("builtin"),
        pos=found.pos,
    )


def data(found: Captures) -> decls.Data:
    return decls.Data(
        found.text("name"), found.all("fields"), found.all("type_parameters"), **_head(found), **_metadata(found)
    )


def field(found: Captures) -> decls.Field:
    return decls.Field(found.text("name"), found.one("type"), **_metadata(found), **_comments(found))


def type_parameter(found: Captures) -> decls.TypeParameter:
    return decls.TypeParameter(found.text("name"), pos=found.pos)


def enum(found: Captures) -> decls.Enum:
    return decls.Enum(found.text("name"), found.all("variants"), found.one("type"), **_head(found))


def variant(found: Captures) -> decls.EnumVariant:
    return decls.EnumVariant(found.text("name"), found.one("value"), **_comments(found))


def type_alias(found: Captures) -> decls.TypeAlias:
    return decls.TypeAlias(found.text("name"), found.one("type"), **_head(found), **_metadata(found))


def verb(found: Captures) -> decls.Verb:
    request, response = found.one("request"), found.one("response")
    return decls.Verb(found.text("name"), request, response, **_head(found), **_metadata(found))


def topic(found: Captures) -> decls.Topic:
    return decls.Topic(found.text("name"), found.one("event"), **_head(found), **_metadata(found))


def database(found: Captures) -> decls.Database:
    return decls.Database(found.text("name"), found.text("engine"), **_metadata(found), **_comments(found))


def config(found: Captures) -> decls.Config:
    return decls.Config(found.text("name"), found.one("type"), **_comments(found))


def secret(found: Captures) -> decls.Secret:
    return decls.Secret(found.text("name"), found.one("type"), **_comments(found))


def _comments(found: Captures) -> dict[str, Any]:
    return {"comments": found.all("comments"), "pos": found.pos}


def _head(found: Captures) -> dict[str, Any]:
    return {"visibility": _VISIBILITIES[found.text("visibility")], **_comments(found)}


def _metadata(found: Captures) -> dict[str, Any]:
    return {"metadata": found.all("metadata")}


# Types and values


def primitive(name: str) -> Builder:
    cls = types.PRIMITIVES[name]
    return lambda found: cls(pos=found.pos)


def array(found: Captures) -> types.Array:
    return types.Array(found.one("element"), pos=found.pos)


def map_(found: Captures) -> types.Map:
    return types.Map(found.one("key"), found.one("value"), pos=found.pos)


def optional(found: Captures) -> Node:
    # The optional node itself has no position in the public system.
    bare: Any = found.one("type")
    return types.Optional(bare) if found.has("optional") else bare


def stream(found: Captures) -> types.Stream:
    return types.Stream(found.one("element"), pos=found.pos)


def ref(found: Captures) -> types.Ref:
    return types.Ref(found.text("module"), found.text("name"), found.all("arguments"), pos=found.pos)


def string_value(found: Captures) -> types.StringValue:
    return types.StringValue(found.text("value"), pos=found.pos)


def int_value(found: Captures) -> types.IntValue:
    return types.IntValue(integer(found, "value"), pos=found.pos)


def type_value(found: Captures) -> types.TypeValue:
    return types.TypeValue(found.one("value"), pos=found.pos)


def integer(found: Captures, name: str) -> int:
    """A 64-bit number; a leading zero means octal."""
    text = found.text(name)
    if not (_OCTAL.match(text) or _DECIMAL.match(text)):
        raise _not_int(found, name, "invalid syntax")
    value = int(text, 8 if _OCTAL.match(text) else 10) if len(text) <= _DIGEST_LENGTH else 1 << 63
    if value >= 1 << 63:
        raise _not_int(found, name, "value out of range")
    return value


def _not_int(found: Captures, name: str, reason: str) -> Exception:
    return found.refuse(name, f"failed to conform: strconv.ParseInt: parsing {quote(found.text(name))}: {reason}")


# Metadata


def calls(found: Captures) -> metadata.MetadataCalls:
    return metadata.MetadataCalls(found.all("refs"), pos=found.pos)


def configs(found: Captures) -> metadata.MetadataConfig:
    return metadata.MetadataConfig(found.all("refs"), pos=found.pos)


def secrets(found: Captures) -> metadata.MetadataSecrets:
    return metadata.MetadataSecrets(found.all("refs"), pos=found.pos)


def databases(found: Captures) -> metadata.MetadataDatabases:
    return metadata.MetadataDatabases(found.all("refs"), pos=found.pos)


def publisher(found: Captures) -> metadata.MetadataPublisher:
    return metadata.MetadataPublisher(found.all("refs"), pos=found.pos)


def path_literal(found: Captures) -> metadata.IngressPathLiteral:
    return metadata.IngressPathLiteral(found.text("text"), pos=found.pos)


def path_parameter(found: Captures) -> metadata.IngressPathParameter:
    return metadata.IngressPathParameter(found.text("name"), pos=found.pos)


def ingress(found: Captures) -> metadata.MetadataIngress:
    return metadata.MetadataIngress(found.text("type"), found.text("method"), found.all("path"), pos=found.pos)


def websocket(found: Captures) -> metadata.MetadataIngress:
    return metadata.MetadataIngress("websocket", "GET", found.all("path"), pos=found.pos)


def headers(found: Captures) -> metadata.MetadataHeaders:
    return metadata.MetadataHeaders(found.all("request"), found.all("response"), pos=found.pos)


def cron(found: Captures) -> metadata.MetadataCronJob:
    return metadata.MetadataCronJob(found.text("text"), pos=found.pos)


def alias(found: Captures) -> metadata.MetadataAlias:
    kind = metadata.AliasKind.__members__.get(found.text("kind").upper())
    if kind is None:
        raise found.refuse(
            "kind", f"failed to unmarshal text: {found.text('kind')} does not belong to AliasKind values"
        )
    return metadata.MetadataAlias(kind, found.text("text"), pos=found.pos)


def retry(found: Captures) -> metadata.MetadataRetry:
    count = integer(found, "count") if found.has("count") else None
    backoffs = found.text("min"), found.text("max")
    return metadata.MetadataRetry(count, *backoffs, found.one("catch"), pos=found.pos)


def subscriber(found: Captures) -> metadata.MetadataSubscriber:
    offset = metadata.FromOffset[found.text("offset").upper()]
    return metadata.MetadataSubscriber(found.one("topic"), offset, found.has("deadletter"), pos=found.pos)


def type_map(found: Captures) -> metadata.MetadataTypeMap:
    return metadata.MetadataTypeMap(found.text("runtime"), found.text("native_name"), pos=found.pos)


def encoding(found: Captures) -> metadata.MetadataEncoding:
    return metadata.MetadataEncoding(found.text("type"), found.has("lenient"), pos=found.pos)


def migration(found: Captures) -> metadata.MetadataSQLMigration:
    return metadata.MetadataSQLMigration(found.text("digest"), pos=found.pos)


def artefact(found: Captures) -> metadata.MetadataArtefact:
    return metadata.MetadataArtefact(found.text("path"), _digest(found), found.has("executable"), pos=found.pos)


def image(found: Captures) -> metadata.MetadataImage:
    return metadata.MetadataImage(found.text("image"), _digest(found), pos=found.pos)


def _digest(found: Captures) -> str:
    """Hex digits, lower case, filled with zeros; more than 64 are refused (the public parser crashes on them)."""
    text = found.text("digest")
    if not _HEX_DIGITS.match(text) or len(text) > _DIGEST_LENGTH:
        raise found.refuse("digest", f"failed to unmarshal text: {quote(text)} is no digest of 64 hex digits")
    return text.lower().ljust(_DIGEST_LENGTH, "0")


def partitions(found: Captures) -> metadata.MetadataPartitions:
    return metadata.MetadataPartitions(integer(found, "count"), pos=found.pos)


def sql_query(found: Captures) -> metadata.MetadataSQLQuery:
    return metadata.MetadataSQLQuery(found.text("command"), found.text("query"), pos=found.pos)


def sql_column(found: Captures) -> metadata.MetadataSQLColumn:
    return metadata.MetadataSQLColumn(found.text("table"), found.text("column"), pos=found.pos)


def generated(found: Captures) -> metadata.MetadataGenerated:
    return metadata.MetadataGenerated(pos=found.pos)


def git(found: Captures) -> metadata.MetadataGit:
    return metadata.MetadataGit(found.text("repository"), found.text("commit"), found.has("dirty"), pos=found.pos)


def fixture(found: Captures) -> metadata.MetadataFixture:
    return metadata.MetadataFixture(found.has("manual"), pos=found.pos)


def transaction(found: Captures) -> metadata.MetadataTransaction:
    return metadata.MetadataTransaction(pos=found.pos)


def egress(found: Captures) -> metadata.MetadataEgress:
    return metadata.MetadataEgress(found.all("targets"), pos=found.pos)
