"""Runtime nodes: what the running system adds to a schema. They have no text form.

Times are nanoseconds since the Unix epoch, None when absent.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias as Alias

from ftl_nb.schema.nodes.base import Node, Struct


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


class ModuleRuntimeBase(Struct):
    """How a module was built; `image` is the runner image without a tag."""

    language: str
    create_time: int | None = None
    os: str | None = None
    arch: str | None = None
    image: str | None = None


class ModuleRuntimeScaling(Struct):
    """How many runners a module wants."""

    min_replicas: int = 1


class ModuleRuntimeDeployment(Struct):
    """Which deployment of the module this is."""

    deployment_key: str
    created_at: int | None = None
    activated_at: int | None = None
    state: DeploymentState = DeploymentState.UNSPECIFIED


class ModuleRuntimeRunner(Struct):
    """Where the module's runner listens."""

    endpoint: str = ""
    runner_not_required: bool = False


class ModuleRuntimeImage(Struct):
    """The image a module runs from."""

    image: str


class ModuleRuntime(Struct):
    """Everything the running system knows of a module."""

    base: ModuleRuntimeBase
    scaling: ModuleRuntimeScaling | None = None
    deployment: ModuleRuntimeDeployment | None = None
    runner: ModuleRuntimeRunner | None = None
    image: ModuleRuntimeImage | None = None


class DSNDatabaseConnector(Node):
    """A connection by data source name."""

    database: str
    dsn: str


class AWSIAMAuthDatabaseConnector(Node):
    """A connection by a cloud identity."""

    username: str
    endpoint: str
    database: str


class YAMLFileCredentialsConnector(Node):
    """A connection whose credentials stand in a file."""

    path: str
    dsn_template: str


DatabaseConnector: Alias = DSNDatabaseConnector | AWSIAMAuthDatabaseConnector | YAMLFileCredentialsConnector


class DatabaseRuntimeConnections(Struct):
    """The connections of a database."""

    read: DatabaseConnector
    write: DatabaseConnector


class DatabaseRuntime(Struct):
    """What the running system knows of a database."""

    connections: DatabaseRuntimeConnections | None = None


class TopicRuntime(Struct):
    """Where a topic's events are."""

    kafka_brokers: tuple[str, ...] = ()
    topic_id: str = ""


class PlaintextKafkaSubscriptionConnector(Struct):
    """Where a subscriber reads."""

    kafka_brokers: tuple[str, ...] = ()


SubscriptionConnector: Alias = PlaintextKafkaSubscriptionConnector


class EgressTarget(Struct):
    """An egress expression and the address it stands for."""

    expression: str
    target: str


class EgressRuntime(Struct):
    """The addresses a verb may reach."""

    targets: tuple[EgressTarget, ...] = ()


class VerbRuntime(Struct):
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


class RuntimeElement(Struct):
    """One change of the running system: to the deployment's module, or to the declaration `name` in it."""

    element: Runtime
    deployment: str
    name: str | None = None
