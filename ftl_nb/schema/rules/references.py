"""Rules on references and type arguments."""

from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes.base import Node, Visibility
from ftl_nb.schema.nodes.types import Ref
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules.base import Context, Found, Rule, Stage, kind_of

_NO_ARGUMENTS = (decls.Verb, decls.Enum, decls.Database, decls.Config, decls.Secret, decls.Topic)


def _unknown(ref: Ref, context: Context) -> Found:
    if context.scope.resolve(ref) is None:
        yield f"unknown reference {quote(str(ref))}, is the type annotated and exported?", ref.pos


def _exported(ref: Ref, context: Context) -> Found:
    found = context.scope.resolve(ref)
    if found and found.module and found.module != context.module.name and _is_private(found.node):
        yield f"{kind_of(found.node)} {quote(str(ref.key))} must be exported", ref.pos


def _is_private(node: Node) -> bool:
    return not getattr(node, "visibility", Visibility.NONE)


def _invalid(ref: Ref, context: Context) -> Found:
    found = context.scope.resolve(ref)
    if found and not found.module and not isinstance(found.node, decls.TypeParameter):
        yield f'invalid reference {quote(str(ref))} at "{found.node.pos}"', ref.pos


def _argument_count(ref: Ref, context: Context) -> Found:
    found = context.scope.resolve(ref)
    if found and isinstance(found.node, decls.Data):
        given, wanted = len(ref.type_parameters), len(found.node.type_parameters)
        if given != wanted:
            counts = f"has {given} type parameters, but {wanted} were expected"
            yield f"reference to data structure {ref.name} {counts}", ref.pos


def _no_arguments(ref: Ref, context: Context) -> Found:
    found = context.scope.resolve(ref)
    if found and ref.type_parameters and isinstance(found.node, _NO_ARGUMENTS):
        yield f"reference to {kind_of(found.node)} {quote(ref.name)} cannot have type parameters", ref.pos


def _private_alias(ref: Ref, context: Context) -> Found:
    # An exported alias is not looked at: an accident of the public system, kept so that its texts stay valid.
    found = context.scope.resolve(ref)
    alias = found is not None and isinstance(found.node, decls.TypeAlias) and _is_private(found.node)
    if found and alias and ref.type_parameters:
        yield f"reference to {kind_of(found.node)} {quote(ref.name)} cannot have type parameters", ref.pos


RULES = (
    Rule("R012", "A reference names something in the realm.", (types.Ref,), _unknown, Stage.REALM),
    Rule("R013", "What another module refers to is exported.", (types.Ref,), _exported, Stage.REALM),
    Rule("R014", "A reference names a declaration.", (types.Ref,), _invalid, Stage.REALM),
    Rule("R015", "A generic data gets its type arguments.", (types.Ref,), _argument_count, Stage.BOTH),
    Rule("R016", "Only data takes type arguments.", (types.Ref,), _no_arguments, Stage.BOTH),
    Rule("R017", "A type alias takes no type arguments.", (types.Ref,), _private_alias, Stage.REALM),
)
