"""The schema language: nodes, text, rules, protobuf and differences. Imports nothing else of the project.

`parse(text)` reads a schema, `str(node)` prints canonically, `validate(schema)` checks and normalises,
`diff(old, new)` says what changed and who breaks, `to_proto`/`from_proto` are the wire form.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ftl_nb.schema import names as names
from ftl_nb.schema.builtin import builtin_module as builtin_module
from ftl_nb.schema.builtin import with_builtins as with_builtins
from ftl_nb.schema.errors import Problem as Problem
from ftl_nb.schema.errors import SchemaError as SchemaError
from ftl_nb.schema.nodes.base import NOWHERE as NOWHERE
from ftl_nb.schema.nodes.base import Node as Node
from ftl_nb.schema.nodes.base import Position as Position
from ftl_nb.schema.nodes.base import Struct as Struct
from ftl_nb.schema.nodes.base import Visibility as Visibility
from ftl_nb.schema.nodes.decls import DECL_KINDS as DECL_KINDS
from ftl_nb.schema.nodes.decls import Config as Config
from ftl_nb.schema.nodes.decls import Data as Data
from ftl_nb.schema.nodes.decls import Database as Database
from ftl_nb.schema.nodes.decls import Decl as Decl
from ftl_nb.schema.nodes.decls import Enum as Enum
from ftl_nb.schema.nodes.decls import EnumVariant as EnumVariant
from ftl_nb.schema.nodes.decls import Field as Field
from ftl_nb.schema.nodes.decls import Module as Module
from ftl_nb.schema.nodes.decls import Realm as Realm
from ftl_nb.schema.nodes.decls import Schema as Schema
from ftl_nb.schema.nodes.decls import Secret as Secret
from ftl_nb.schema.nodes.decls import Topic as Topic
from ftl_nb.schema.nodes.decls import TypeAlias as TypeAlias
from ftl_nb.schema.nodes.decls import TypeParameter as TypeParameter
from ftl_nb.schema.nodes.decls import Verb as Verb
from ftl_nb.schema.nodes.metadata import VERB_METADATA_ORDER as VERB_METADATA_ORDER
from ftl_nb.schema.nodes.metadata import AliasKind as AliasKind
from ftl_nb.schema.nodes.metadata import FromOffset as FromOffset
from ftl_nb.schema.nodes.metadata import IngressPathComponent as IngressPathComponent
from ftl_nb.schema.nodes.metadata import IngressPathLiteral as IngressPathLiteral
from ftl_nb.schema.nodes.metadata import IngressPathParameter as IngressPathParameter
from ftl_nb.schema.nodes.metadata import Metadata as Metadata
from ftl_nb.schema.nodes.metadata import MetadataAlias as MetadataAlias
from ftl_nb.schema.nodes.metadata import MetadataArtefact as MetadataArtefact
from ftl_nb.schema.nodes.metadata import MetadataCalls as MetadataCalls
from ftl_nb.schema.nodes.metadata import MetadataConfig as MetadataConfig
from ftl_nb.schema.nodes.metadata import MetadataCronJob as MetadataCronJob
from ftl_nb.schema.nodes.metadata import MetadataDatabases as MetadataDatabases
from ftl_nb.schema.nodes.metadata import MetadataEgress as MetadataEgress
from ftl_nb.schema.nodes.metadata import MetadataEncoding as MetadataEncoding
from ftl_nb.schema.nodes.metadata import MetadataFixture as MetadataFixture
from ftl_nb.schema.nodes.metadata import MetadataGenerated as MetadataGenerated
from ftl_nb.schema.nodes.metadata import MetadataGit as MetadataGit
from ftl_nb.schema.nodes.metadata import MetadataHeaders as MetadataHeaders
from ftl_nb.schema.nodes.metadata import MetadataImage as MetadataImage
from ftl_nb.schema.nodes.metadata import MetadataIngress as MetadataIngress
from ftl_nb.schema.nodes.metadata import MetadataPartitions as MetadataPartitions
from ftl_nb.schema.nodes.metadata import MetadataPublisher as MetadataPublisher
from ftl_nb.schema.nodes.metadata import MetadataRetry as MetadataRetry
from ftl_nb.schema.nodes.metadata import MetadataSecrets as MetadataSecrets
from ftl_nb.schema.nodes.metadata import MetadataSQLColumn as MetadataSQLColumn
from ftl_nb.schema.nodes.metadata import MetadataSQLMigration as MetadataSQLMigration
from ftl_nb.schema.nodes.metadata import MetadataSQLQuery as MetadataSQLQuery
from ftl_nb.schema.nodes.metadata import MetadataSubscriber as MetadataSubscriber
from ftl_nb.schema.nodes.metadata import MetadataTransaction as MetadataTransaction
from ftl_nb.schema.nodes.metadata import MetadataTypeMap as MetadataTypeMap
from ftl_nb.schema.nodes.runtime import AWSIAMAuthDatabaseConnector as AWSIAMAuthDatabaseConnector
from ftl_nb.schema.nodes.runtime import DatabaseConnector as DatabaseConnector
from ftl_nb.schema.nodes.runtime import DatabaseRuntime as DatabaseRuntime
from ftl_nb.schema.nodes.runtime import DatabaseRuntimeConnections as DatabaseRuntimeConnections
from ftl_nb.schema.nodes.runtime import DeploymentState as DeploymentState
from ftl_nb.schema.nodes.runtime import DSNDatabaseConnector as DSNDatabaseConnector
from ftl_nb.schema.nodes.runtime import EgressRuntime as EgressRuntime
from ftl_nb.schema.nodes.runtime import EgressTarget as EgressTarget
from ftl_nb.schema.nodes.runtime import ModuleRuntime as ModuleRuntime
from ftl_nb.schema.nodes.runtime import ModuleRuntimeBase as ModuleRuntimeBase
from ftl_nb.schema.nodes.runtime import ModuleRuntimeDeployment as ModuleRuntimeDeployment
from ftl_nb.schema.nodes.runtime import ModuleRuntimeImage as ModuleRuntimeImage
from ftl_nb.schema.nodes.runtime import ModuleRuntimeRunner as ModuleRuntimeRunner
from ftl_nb.schema.nodes.runtime import ModuleRuntimeScaling as ModuleRuntimeScaling
from ftl_nb.schema.nodes.runtime import PlaintextKafkaSubscriptionConnector as PlaintextKafkaSubscriptionConnector
from ftl_nb.schema.nodes.runtime import Runtime as Runtime
from ftl_nb.schema.nodes.runtime import RuntimeElement as RuntimeElement
from ftl_nb.schema.nodes.runtime import SubscriptionConnector as SubscriptionConnector
from ftl_nb.schema.nodes.runtime import TopicRuntime as TopicRuntime
from ftl_nb.schema.nodes.runtime import VerbRuntime as VerbRuntime
from ftl_nb.schema.nodes.runtime import YAMLFileCredentialsConnector as YAMLFileCredentialsConnector
from ftl_nb.schema.nodes.types import PRIMITIVES as PRIMITIVES
from ftl_nb.schema.nodes.types import Any as Any
from ftl_nb.schema.nodes.types import Array as Array
from ftl_nb.schema.nodes.types import Bool as Bool
from ftl_nb.schema.nodes.types import Bytes as Bytes
from ftl_nb.schema.nodes.types import Float as Float
from ftl_nb.schema.nodes.types import Int as Int
from ftl_nb.schema.nodes.types import IntValue as IntValue
from ftl_nb.schema.nodes.types import Map as Map
from ftl_nb.schema.nodes.types import Optional as Optional
from ftl_nb.schema.nodes.types import Ref as Ref
from ftl_nb.schema.nodes.types import RefKey as RefKey
from ftl_nb.schema.nodes.types import Stream as Stream
from ftl_nb.schema.nodes.types import String as String
from ftl_nb.schema.nodes.types import StringValue as StringValue
from ftl_nb.schema.nodes.types import Time as Time
from ftl_nb.schema.nodes.types import Type as Type
from ftl_nb.schema.nodes.types import TypeValue as TypeValue
from ftl_nb.schema.nodes.types import Unit as Unit
from ftl_nb.schema.nodes.types import Value as Value
from ftl_nb.schema.traversal import children as children
from ftl_nb.schema.traversal import refs as refs
from ftl_nb.schema.traversal import transform as transform
from ftl_nb.schema.traversal import visit as visit
from ftl_nb.schema.traversal import walk as walk

if TYPE_CHECKING:
    from ftl_nb.schema.arrow import ArrowRows as ArrowRows
    from ftl_nb.schema.arrow import arrow_rows as arrow_rows
    from ftl_nb.schema.arrow import arrow_schema as arrow_schema
    from ftl_nb.schema.arrow import type_of_arrow as type_of_arrow
    from ftl_nb.schema.difference import Change as Change
    from ftl_nb.schema.difference import Diff as Diff
    from ftl_nb.schema.difference import diff as diff
    from ftl_nb.schema.digests import digest as digest
    from ftl_nb.schema.edges import Edges as Edges
    from ftl_nb.schema.edges import graph as graph
    from ftl_nb.schema.edges import import_cycle as import_cycle
    from ftl_nb.schema.edges import imports as imports
    from ftl_nb.schema.edges import instantiate as instantiate
    from ftl_nb.schema.edges import levels as levels
    from ftl_nb.schema.edges import reached as reached
    from ftl_nb.schema.edges import visible as visible
    from ftl_nb.schema.elements import runtime_elements as runtime_elements
    from ftl_nb.schema.elements import with_runtime as with_runtime
    from ftl_nb.schema.json.check import check_json as check_json
    from ftl_nb.schema.jsonschema import json_schema as json_schema
    from ftl_nb.schema.rules import ITEM_RULES as ITEM_RULES
    from ftl_nb.schema.rules import RULES as RULES
    from ftl_nb.schema.rules import Rule as Rule
    from ftl_nb.schema.text.parser import parse as parse
    from ftl_nb.schema.text.parser import parse_module as parse_module
    from ftl_nb.schema.text.parser import parse_ref as parse_ref
    from ftl_nb.schema.text.parser import parse_type as parse_type
    from ftl_nb.schema.validation import Validated as Validated
    from ftl_nb.schema.validation import ValidatedModule as ValidatedModule
    from ftl_nb.schema.validation import Validator as Validator
    from ftl_nb.schema.validation import validate as validate
    from ftl_nb.schema.validation import validate_module as validate_module
    from ftl_nb.schema.wire import from_bytes as from_bytes
    from ftl_nb.schema.wire import from_proto as from_proto
    from ftl_nb.schema.wire import to_bytes as to_bytes
    from ftl_nb.schema.wire import to_proto as to_proto

# Loaded on first use: most that import this package want nodes alone.
_LATER = {
    "ftl_nb.schema.arrow": ("ArrowRows", "arrow_rows", "arrow_schema", "type_of_arrow"),
    "ftl_nb.schema.difference": ("Change", "Diff", "diff"),
    "ftl_nb.schema.digests": ("digest",),
    "ftl_nb.schema.edges": ("Edges", "graph", "import_cycle", "imports", "instantiate", "levels", "reached", "visible"),
    "ftl_nb.schema.elements": ("runtime_elements", "with_runtime"),
    "ftl_nb.schema.jsonschema": ("json_schema",),
    "ftl_nb.schema.json.check": ("check_json",),
    "ftl_nb.schema.rules": ("ITEM_RULES", "RULES", "Rule"),
    "ftl_nb.schema.text.parser": ("parse", "parse_module", "parse_ref", "parse_type"),
    "ftl_nb.schema.validation": ("Validated", "ValidatedModule", "Validator", "validate", "validate_module"),
    "ftl_nb.schema.wire": ("from_bytes", "from_proto", "to_bytes", "to_proto"),
}
_WHERE = {name: module for module, names_ in _LATER.items() for name in names_}


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
