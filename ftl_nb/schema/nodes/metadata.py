"""Metadata: the `+word` lines of modules, declarations and fields."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias as Alias

from ftl_nb.schema.nodes.base import Node
from ftl_nb.schema.nodes.types import Ref


class AliasKind(IntEnum):
    """Where an alias holds."""

    UNSPECIFIED = 0
    JSON = 1


class FromOffset(IntEnum):
    """Where a subscription starts to read."""

    UNSPECIFIED = 0
    BEGINNING = 1
    LATEST = 2


class MetadataCalls(Node):
    """The verbs a verb calls."""

    calls: tuple[Ref, ...]


class MetadataConfig(Node):
    """The configs a verb reads."""

    config: tuple[Ref, ...]


class MetadataSecrets(Node):
    """The secrets a verb reads."""

    secrets: tuple[Ref, ...]


class MetadataDatabases(Node):
    """The databases a verb uses."""

    uses: tuple[Ref, ...]


class MetadataPublisher(Node):
    """The topics a verb publishes to."""

    topics: tuple[Ref, ...]


class IngressPathLiteral(Node):
    """A fixed part of an ingress path."""

    text: str


class IngressPathParameter(Node):
    """A `{name}` part of an ingress path."""

    name: str


IngressPathComponent: Alias = IngressPathLiteral | IngressPathParameter


class MetadataIngress(Node):
    """An HTTP route to the verb; `type` is `http`, `websocket`, or empty where the word was left out.

    The method of a WebSocket is that of its handshake, `GET`.
    """

    type: str
    method: str
    path: tuple[IngressPathComponent, ...] = ()


class MetadataCronJob(Node):
    """When the verb runs by itself."""

    cron: str


class MetadataAlias(Node):
    """Another name of a field in a foreign form."""

    kind: AliasKind
    alias: str


class MetadataRetry(Node):
    """How a subscriber is tried again; backoffs are texts such as `1m30s`, empty when not given."""

    count: int | None = None
    min_backoff: str = ""
    max_backoff: str = ""
    catch: Ref | None = None


class MetadataSubscriber(Node):
    """The topic a verb reads."""

    topic: Ref
    from_offset: FromOffset
    dead_letter: bool = False


class MetadataTypeMap(Node):
    """The type of a host language behind an alias; `runtime` is `go`, `kotlin`, `java` or `python`."""

    runtime: str
    native_name: str


class MetadataEncoding(Node):
    """How ingress bodies are read."""

    type: str = "json"
    lenient: bool = False


class MetadataSQLMigration(Node):
    """Digest (64 hex digits) of a database's migrations."""

    digest: str


class MetadataSQLQuery(Node):
    """The statement a verb runs; `command` is `one`, `many`, `exec` and so on."""

    command: str
    query: str


class MetadataSQLColumn(Node):
    """The column a field holds."""

    table: str
    name: str


class MetadataArtefact(Node):
    """A file of a deployment; `digest` is 64 hex digits."""

    path: str
    digest: str
    executable: bool = False


class MetadataImage(Node):
    """A container image of a deployment; `digest` is 64 hex digits."""

    image: str
    digest: str


class MetadataPartitions(Node):
    """The number of partitions of a topic."""

    partitions: int


class MetadataGit(Node):
    """Where a module's source came from."""

    repository: str
    commit: str
    dirty: bool = False


class MetadataFixture(Node):
    """The verb fills a database in development; a manual one only when asked."""

    manual: bool = False


class MetadataEgress(Node):
    """The addresses a verb may reach, with `${config}` places."""

    targets: tuple[str, ...]


class MetadataGenerated(Node):
    """The declaration was made by a tool."""


class MetadataTransaction(Node):
    """The verb runs in one database transaction."""


class MetadataHeaders(Node):
    """Names of headers that go with a call, and come back with its answer; on a realm or module for all its verbs."""

    request: tuple[str, ...] = ()
    response: tuple[str, ...] = ()


Metadata: Alias = (
    MetadataCalls
    | MetadataConfig
    | MetadataSecrets
    | MetadataDatabases
    | MetadataPublisher
    | MetadataIngress
    | MetadataCronJob
    | MetadataAlias
    | MetadataRetry
    | MetadataSubscriber
    | MetadataTypeMap
    | MetadataEncoding
    | MetadataSQLMigration
    | MetadataSQLQuery
    | MetadataSQLColumn
    | MetadataArtefact
    | MetadataImage
    | MetadataPartitions
    | MetadataGit
    | MetadataFixture
    | MetadataEgress
    | MetadataGenerated
    | MetadataTransaction
    | MetadataHeaders
)
VERB_METADATA_ORDER: tuple[type[Node], ...] = (
    MetadataIngress,
    MetadataAlias,
    MetadataEncoding,
    MetadataCalls,
    MetadataDatabases,
    MetadataSecrets,
    MetadataConfig,
    MetadataCronJob,
    MetadataPublisher,
    MetadataSubscriber,
    MetadataRetry,
    MetadataTypeMap,
    MetadataSQLMigration,
    MetadataArtefact,
    MetadataSQLColumn,
    MetadataSQLQuery,
    MetadataPartitions,
    MetadataGenerated,
    MetadataGit,
    MetadataFixture,
    MetadataTransaction,
    MetadataEgress,
    MetadataImage,
    MetadataHeaders,
)
"""The canonical order of a verb's metadata."""
