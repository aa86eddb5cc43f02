"""One change of the system, tried: text to analysis, candidate runners, the whole schema, types, databases, fixtures.

`Attempt.run` either ends with everything canonical at once, or raises FtlError with nothing moved and nothing left.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ftl_nb import schema
from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.analysis import Analysis, VerbUse, analyse
from ftl_nb.errors import FtlError, Place, fail
from ftl_nb.rpc import CallContext, DeploymentKey, Identity, RequestKey, from_rpc_error, verb_pb2, workspace_pb2
from ftl_nb.rpc.services import RunnerService, VerbService
from ftl_nb.rpc.tls import grpc
from ftl_nb.schema import schema_pb2
from ftl_nb.services.databases import DatabaseKey, databases_of
from ftl_nb.services.deployments import Deployment
from ftl_nb.services.generated import query_databases
from ftl_nb.services.plane import Plane
from ftl_nb.services.truth import Changeset, replace_modules

_FIXTURE_SECONDS = 600.0
_DRAIN_SECONDS = 30.0


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


@dataclass(frozen=True, slots=True)
class Result:
    """What moved: the schemas' difference, what else is worth a line, the new deployments, the changeset's key."""

    difference: schema.Diff
    notes: tuple[str, ...]
    deployed: tuple[Deployment, ...]
    changeset: str = ""


class Attempt:
    """`changes` are whole texts of modules; `removed` modules that go.

    `keep` refuses to rebuild a database; `force` moves although the text of other modules no longer fits. The schema
    has to hold together even then.
    """

    def __init__(
        self,
        plane: Plane,
        changes: Mapping[str, ModuleSource],
        removed: Iterable[str],
        owner: str,
        *,
        keep: bool,
        force: bool = False,
    ) -> None:
        self._plane = plane
        self._changes = dict(changes)
        self._removed = tuple(removed)
        self._owner = owner
        self._keep = keep
        self._force = force
        #: Modules whose text no longer fits, and their cells that say so.
        self._unfit: frozenset[str] = frozenset()
        self._forced: tuple[str, ...] = ()
        self._candidates: dict[str, Candidate] = {}
        self._prepared: list[DatabaseKey] = []
        self._notes: list[str] = []
        self._before = plane.truth.system
        #: What the change is, as far as it was found out.
        self.difference = schema.Diff()

    # --- the whole way -------------------------------------------------------------------------------------------

    def run(self) -> Result:
        """Tries the change and moves the system. Raises FtlError with everything as before."""
        changeset = self._plane.truth.create(self._changes, self._removed, self._owner)
        try:
            difference = self._check()
            changeset.forced = self._forced
            self._provision()
            deployed = tuple(self._deployment(c) for c in self._candidates.values())
            self._plane.truth.prepare(changeset, deployed)
            self._commit(changeset)
        except BaseException as e:
            self._roll_back(changeset, e)
            raise
        self._plane.in_background(lambda: self._retire(changeset))
        return Result(difference, tuple(self._notes), deployed, changeset.key)

    def plan(self) -> Result:
        """The same up to the checks, with what the databases would do; nothing moves."""
        try:
            difference = self._check()
            for candidate in self._candidates.values():
                self._plan_databases(candidate)
        finally:
            self._discard()
        return Result(difference, tuple(self._notes), ())

    def _check(self) -> schema.Diff:
        for name in self._in_order(self._changes):
            self._build(self._changes[name])
        self._validate()
        self.difference = schema.diff(self._before, self._after())
        self._type_check(self.difference)
        self._move_along(self.difference)
        return schema.diff(self._before, self._after())

    def _after(self) -> schema.Schema:
        return replace_modules(self._before, (c.module for c in self._candidates.values()), self._removed)

    def _in_order(self, changes: Mapping[str, ModuleSource]) -> Iterator[str]:
        """Modules after those they import, as far as their text says."""
        imports = {name: _imports(source) & changes.keys() for name, source in changes.items()}
        done: set[str] = set()
        while len(done) < len(changes):
            ready = sorted(n for n in changes if n not in done and imports[n] <= done | {n})
            for name in ready or sorted(changes.keys() - done)[:1]:
                done.add(name)
                yield name

    # --- building a candidate ------------------------------------------------------------------------------------

    def _build(self, source: ModuleSource) -> None:
        """Text, SQL, a candidate runner with the text loaded, and the module's schema."""
        sql = databases_of(source)
        decls = tuple(d for key, cells in sql.items() for d in self._plane.databases.describe(key, cells))
        generated = schema.Module(source.name, decls)
        analysis = analyse(source, query_databases(generated), [key.name for key in sql])
        self._plane.link.preload(self._plane.from_site_packages(analysis.packages))
        key = str(DeploymentKey.make(self._plane.realm, source.name))
        candidate = Candidate(source, self._owner, key, sql, generated, analysis, generated)
        self._candidates[source.name] = candidate
        registered = self._plane.scaling.start(key, f"runner-{source.name}", lambda: self._spec(candidate))
        candidate.endpoint = registered.endpoint
        candidate.module = with_uses(registered.module, analysis)

    def _spec(self, candidate: Candidate) -> dict[str, object]:
        seen = replace_modules(self._plane.truth.served, self._served_candidates(candidate.name), self._removed)
        return self._plane.runner_spec(
            candidate.deployment, candidate.source, candidate.generated, seen, candidate.analysis
        )

    def _served_candidates(self, but: str) -> Iterator[schema.Module]:
        """The candidates so far, with their addresses: what a candidate calls are the candidates beside it."""
        for candidate in self._candidates.values():
            if candidate.name == but:
                databases = {key.name: self._plane.databases.endpoint(key) for key in candidate.sql}
                state = schema.DeploymentState.PROVISIONING
                yield self._deployment(replace(candidate, module=candidate.generated)).with_runtime(
                    "", databases, state
                )
            elif candidate.endpoint:
                databases = {key.name: self._plane.databases.endpoint(key) for key in candidate.sql}
                deployment = self._deployment(candidate)
                yield deployment.with_runtime(candidate.endpoint, databases, schema.DeploymentState.PROVISIONING)

    # --- checks --------------------------------------------------------------------------------------------------

    def _validate(self) -> None:
        """The rules of the language over the whole system; every problem at once, those of the own cells first."""
        validated = schema.validate(self._after())
        own = [self._problem(p) for p in validated.problems if self._place(p.pos) is not None]
        others = [self._problem(p) for p in validated.problems if self._place(p.pos) is None]
        if own:
            raise with_others(own + others)
        if others:
            raise self._unplaced(with_others(others))
        for module in validated.schema.realms[0].modules:
            if module.name in self._candidates:
                self._candidates[module.name].module = module

    def _unplaced(self, problem: FtlError) -> FtlError:
        """What no cell of this change did: most often others that it breaks, whose lines the type check knows."""
        self.difference = schema.diff(self._before, self._after())
        if self._candidates and not self.difference.breaking:
            return problem
        self._type_check(self.difference)
        return self._breaks(self.difference, problem)

    def _problem(self, problem: schema.Problem) -> FtlError:
        hint = "export it where it is defined: --export, or export=True" if "be exported" in problem.message else ""
        return fail("schema-invalid", self._place(problem.pos), hint, detail=problem.message)

    def _place(self, position: schema.Position) -> Place | None:
        for candidate in self._candidates.values():
            cell = candidate.source.at(position.filename)
            if cell is not None and position.line:
                lines = cell.text.splitlines()
                line = lines[position.line - 1] if position.line <= len(lines) else ""
                return Place(position.filename, position.line, position.column, line)
        return None

    def _type_check(self, difference: schema.Diff) -> None:
        """Every changed module and all that depend on one: errors of others mean that the change breaks them."""
        sources = {n: d.source for n, d in self._plane.truth.deployments.items()}
        sources |= {c.name: c.source for c in self._candidates.values()}
        system = [(sources[m.name], m) for m in self._after().realms[0].modules]
        found = self._plane.checker.check(system, {*self._candidates, *self._removed})
        own = [e for name, e in found.items() if name in self._candidates]
        if own:
            raise with_others(own)
        if not found:
            return
        error = self._breaks(difference, with_others(list(found.values())))
        if not self._force:
            raise error
        self._unfit, self._forced = frozenset(found), tuple(broken_cells(error))
        self._notes.append(f"forced: {', '.join(self._forced)} no longer fit")

    def _move_along(self, difference: schema.Diff) -> None:
        """Modules that a breaking change reaches and that still fit are started anew against it, in the same step."""
        reached = {ref.module for change in difference.breaking for ref in change.breaks}
        for name in sorted(reached - self._candidates.keys() - set(self._removed) - self._unfit):
            deployment = self._plane.truth.deployment(name)
            if deployment is None:
                continue
            try:
                self._build(deployment.source)
                self._validate()
            except FtlError as e:
                raise self._breaks(difference, e) from None
            self._candidates[name].owner = deployment.owner
            self._notes.append(f"{name} still fits and moved along")

    def _breaks(self, difference: schema.Diff, error: FtlError) -> FtlError:
        """The change that was found to break others, with what it breaks and the error it makes there."""
        change = next(iter(difference.breaking), None) or next(iter(difference.changes), None)
        declared = sorted({str(ref) for c in difference.breaking for ref in c.breaks})
        broken = ", ".join(declared or broken_cells(error)) or "another module"
        what = (
            f"{change.decl_kind} {change.module}.{change.name} {change.kind}" if change is not None else "This change"
        )
        why = f" ({'; '.join(change.reasons)})" if change is not None and change.reasons else ""
        made = fail("breaks-others", error.place, change=what + why, broken=broken)
        made.others = (error,)
        return made

    # --- databases and fixtures ----------------------------------------------------------------------------------

    def _provision(self) -> None:
        for candidate in self._candidates.values():
            due = self._due(candidate)
            rebuilt = self._prepare_databases(candidate, isolated=bool(due))
            for use in candidate.analysis.verbs:
                if use in due or (is_startup(use) and any(ref.name in rebuilt for ref in use.databases)):
                    self._run_fixture(candidate, use.name)
                    self._notes.append(f"fixture {use.function} ran")
            candidate.fixtures = {use.name: use.digest for use in candidate.analysis.verbs if is_startup(use)}

    def _due(self, candidate: Candidate) -> list[VerbUse]:
        """Start-up fixtures that have not run as they are now."""
        before = self._plane.truth.deployment(candidate.name)
        done = before.fixtures if before is not None else {}
        return [use for use in candidate.analysis.verbs if is_startup(use) and done.get(use.name) != use.digest]

    def _prepare_databases(self, candidate: Candidate, *, isolated: bool) -> set[str]:
        """The databases that were built anew; their fixtures have to run again."""
        rebuilt = set()
        for key, cells in candidate.sql.items():
            self._prepared.append(key)
            response = self._plane.databases.prepare(key, cells, keep=self._keep, isolated=isolated)
            candidate.generations[key.name] = response.generation
            if response.plan == "changed":
                rebuilt.add(key.name)
                lost = ", ".join(f"{row.rows} of {row.table}" for row in response.lost if row.rows)
                went = f"; rows that went: {lost}" if lost else ""
                self._notes.append(f"database {key.name} was rebuilt, since an applied migration changed{went}")
        return rebuilt

    def _plan_databases(self, candidate: Candidate) -> None:
        """Tries the migrations beside what serves, says what they would do, and takes them back."""
        for key, cells in candidate.sql.items():
            response = self._plane.databases.prepare(key, cells, keep=False, isolated=False)
            self._plane.databases.roll_back(key)
            lost = ", ".join(f"{row.rows} of {row.table}" for row in response.lost if row.rows)
            if response.plan == "changed":
                went = f"; rows that go: {lost}" if lost else ""
                self._notes.append(f"database {key.name} would be rebuilt, since an applied migration changed{went}")
            elif response.plan == "pending":
                applied = ", ".join(response.applied)
                self._notes.append(f"database {key.name} would run the migrations {applied}")

    def _run_fixture(self, candidate: Candidate, name: str) -> None:
        verb = f"{candidate.name}.{name}"
        channel = self._plane.channels.to(candidate.endpoint, Identity.module(candidate.name, self._plane.realm))
        request = verb_pb2.CallRequest(verb=schema_pb2.Ref(module=candidate.name, name=name), body=b"{}")
        context = CallContext.start(str(RequestKey.make("ingress", f"fixture {verb}")))
        try:
            # The runner has just said that it serves: a first handshake that fails is tried again.
            call, metadata = VerbService.call.on(channel), context.to_metadata()
            answer = call(request, timeout=_FIXTURE_SECONDS, metadata=metadata, wait_for_ready=True)
        except grpc.RpcError as e:
            raise self._fixture_failed(verb, from_rpc_error(e, verb)) from None
        if answer.HasField("error"):
            from ftl_nb.rpc.calls import raised

            raise self._fixture_failed(verb, raised(verb, answer.error))

    def _fixture_failed(self, verb: str, error: FtlError) -> FtlError:
        made = fail("fixture-failed", error.place, fixture=verb, error=error.message.rstrip("."))
        made.remote = error.remote
        return made

    # --- the end -------------------------------------------------------------------------------------------------

    def _deployment(self, candidate: Candidate) -> Deployment:
        return Deployment(
            candidate.deployment,
            candidate.source,
            candidate.module,
            candidate.owner,
            time.time_ns(),
            candidate.fixtures,
            candidate.analysis.packages,
            candidate.generations,
        )

    def _commit(self, changeset: Changeset) -> None:
        """First the store says so, the files of the databases included; then these switch; then everybody is told."""
        for candidate in self._candidates.values():
            self._plane.truth.serve_at(candidate.deployment, candidate.endpoint)
            for key in candidate.sql:
                endpoint = self._plane.databases.endpoint(key)
                self._plane.truth.serve_database_at(candidate.deployment, key.name, endpoint)
        self._plane.truth.commit(changeset, self._switch)
        self._plane.checker.publish(self._plane.truth.system.realms[0].modules)

    def _switch(self) -> None:
        self._prepared.clear()
        for candidate in self._candidates.values():
            for key, cells in candidate.sql.items():
                self._plane.databases.switch(key, cells)

    def _roll_back(self, changeset: Changeset, error: BaseException) -> None:
        self._plane.truth.roll_back(changeset, str(error))
        try:
            for key in self._prepared:
                self._plane.databases.roll_back(key)
        finally:
            self._discard()
            self._plane.truth.failed(changeset)

    def _discard(self) -> None:
        """Ends the candidates, and takes away databases that this attempt alone would have had."""
        for candidate in self._candidates.values():
            self._plane.scaling.stop(candidate.deployment)
        wanted = {key for d in self._plane.truth.deployments.values() for key in databases_of(d.source)}
        for key in {key for source in self._changes.values() for key in databases_of(source)} - wanted:
            self._plane.databases.discard(key)

    def _retire(self, changeset: Changeset) -> None:
        """Old versions finish the calls they have, then end; databases that nobody has any more end too."""
        for old in changeset.removing:
            self._drain(old)
        self._plane.truth.drained(changeset)
        for old in changeset.removing:
            self._plane.scaling.stop(old.key)
        current = {key for d in self._plane.truth.deployments.values() for key in databases_of(d.source)}
        for key in {k for d in changeset.removing for k in databases_of(d.source)} - current:
            self._plane.databases.remove(key)
        self._plane.truth.finalize(changeset)

    def _drain(self, old: Deployment) -> None:
        endpoint = self._plane.truth.endpoint(old.key)
        if not endpoint:
            return
        identity = Identity.module(old.name, self._plane.realm)
        request = workspace_pb2.DrainRequest(bound_ms=int(_DRAIN_SECONDS * 1000))
        try:
            RunnerService.drain.on(self._plane.channels.to(endpoint, identity))(request, timeout=_DRAIN_SECONDS + 5)
        except grpc.RpcError as e:
            print("drain of", old.key, e.code().name, flush=True)
        self._plane.channels.drop(endpoint, identity)


