"""One change of the system, tried: text to analysis, candidate runners, the whole schema, types, databases, fixtures.

`Attempt.run` either ends with everything canonical at once, or raises FtlError with nothing moved and nothing left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise

from ftl_nb import schema
from ftl_nb.binding.source import ModuleSource
from ftl_nb.compiler.analysis import analyse
from ftl_nb.errors import FtlError, Place, fail
from ftl_nb.rpc import DeploymentKey, Identity, workspace_pb2
from ftl_nb.rpc.services import RunnerService
from ftl_nb.rpc.tls import grpc
from ftl_nb.services.candidates import Candidate, imports, with_uses
from ftl_nb.services.databases import databases_of
from ftl_nb.services.deployments import Deployment, callers_first, mentions
from ftl_nb.services.generated import query_databases
from ftl_nb.services.plane import Plane
from ftl_nb.services.provisioning import Provisioner
from ftl_nb.services.truth import Changeset, replace_modules

_DRAIN_SECONDS = 30.0
#: What helps against a broken rule, by the words that its problem has.
_HINTS = {
    "be exported": "export it where it is defined: --export, or export=True",
    "found cycle": "modules call one another in one direction: move what both need into a module of its own",
    " name ": "names are ASCII letters and digits: --name, or name=, gives a verb another one",
}
#: More than a drained runner waits for those who come late.
_QUIET_SECONDS = 15.0


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

    Other changes may be under way. What they have moved meanwhile is looked at before anything is provisioned and again
    when it is decided: where it concerns this change, the change is tried anew, with nobody else deciding.
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
        self._force = force
        #: Modules whose text no longer fits, and their cells that say so.
        self._unfit: frozenset[str] = frozenset()
        self._forced: tuple[str, ...] = ()
        self._candidates: dict[str, Candidate] = {}
        self._provisioner = Provisioner(plane, keep=keep)
        self._notes: list[str] = []
        self._seen: dict[str, Deployment] = {}
        self._before = plane.truth.system
        #: What the change is, as far as it was found out.
        self.difference = schema.Diff()

    # --- the whole way -------------------------------------------------------------------------------------------

    def run(self) -> Result:
        """Tries the change and moves the system. Raises FtlError with everything as before."""
        changeset = self._plane.truth.create(self._changes, self._removed, self._owner)
        try:
            with ExitStack() as alone:
                if not self._try(changeset):
                    self._start_over()
                    alone.enter_context(self._plane.truth.deciding)
                    self._try(changeset)
        except BaseException as e:
            self._roll_back(changeset, e)
            raise
        self._plane.in_background(lambda: self._retire(changeset))
        return Result(self.difference, tuple(self._notes), changeset.deployed, changeset.key)

    def plan(self) -> Result:
        """The same up to the checks, with what the databases would do; nothing moves."""
        try:
            self._check()
            for candidate in self._candidates.values():
                self._notes.extend(self._provisioner.plan(candidate))
        finally:
            self._discard()
        return Result(self.difference, tuple(self._notes), ())

    def _try(self, changeset: Changeset) -> bool:
        """Whether it has moved: False where others moved meanwhile what it was checked against."""
        self._check()
        if self._is_overtaken():
            return False
        changeset.forced = self._forced
        for candidate in self._candidates.values():
            self._notes.extend(self._provisioner.prepare(candidate))
        with self._plane.truth.deciding:
            if self._is_overtaken():
                return False
            self._look()
            self._validate()
            deployed = tuple(c.to_deployment() for c in self._candidates.values())
            self._plane.truth.prepare(changeset, deployed)
            self._commit(changeset)
        return True

    def _is_overtaken(self) -> bool:
        """Whether what others moved since the check concerns this change: it may use it, or be used by it."""
        now = self._plane.truth.deployments
        before = self._seen
        moved = {n for n in now.keys() | before.keys() if _key(now.get(n)) != _key(before.get(n))}
        own = self._candidates.keys() | set(self._removed)
        if moved & own:
            return True
        theirs = [d.source for n in moved for d in (now.get(n), before.get(n)) if d is not None]
        return any(mentions(c.source, n) for c in self._candidates.values() for n in moved) or any(
            mentions(source, n) for source in theirs for n in own
        )

    def _start_over(self) -> None:
        """Takes away what was made, so that the change can be tried once more."""
        self._provisioner.take_back()
        self._discard()
        self._candidates.clear()
        self._notes.clear()
        self._unfit, self._forced = frozenset(), ()

    def _look(self) -> None:
        """What is canonical now is what this change is checked against, until the next look."""
        self._seen = self._plane.truth.deployments
        self._before = self._plane.truth.system_of(self._seen)

    def _check(self) -> None:
        self._look()
        for name in self._in_order(self._changes):
            self._build(self._changes[name])
        self._validate()
        self.difference = schema.diff(self._before, self._after())
        self._type_check(self.difference)
        self._move_along(self.difference)
        self.difference = schema.diff(self._before, self._after())

    def _after(self) -> schema.Schema:
        return replace_modules(self._before, (c.module for c in self._candidates.values()), self._removed)

    def _in_order(self, changes: Mapping[str, ModuleSource]) -> Iterator[str]:
        """Modules after those they import, as far as their text says."""
        needs = {name: imports(source) & changes.keys() for name, source in changes.items()}
        done: set[str] = set()
        while len(done) < len(changes):
            ready = sorted(n for n in changes if n not in done and needs[n] <= done | {n})
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
                yield replace(candidate, module=candidate.generated).to_deployment().with_runtime("", databases, state)
            elif candidate.endpoint:
                databases = {key.name: self._plane.databases.endpoint(key) for key in candidate.sql}
                deployment = candidate.to_deployment()
                yield deployment.with_runtime(candidate.endpoint, databases, schema.DeploymentState.PROVISIONING)

    # --- checks --------------------------------------------------------------------------------------------------

    def _validate(self) -> None:
        """The rules of the language over the whole system; every problem at once, those of the own cells first."""
        validated = self._plane.validator.validate(self._after())
        found = [self._problem(p) for p in validated.problems]
        own, others = ([e for e in found if (e.place is None) is elsewhere] for elsewhere in (False, True))
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
        hint = next((hint for words, hint in _HINTS.items() if words in problem.message), "")
        return fail("schema-invalid", self._place(self._cause(problem)), hint, detail=problem.message)

    def _cause(self, problem: schema.Problem) -> schema.Position:
        """Where a problem is; a cycle, which is nowhere, is where a changed module needs the next one of it."""
        if problem.rule != "R090":
            return problem.pos
        for name, needed in pairwise(problem.message.rpartition(": ")[2].split(" -> ")):
            for decl in self._candidates[name].module.decls if name in self._candidates else ():
                if any(ref.module == needed for ref in schema.refs(decl)):
                    return decl.pos
        return problem.pos

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
        sources = {n: d.source for n, d in self._seen.items()}
        sources |= {c.name: c.source for c in self._candidates.values()}
        system = [(sources[m.name], m) for m in self._after().realms[0].modules]
        changed = {*self._candidates, *self._removed}
        found = self._plane.checker.check(system, changed, self._before.realms[0].modules)
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
            deployment = self._seen.get(name)
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

    # --- the end -------------------------------------------------------------------------------------------------

    def _commit(self, changeset: Changeset) -> None:
        """First the store says so, the files of the databases included; then these switch; then everybody is told."""
        for candidate in self._candidates.values():
            self._plane.truth.serve_at(candidate.deployment, candidate.endpoint)
            for key in candidate.sql:
                endpoint = self._plane.databases.endpoint(key)
                self._plane.truth.serve_database_at(candidate.deployment, key.name, endpoint)
        self._plane.truth.commit(changeset, lambda: self._provisioner.switch(self._candidates.values()))
        self._plane.checker.publish(self._plane.truth.system.realms[0].modules)

    def _roll_back(self, changeset: Changeset, error: BaseException) -> None:
        with ExitStack() as steps:
            # Each is done whatever becomes of the one before it: nothing may be left.
            steps.callback(self._plane.truth.failed, changeset)
            steps.callback(self._discard)
            steps.callback(self._provisioner.take_back)
            self._plane.truth.roll_back(changeset, str(error))

    def _discard(self) -> None:
        """Ends the candidates, and takes away databases that this attempt alone would have had."""
        for candidate in self._candidates.values():
            self._plane.scaling.stop(candidate.deployment)
        wanted = {key for d in self._plane.truth.deployments.values() for key in databases_of(d.source)}
        for key in {key for source in self._changes.values() for key in databases_of(source)} - wanted:
            self._plane.databases.discard(key)

    def _retire(self, changeset: Changeset) -> None:
        """Old versions finish the calls they have, then end; databases that nobody has any more end too.

        One that others call is there until these have finished, since they go on calling the version they know.
        """
        self._plane.truth.wait_for_callers(changeset)
        for together in callers_first(changeset.removing):
            with ThreadPoolExecutor(len(together)) as threads:
                list(threads.map(self._drain, together))
        self._plane.truth.drained(changeset)
        for old in changeset.removing:
            self._plane.scaling.stop(old.key)
        current = {key for d in self._plane.truth.deployments.values() for key in databases_of(d.source)}
        for key in {k for d in changeset.removing for k in databases_of(d.source)} - current:
            if not self._plane.truth.is_changing(key.module):
                self._plane.databases.remove(key)
        self._plane.truth.finalize(changeset)

    def _drain(self, old: Deployment) -> None:
        endpoint = self._plane.truth.endpoint(old.key)
        if not endpoint:
            return
        identity = Identity.module(old.name, self._plane.realm)
        request = workspace_pb2.DrainRequest(bound_ms=int(_DRAIN_SECONDS * 1000))
        try:
            RunnerService.drain.on(self._plane.channels.to(endpoint, identity))(
                request, timeout=_DRAIN_SECONDS + _QUIET_SECONDS
            )
        except grpc.RpcError as e:
            print("drain of", old.key, e.code().name, flush=True)
        self._plane.channels.drop(endpoint, identity)


def broken_cells(error: FtlError) -> list[str]:
    """The cells that an error and those beside it point at."""
    return list(dict.fromkeys(e.place.filename for e in (error, *error.others) if e.place is not None))


def with_others(errors: list[FtlError]) -> FtlError:
    """One error for many: the first, the others behind it."""
    first, *rest = errors
    first.others = (*first.others, *rest)
    return first


def _key(deployment: Deployment | None) -> str:
    return deployment.key if deployment is not None else ""


__all__ = ["Attempt", "Result"]
