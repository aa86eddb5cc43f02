"""The rule on visibility: what an exported declaration is made of is as visible as itself."""

from collections.abc import Iterator

from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes.base import Visibility
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules.base import Context, Found, Rule, Stage, kind_of

_TYPES = (decls.Data, decls.Enum, decls.TypeAlias)


def _data(data: decls.Data, context: Context) -> Found:
    return _too_hidden(data, data.visibility, (field.type for field in data.fields), context)


def _alias(alias: decls.TypeAlias, context: Context) -> Found:
    return _too_hidden(alias, alias.visibility, iter((alias.type,)), context)


def _verb(verb: decls.Verb, context: Context) -> Found:
    # A verb without metadata is not looked at in the public system.
    types_ = (verb.request, verb.response) if verb.metadata else ()
    return _too_hidden(verb, verb.visibility, iter(types_), context)


def _too_hidden(decl: decls.Decl, level: Visibility, used: Iterator[types.Type], context: Context) -> Found:
    for ref in (ref for type_ in used for ref in _named(type_)) if level else ():
        found = context.scope.resolve(ref)
        if found and isinstance(found.node, _TYPES) and found.node.visibility < level:
            what = f"{kind_of(found.node)} {quote(found.node.name)} must have visibility of {quote(level.word)}"
            yield f"{what} due to {context.module.name}.{decl.name}", found.node.pos


def _named(type_: types.Type) -> Iterator[types.Ref]:
    match type_:
        case types.Array():
            yield from _named(type_.element)
        case types.Map():
            yield from (*_named(type_.key), *_named(type_.value))
        case types.Optional():
            yield from _named(type_.type)
        case types.Ref():
            yield type_
            yield from (ref for argument in type_.type_parameters for ref in _named(argument))


RULES = (
    Rule("R088", "An exported data is made of what is as visible.", (decls.Data,), _data, Stage.REALM),
    Rule("R088", "An exported alias stands for what is as visible.", (decls.TypeAlias,), _alias, Stage.REALM),
    Rule("R088", "An exported verb takes and gives what is as visible.", (decls.Verb,), _verb, Stage.REALM),
)