def _imports(source: ModuleSource) -> set[str]:
    """The modules that a text names, found without parsing: only the order of building depends on it."""
    import re

    text = "\n".join(cell.text for cell in source.python_cells)
    found = re.findall(r"from ftl_nb\.modules(?:\.(\w+))? import ([^\n]+)", text)
    return {name for package, names in found for name in ([package] if package else re.findall(r"\w+", names))}


def is_startup(use: VerbUse) -> bool:
    """Whether it is a fixture that runs inside the deployment."""
    return use.kind == "fixture" and use.options.get("fixture") != "manual"


def broken_cells(error: FtlError) -> list[str]:
    """The cells that an error and those beside it point at."""
    return list(dict.fromkeys(e.place.filename for e in (error, *error.others) if e.place is not None))


def with_others(errors: list[FtlError]) -> FtlError:
    """One error for many: the first, the others behind it."""
    first, *rest = errors
    first.others = (*first.others, *rest)
    return first


def with_uses(module: schema.Module, analysis: Analysis) -> schema.Module:
    """The reflected module with what the analysis of its text found: calls, configs and databases of each verb."""
    uses = {use.name: use for use in analysis.verbs}

    def complete(decl: schema.Decl) -> schema.Decl:
        use = uses.get(decl.name) if isinstance(decl, schema.Verb) else None
        if use is None or not isinstance(decl, schema.Verb):
            return decl
        return replace(decl, metadata=(*decl.metadata, *_metadata(use, decl.pos)))

    return replace(module, decls=tuple(map(complete, module.decls)))


def _metadata(use: VerbUse, pos: schema.Position) -> Iterator[schema.Metadata]:
    """What the verb uses; what is wrong with one of them is shown at the verb."""
    kinds = (use.calls, use.configs, use.databases)
    refs = [tuple(schema.Ref(r.module, r.name, pos=pos) for r in kind) for kind in kinds]
    if refs[0]:
        yield schema.MetadataCalls(refs[0])
    if refs[1]:
        yield schema.MetadataConfig(refs[1])
    if refs[2]:
        yield schema.MetadataDatabases(refs[2])


__all__ = ["Attempt", "Result", "with_uses"]
