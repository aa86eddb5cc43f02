"""Rules on cron verbs."""

from ftl_nb.schema import cron
from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes import metadata as meta
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules.base import Context, Found, Rule


def _pattern(item: meta.MetadataCronJob, context: Context) -> Found:
    try:
        cron.parse(item.cron)
    except ValueError as error:
        yield f"verb {context.decl.name}: invalid cron expression {quote(item.cron)}: {error}", item.pos


def _request(item: meta.MetadataCronJob, context: Context) -> Found:
    if isinstance(context.decl, decls.Verb) and context.decl.request != types.Unit():
        yield f"verb {context.decl.name}: cron job can not have a request type", item.pos


def _response(item: meta.MetadataCronJob, context: Context) -> Found:
    if isinstance(context.decl, decls.Verb) and context.decl.response != types.Unit():
        yield f"verb {context.decl.name}: cron job can not have a response type", item.pos


_CRON = (meta.MetadataCronJob,)
ITEM_RULES = (
    Rule("R043", "A cron text is a pattern with a time to come.", _CRON, _pattern),
    Rule("R044", "A cron verb has no request.", _CRON, _request),
    Rule("R045", "A cron verb has no response.", _CRON, _response),
)
