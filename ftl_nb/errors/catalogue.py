"""Every error a user can cause: slug, code, sentence and hint, as data. `docs/errors.md` is made from this table.

Codes: C1 cells and names, T2 types, S3 SQL and databases, D4 deploying, V5 calls, R6 cluster and wire, X9 defects.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """`sentence` and `hint` are format strings over the fields that `fail` is given."""

    slug: str
    code: str
    sentence: str
    hint: str = ""


_ENTRIES = (
    Entry("syntax", "FTL-C101", "{detail}.", "mend the syntax and run the cell again; what was deployed still answers"),
    Entry(
        "cell-magic-line",
        "FTL-C102",
        "A cell that ships to a runner cannot hold the line magic or shell line {line!r}.",
        "move it to a cell of its own",
    ),
    Entry(
        "no-module",
        "FTL-C103",
        "No module is open in this session.",
        "open one with %%ftl_module NAME, or name it: --module NAME",
    ),
    Entry(
        "verb-candidates",
        "FTL-C104",
        "A verb cell defines one verb, this one has {count}: {names}.",
        "start the names of helper functions with an underscore, or move them to the module's cell",
    ),
    Entry(
        "verb-missing",
        "FTL-C105",
        "A verb cell defines one function without a leading underscore, this one has none.",
        "write `def name(request: Type) -> Type:`",
    ),
    Entry("unknown-option", "FTL-C106", "{word!r} is not an option here; accepted are {accepted}."),
    Entry("bad-option", "FTL-C107", "The option {word} does not take {value!r}: {why}."),
    Entry(
        "module-name",
        "FTL-C108",
        "{name!r} cannot be a module's name: {why}.",
        "use lower-case letters, digits and underscores, starting with a letter",
    ),
    Entry(
        "module-statement",
        "FTL-C109",
        "ftl.module(...) stands first in its cell, after the docstring and the imports.",
        'move it above the other statements, with a literal name: ftl.module("shop")',
    ),
    Entry(
        "name-collision",
        "FTL-C110",
        "{first} and {second} have the same name {name!r} in module {module} (snake case).",
        "rename one of them, or change the cell that has it already",
    ),
    Entry(
        "unknown-injection",
        "FTL-C111",
        "Nothing in module {module} is called {name!r}, which {verb} asks for.",
        "{near}",
    ),
    Entry(
        "injection-shadows-field",
        "FTL-C112",
        "The injected parameter {name!r} of {verb} is also a field of its request.",
        "rename the parameter",
    ),
    Entry(
        "hidden-use",
        "FTL-C113",
        "{verb} uses {used}, which the analysis of its source does not see.",
        "write it on the verb: calls=[{used!r}]",
    ),
    Entry(
        "called-while-loading",
        "FTL-C114",
        "The verb {verb} was called while its module's text was loading.",
        'in a file, put the call under `if __name__ == "__main__":`; in a notebook, into a cell of its own',
    ),
    Entry(
        "module-owned",
        "FTL-C115",
        "Module {module} is already defined by {owner}.",
        "call it with `from ftl_nb.modules import {module}`, or give this one another name",
    ),
    Entry(
        "use-before-deploy",
        "FTL-C116",
        "There is no module {module} in this cluster.",
        "run the cell or file that defines it; known modules: {known}",
    ),
    Entry(
        "injected-default",
        "FTL-C117",
        "The keyword-only parameter {name!r} of {verb} is injected and cannot have the default {default}.",
        "make it a field of the request, or name what is injected: = ftl.inject(other.verb)",
    ),
    Entry("ftl-not-imported", "FTL-C118", "The name ftl is not defined here.", "import it first: import ftl_nb as ftl"),
    Entry(
        "parameter-unannotated",
        "FTL-T201",
        "The parameter {name!r} of {verb} has no type.",
        "annotate it, or make it keyword-only (after `*`) to have it injected",
    ),
    Entry("type-unsupported", "FTL-T202", "{annotation} cannot cross a verb's boundary ({where}).", "{fix}"),
    Entry(
        "parameter-extra",
        "FTL-T203",
        "{verb} has {count} positional parameters, a verb takes one request.",
        "put them into one dataclass; injected parameters stand after `*`",
    ),
    Entry(
        "annotation-unresolved",
        "FTL-T204",
        "The annotation {annotation!r} of {where} cannot be resolved: {why}.",
        "define or import the name in the module",
    ),
    Entry(
        "enum-ambiguous",
        "FTL-T205",
        "The type enums {first} and {second} have the same members.",
        "keep one of them, or add a member",
    ),
    Entry(
        "result-unannotated",
        "FTL-T206",
        "{verb} returns a value, but its result has no type.",
        "write the type behind the parameters: `-> str:`; a verb without `->` returns nothing",
    ),
    Entry(
        "verb-generator",
        "FTL-T207",
        "{verb} is a generator, a verb answers once.",
        "return a list, or move the generator to a helper function",
    ),
    Entry("type-check", "FTL-T210", "{detail}.", "{rule}"),
    Entry("schema-invalid", "FTL-T211", "{detail}."),
    Entry("json-invalid", "FTL-T220", "{detail}.", "the request of {verb} is {type}"),
    Entry(
        "json-syntax",
        "FTL-T221",
        "The request is not JSON: {detail}.",
        'strings in double quotes, no trailing comma: {{"sku": "tea"}}',
    ),
    Entry(
        "result-invalid",
        "FTL-T222",
        "{verb} returned a value that is not its declared type: {detail}.",
        "its result is declared as {type}: return one, or declare what it returns",
    ),
    Entry("sql-syntax", "FTL-S301", "{detail}.", "{fix}"),
    Entry("sql-unknown-name", "FTL-S302", "{detail}.", "{fix}"),
    Entry(
        "sql-parameter-type",
        "FTL-S303",
        "The type of parameter @{parameter} of {query} cannot be told from the query.",
        "cast it: CAST(@{parameter} AS VARCHAR)",
    ),
    Entry("sql-annotation", "FTL-S304", "{detail}.", "write `-- name: PriceOf :one`; commands are {accepted}"),
    Entry(
        "migration-failed",
        "FTL-S305",
        "The migration {version} of {database} failed, nothing of it stayed: {detail}.",
        "mend the statement and run the cell again",
    ),
    Entry(
        "migration-changed",
        "FTL-S306",
        "A migration of {database} that was applied has changed, and --keep is set.",
        "run it without --keep to rebuild the database with its fixtures, or add a new migration",
    ),
    Entry("no-rows", "FTL-S307", "{verb} found no row.", "declare the query as :many where no row is a usual answer"),
    Entry("sql-failed", "FTL-S308", "{verb} failed in the database: {detail}."),
    Entry(
        "database-busy",
        "FTL-S309",
        "The database {database} is being migrated and did not accept writes before the deadline.",
        "call again when the deployment has ended",
    ),
    Entry(
        "database-corrupt",
        "FTL-S310",
        "The file of database {database} cannot be opened: {detail}.",
        "%ftl reset makes a fresh one; the old file stays beside it",
    ),
    Entry("engine-unknown", "FTL-S311", "{engine!r} is not a database engine here; there is {known}."),
    Entry("database-name", "FTL-S312", "{name!r} is not MODULE.DATABASE.", "write %%ftl_sql shop.stock"),
    Entry(
        "import-failed",
        "FTL-D401",
        "{error}.",
        "the module's text did not load in its runner; what was deployed still answers",
    ),
    Entry(
        "load-failed",
        "FTL-D402",
        "Module {module} failed while it was loaded: {error}.",
        "what was deployed still answers",
    ),
    Entry(
        "breaks-others",
        "FTL-D403",
        "{change} breaks {broken}; nothing was deployed.",
        "the cell is kept pending: change the other side too, the next defining cell is tried together with it",
    ),
    Entry("fixture-failed", "FTL-D404", "The fixture {fixture} raised, so nothing was deployed: {error}."),
    Entry(
        "runner-start",
        "FTL-D405",
        "The runner of {module} did not become ready: {detail}.",
        "see %ftl logs; what was deployed still answers",
    ),
    Entry(
        "changeset-conflict",
        "FTL-D406",
        "Module {module} is already being changed by {owner}{changeset}.",
        "wait for it to end and run the cell again",
    ),
    Entry(
        "module-needed",
        "FTL-D407",
        "Module {module} is needed by {broken}, so it was not removed.",
        "change or remove those first",
    ),
    Entry(
        "nothing-staged", "FTL-D408", "Nothing of this notebook is staged or pending.", "stage cells first: %ftl stage"
    ),
    Entry("changeset-unknown", "FTL-D409", "{detail}.", "%ftl changesets lists those that are remembered"),
    Entry("verb-raised", "FTL-V501", "{verb} raised {error}."),
    Entry("unknown-verb", "FTL-V502", "There is no verb {verb}.", "{near}"),
    Entry(
        "deadline",
        "FTL-V503",
        "{verb} did not answer within {seconds} s and was cancelled.",
        "give it longer: {name}.with_timeout(SECONDS)(request)",
    ),
    Entry("cancelled", "FTL-V504", "The call of {verb} was cancelled."),
    Entry(
        "runner-lost",
        "FTL-V505",
        "The runner of {module} died during the call of {verb}.",
        "it is being restarted; call again",
    ),
    Entry(
        "runner-away", "FTL-V506", "The runner of {module} does not answer.", "see %ftl status and %ftl logs {module}"
    ),
    Entry(
        "body-too-large",
        "FTL-V507",
        "The body of {verb} is {size} bytes, the limit is {limit}.",
        "send less at once, or a path to the data",
    ),
    Entry(
        "config-missing", "FTL-V508", "The config {name} has no value and no default.", "%ftl config set {name} VALUE"
    ),
    Entry(
        "config-invalid",
        "FTL-V509",
        "The value of config {name} is not {type}: {detail}.",
        "%ftl config set {name} VALUE",
    ),
    Entry(
        "secret-missing",
        "FTL-V540",
        "The secret {name} has no value.",
        "%ftl secret set {name} asks for it",
    ),
    Entry(
        "secret-invalid", "FTL-V541", "The value of secret {name} is not {type}.", "%ftl secret set {name} asks for it"
    ),
    Entry("secret-hidden", "FTL-V542", "{detail}.", "{hint_text}"),
    Entry(
        "setting-kind",
        "FTL-V543",
        "{name} is a {kind} and not a {wanted}.",
        "see %ftl {kind} list, or %ftl schema",
    ),
    Entry("call-arguments", "FTL-V510", "{verb} cannot be called so: {why}.", "its request is {type}"),
    Entry(
        "not-visible",
        "FTL-V511",
        "{verb} is not exported, so {caller} cannot call it.",
        "export it: --export, or export=True",
    ),
    Entry("runner-moved", "FTL-V512", "The runner of {module} has been replaced by a newer deployment.", "call again"),
    Entry(
        "lease-held",
        "FTL-V513",
        "The lease {lease} is held by {holder}, for {left} s more unless it is renewed.",
        "wait for it: ftl.lease(..., wait=SECONDS)",
    ),
    Entry(
        "lease-lost",
        "FTL-V514",
        "The lease {lease} was lost: it could not be renewed in time, and another may have it now.",
        "what was done under it may overlap with the next holder's work: compare fencing tokens (lease.token)",
    ),
    Entry(
        "lease-invalid", "FTL-V515", "This lease cannot be: {detail}.", 'write ftl.lease("name", other, parts, ttl=30)'
    ),
    Entry("stream-row", "FTL-V516", "A value of {stream} does not fit its type at {where}: {detail}."),
    Entry("stream-schema", "FTL-V517", "What was given for {stream} does not fit its type: {detail}."),
    Entry("stream-broken", "FTL-V518", "What came over the stream cannot be read: {detail}."),
    Entry(
        "stream-row-too-large",
        "FTL-V519",
        "A row of {size:,} bytes is more than the {limit:,} that one message of a stream takes.",
        "split it into more rows",
    ),
    Entry("stream-read", "FTL-V520", "The stream of {stream} has been read already.", "call the verb again"),
    Entry(
        "stream-async",
        "FTL-V521",
        "{verb} is `async def` and has a stream, which a verb reads and makes in a thread.",
        "write it as `def`",
    ),
    Entry("cluster-start", "FTL-R601", "The cluster did not start: {detail}.", "the log is {log}"),
    Entry("cluster-gone", "FTL-R602", "The cluster is gone: {detail}.", "the next use starts it again"),
    Entry(
        "cluster-folder",
        "FTL-R603",
        "The cluster folder {folder} was made by version {found} of its format, this one reads {known}.",
        "move it away, or use the version that made it; nothing in it was changed",
    ),
    Entry(
        "disk-full",
        "FTL-R604",
        "{folder} has no space left: {detail}.",
        "free some space and run the cell again; what was deployed still answers",
    ),
    Entry("peer-refused", "FTL-R605", "The peer is not of this cluster: {detail}."),
    Entry("key-invalid", "FTL-R606", "{detail}."),
    Entry("store-conflict", "FTL-R607", "The state changed meanwhile: {detail}.", "run it again"),
    Entry(
        "runtime-folder",
        "FTL-R608",
        "{folder} is not a folder that is private to this user (0700), so no cluster puts its socket there.",
        "remove it, or set XDG_RUNTIME_DIR to a folder of your own",
    ),
    Entry("usage", "FTL-R610", "{detail}.", "{hint_text}"),
    Entry(
        "settings-unreadable",
        "FTL-R640",
        "The values in {file} cannot be read: {detail}.",
        "mend the file, or move it away; nothing is written to it meanwhile",
    ),
    Entry("settings-unwritable", "FTL-R641", "The values cannot be written to {file}: {detail}.", "the old ones stay"),
    Entry("settings-key", "FTL-R642", "The key of the secrets, {key}, cannot be used: {detail}.", "{hint_text}"),
    Entry(
        "settings-seal",
        "FTL-R643",
        "The secret {name} was sealed by another key, or has been changed since.",
        "put that key back, or set the secret anew",
    ),
    Entry(
        "settings-keyring", "FTL-R644", "The keyring does not answer: {detail}.", "pip install keyring, or unlock it"
    ),
    Entry("settings-provider", "FTL-R645", "No provider of values is called {word!r}.", "{near}"),
    Entry(
        "settings-variable",
        "FTL-R646",
        "The environment variable {variable} does not hold JSON.",
        'a text has quotes: "…"',
    ),
    Entry("timeline-query", "FTL-R620", "{detail}.", "the timeline has the tables {tables}"),
    Entry(
        "store-address",
        "FTL-R611",
        "{url!r} is no address of a store: {detail}.",
        "write etcd://HOST:PORT,HOST:PORT/PREFIX, and ?ca=FILE&certificate=FILE&key=FILE for TLS",
    ),
    Entry(
        "store-away",
        "FTL-R612",
        "The store {store} did not answer within {seconds} s, and nothing was written: {detail}.",
        "see that most of its members run and can be reached",
    ),
    Entry(
        "store-outcome-unknown",
        "FTL-R613",
        "The store {store} did not say within {seconds} s whether a write happened: {detail}.",
        "read what is there before writing again",
    ),
    Entry("store-refused", "FTL-R614", "The store {store} refused: {detail}."),
    Entry("internal", "FTL-X901", "A defect of ftl_nb: {detail}.", "%ftl logs has the traceback"),
)

CATALOGUE: dict[str, Entry] = {entry.slug: entry for entry in _ENTRIES}
