"""Rules on names."""

import re

from ftl_nb.schema.names import is_identifier
from ftl_nb.schema.nodes import decls
from ftl_nb.schema.nodes.types import PRIMITIVES
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules.base import Context, Found, Rule, Stage, kind_of

_TOPIC_NAME = re.compile(r"[a-z][A-Za-z0-9_]*\Z")
_TOPIC_MESSAGE = (
    "invalid name: must consist of only letters, numbers and underscores, and start with a lowercase letter."
)


def _reserved(decl: decls.Decl, context: Context) -> Found:
    if decl.name in PRIMITIVES:
        yield f"{kind_of(decl)} name {quote(decl.name)} is a reserved word", decl.pos


def _topic_name(topic: decls.Topic, context: Context) -> Found:
    if not _TOPIC_NAME.match(topic.name):
        yield _TOPIC_MESSAGE, topic.pos


def _identifier(decl: decls.Decl, context: Context) -> Found:
    if not is_identifier(decl.name):
        yield f"{kind_of(decl)} name {quote(decl.name)} is invalid", decl.pos


def _config_name(config: decls.Config, context: Context) -> Found:
    if not is_identifier(config.name):
        yield f"invalid config name {quote(config.name)}", config.pos


def _secret_name(secret: decls.Secret, context: Context) -> Found:
    if not secret.name:
        yield "secret name cannot be empty", secret.pos


_DECLS = tuple(decls.DECL_KINDS)
RULES = (
    Rule("R003", "A declaration is not named like a primitive type.", _DECLS, _reserved),
    Rule("R004", "A topic's name starts with a lower case letter.", (decls.Topic,), _topic_name),
    Rule("R005", "A declaration's name is an identifier.", _DECLS, _identifier),
    Rule("R028", "A config's name is an identifier.", (decls.Config,), _config_name, Stage.REALM),
    Rule("R030", "A secret has a name.", (decls.Secret,), _secret_name, Stage.REALM),
)
