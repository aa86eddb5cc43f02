"""Runtime nodes: what the running system adds to a schema. They have no text form.

Times are nanoseconds since the Unix epoch, None when absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias as Alias

from ftl_nb.schema.nodes.base import Node


class DeploymentState(IntEnum):
    """The life of a deployment, in order."""

    UNSPECIFIED = 0
    PROVISIONING = 1
    READY = 2
    CANARY = 3
    CANONICAL = 4
    DRAINING = 5
    DE_PROVISIONING = 6
    DELETED = 7
    FAILED = 8


@dataclass(frozen=True, slots=True)
class ModuleRuntimeBase:
    """How a module was built; `image` is the runner image without a tag."""

    language: str
    create_time: int | None = None
    os: str | None = None
    arch: str | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class ModuleRuntimeScaling:
    """How many runners a module wants."""

    min_replicas: int = 1


@dataclass(frozen=True, slots=True)
class ModuleRuntimeDeployment:
    """Which deployment of the module this is."""

    deployment_key: str
    created_at: int | None = None
    activated_at: int | None = None
    state: DeploymentState = DeploymentState.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class ModuleRuntimeRunner:
    """Where the module's runner listens."""

    endpoint: str = ""
    runner_not_required: bool = False


@dataclass(frozen=True, slots=True)
class ModuleRuntimeImage:
    """The image a module runs from."""

    image: str


@dataclass(frozen=True, slots=True)
class ModuleRuntime:
    """Everything the running system knows of a module."""

    base: ModuleRuntimeBase
    scaling: ModuleRuntimeScaling | None = None
    deployment: ModuleRuntimeDeployment | None = None
    runner: ModuleRuntimeRunner | None = None
    image: ModuleRuntimeImage | None = None


@dataclass(frozen=True, slots=True)
class DSNDatabaseConnector(Node):
    """A connection by data source name."""

    database: str
    dsn: str


@dataclass(frozen=True, slots=True)
class AWSIAMAuthDatabaseConnector(Node):
    """A connection by a cloud identity."""

    username: str
    endpoint: str
    database: str


@dataclass(frozen=True, slots=True)
class YAMLFileCredentialsConnector(Node):
    """A connection whose credentials stand in a file."""

    path: str
    dsn_template: str


DatabaseConnector: Alias = DSNDatabaseConnector | AWSIAMAuthDatabaseConnector | YAMLFileCredentialsConnector


@dataclass(frozen=True, slots=True)
class DatabaseRuntimeConnections:
    """The connections of a database."""

    read: DatabaseConnector
    write: DatabaseConnector


@dataclass(frozen=True, slots=True)
class DatabaseRuntime:
    """What the running system knows of a database."""

    connections: DatabaseRuntimeConnections | None = None


@dataclass(frozen=True, slots=True)
class TopicRuntime:
    """Where a topic's events are."""

    kafka_brokers: tuple[str, ...] = ()
    topic_id: str = ""


@dataclass(frozen=True, slots=True)
class PlaintextKafkaSubscriptionConnector:
    """Where a subscriber reads."""

    kafka_brokers: tuple[str, ...] = ()


SubscriptionConnector: Alias = PlaintextKafkaSubscriptionConnector


@dataclass(frozen=True, slots=True)
class EgressTarget:
    """An egress expression and the address it stands for."""

    expression: str
    target: str


@dataclass(frozen=True, slots=True)
class EgressRuntime:
    """The addresses a verb may reach."""

    targets: tuple[EgressTarget, ...] = ()


@dataclass(frozen=True, slots=True)
class VerbRuntime:
    """What the running system knows of a verb."""

    subscription_connector: SubscriptionConnector | None = None
    egress_runtime: EgressRuntime | None = None


Runtime: Alias = (
    ModuleRuntimeDeployment
    | ModuleRuntimeScaling
    | ModuleRuntimeRunner
    | ModuleRuntimeImage
    | TopicRuntime
    | DatabaseRuntime
    | EgressRuntime
    | PlaintextKafkaSubscriptionConnector
)


@dataclass(frozen=True, slots=True)
class RuntimeElement:
    """One change of the running system: to the deployment's module, or to the declaration `name` in it."""

    element: Runtime
    deployment: str
    name: str | None = None
