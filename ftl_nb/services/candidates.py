"""One module of a change on its way: its text, what was found out of it, the process that would serve it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ftl_nb import schema
from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.analysis import Analysis, VerbUse
from ftl_nb.rpc import workspace_pb2
from ftl_nb.services.databases import DatabaseKey
from ftl_nb.services.deployments import Deployment


@dataclass(slots=True)
class Candidate:
    """One module of an attempt, as far as it has come."""

    source: ModuleSource
    owner: str
    deployment: str
    sql: dict[DatabaseKey, list[workspace_pb2.SqlCell]]
    generated: schema.Module
    analysis: Analysis
    module: schema.Module
    endpoint: str = ""
    fixtures: dict[str, str] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.source.name

    def to_deployment(self) -> Deployment:
        """What would be canonical."""
        return Deployment(
            self.deployment,
            self.source,
            self.module,
            self.owner,
            time.time_ns(),
            self.fixtures,
            self.analysis.packages,
            self.generations,
        )


def imports(source: ModuleSource) -> set[str]:
    """The modules that a text names, found without parsing: only the order of building depends on it."""
    text = "\n".join(cell.text for cell in source.python_cells)
    found = re.findall(r"from ftl_nb\.modules(?:\.(\w+))? import ([^\n]+)", text)
    return {name for package, names in found for name in ([package] if package else re.findall(r"\w+", names))}


def is_startup(use: VerbUse) -> bool:
    """Whether it is a fixture that runs inside the deployment."""
    return use.kind == "fixture" and use.options.get("fixture") != "manual"


def with_uses(module: schema.Module, analysis: Analysis) -> schema.Module:
    """The reflected module with what the analysis of its text found each verb to use."""
    uses = {use.name: use for use in analysis.verbs}

    def complete(decl: schema.Decl) -> schema.Decl:
        use = uses.get(decl.name) if isinstance(decl, schema.Verb) else None
        if use is None or not isinstance(decl, schema.Verb):
            return decl
        return replace(decl, metadata=(*decl.metadata, *_metadata(use, decl.pos)))

    return replace(module, decls=tuple(map(complete, module.decls)))


def _metadata(use: VerbUse, pos: schema.Position) -> Iterator[schema.Metadata]:
    """What the verb uses; what is wrong with one of them is shown at the verb."""
    kinds = (use.calls, use.configs, use.secrets, use.databases)
    refs = [tuple(schema.Ref(r.module, r.name, pos=pos) for r in kind) for kind in kinds]
    if refs[0]:
        yield schema.MetadataCalls(refs[0])
    if refs[1]:
        yield schema.MetadataConfig(refs[1])
    if refs[2]:
        yield schema.MetadataSecrets(refs[2])
    if refs[3]:
        yield schema.MetadataDatabases(refs[3])
