"""Rules on data, fields, enums, aliases and databases."""

from ftl_nb.schema.nodes import decls, types
from ftl_nb.schema.nodes import metadata as meta
from ftl_nb.schema.quote import quote
from ftl_nb.schema.rules.base import Context, Found, Rule, Stage, nowhere
from ftl_nb.schema.scope import without_aliases

_NOT_ON_DATA = (
    meta.MetadataCalls | meta.MetadataSecrets | meta.MetadataConfig | meta.MetadataSQLColumn | meta.MetadataSQLQuery
)


def _misplaced(item: meta.Metadata, place: str) -> str:
    return f"metadata {quote(str(item))} is not valid on {place}"


def _data_metadata(data: decls.Data, context: Context) -> Found:
    return ((_misplaced(item, "data structures"), item.pos) for item in data.metadata if isinstance(item, _NOT_ON_DATA))


def _field_metadata(field: decls.Field, context: Context) -> Found:
    allowed = meta.MetadataAlias | meta.MetadataSQLColumn
    return ((_misplaced(item, "fields"), item.pos) for item in field.metadata if not isinstance(item, allowed))


def _alias_metadata(alias: decls.TypeAlias, context: Context) -> Found:
    others = (item for item in alias.metadata if not isinstance(item, meta.MetadataTypeMap))
    return ((_misplaced(item, "type aliases"), item.pos) for item in others)


def _database_metadata(database: decls.Database, context: Context) -> Found:
    others = (item for item in database.metadata if not isinstance(item, meta.MetadataSQLMigration))
    return (nowhere(_misplaced(item, "databases")) for item in others)


def _migrations(database: decls.Database, context: Context) -> Found:
    if sum(isinstance(item, meta.MetadataSQLMigration) for item in database.metadata) > 1:
        yield nowhere(f"database {quote(database.name)} has multiple migration metadata")


def _variant_value(enum: decls.Enum, context: Context) -> Found:
    if enum.type is None:
        return
    wanted = without_aliases(enum.type, context.scope)
    for variant in enum.variants:
        value = _type_of(variant.value)
        if type(value) is not type(wanted):
            what = f"enum variant {quote(variant.name)} of type {enum.type}"
            yield f"{what} cannot have a value of type {quote(str(value))}", variant.pos


def _type_of(value: types.Value) -> types.Type:
    if isinstance(value, types.TypeValue):
        return value.value
    return types.String() if isinstance(value, types.StringValue) else types.Int()


def _some_variant(enum: decls.Enum, context: Context) -> Found:
    if enum.type is None and not enum.variants:
        yield f"enum {quote(enum.name)} must have at least one variant", enum.pos


def _variant_type(enum: decls.Enum, context: Context) -> Found:
    scalars = (variant for variant in enum.variants if not isinstance(variant.value, types.TypeValue))
    for variant in scalars if enum.type is None else ():
        yield f"type enum variant {quote(variant.name)} value must be a type, was *schema.Enum", variant.pos


RULES = (
    Rule("R018", "Calls, secrets, config and SQL do not stand on data.", (decls.Data,), _data_metadata),
    Rule("R019", "Only an alias and a column stand on fields.", (decls.Field,), _field_metadata),
    Rule("R020", "A value enum's variants have its type.", (decls.Enum,), _variant_value, Stage.REALM),
    Rule("R021", "A type enum has variants.", (decls.Enum,), _some_variant, Stage.REALM),
    Rule("R022", "A type enum's variants are types.", (decls.Enum,), _variant_type, Stage.REALM),
    Rule("R023", "Only type maps stand on type aliases.", (decls.TypeAlias,), _alias_metadata),
    Rule("R032", "A database has one migration.", (decls.Database,), _migrations, Stage.REALM),
    Rule("R033", "Only a migration stands on a database.", (decls.Database,), _database_metadata, Stage.REALM),
)
