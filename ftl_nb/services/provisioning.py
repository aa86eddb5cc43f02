"""What a change makes beside what serves: candidates of databases, and start-up fixtures run on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ftl_nb.compiler.analysis import VerbUse
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import CallContext, Identity, RequestKey, from_rpc_error, verb_pb2, workspace_pb2
from ftl_nb.rpc.services import VerbService
from ftl_nb.rpc.tls import grpc
from ftl_nb.schema import schema_pb2
from ftl_nb.services.candidates import Candidate, is_startup
from ftl_nb.services.databases import DatabaseKey
from ftl_nb.services.plane import Plane

_FIXTURE_SECONDS = 600.0


class Provisioner:
    """Of one change. `keep` refuses to rebuild a database."""

    def __init__(self, plane: Plane, *, keep: bool) -> None:
        self._plane = plane
        self._keep = keep
        self._prepared: list[DatabaseKey] = []

    def prepare(self, candidate: Candidate) -> Iterator[str]:
        """Databases beside those that serve, then start-up fixtures on them. Yields what is worth a line."""
        due = self._due(candidate)
        rebuilt: set[str] = set()
        for key, cells in candidate.sql.items():
            yield from self._prepare_database(candidate, key, cells, rebuilt, isolated=bool(due))
        for use in candidate.analysis.verbs:
            if use in due or (is_startup(use) and any(ref.name in rebuilt for ref in use.databases)):
                self._run_fixture(candidate, use.name)
                yield f"fixture {use.function} ran"
        candidate.fixtures = {use.name: use.digest for use in candidate.analysis.verbs if is_startup(use)}

    def _due(self, candidate: Candidate) -> list[VerbUse]:
        """Start-up fixtures that have not run as they are now."""
        before = self._plane.truth.deployment(candidate.name)
        done = before.fixtures if before is not None else {}
        return [use for use in candidate.analysis.verbs if is_startup(use) and done.get(use.name) != use.digest]

    def _prepare_database(
        self,
        candidate: Candidate,
        key: DatabaseKey,
        cells: list[workspace_pb2.SqlCell],
        rebuilt: set[str],
        *,
        isolated: bool,
    ) -> Iterator[str]:
        """One that was built anew is added to `rebuilt`: its fixtures have to run again."""
        self._prepared.append(key)
        response = self._plane.databases.prepare(key, cells, keep=self._keep, isolated=isolated)
        candidate.generations[key.name] = response.generation
        if response.plan == "changed":
            rebuilt.add(key.name)
            went = _rows(response, "rows that went")
            yield f"database {key.name} was rebuilt, since an applied migration changed{went}"

    def plan(self, candidate: Candidate) -> Iterator[str]:
        """Tries the migrations beside what serves, yields what they would do, and takes them back."""
        for key, cells in candidate.sql.items():
            response = self._plane.databases.prepare(key, cells, keep=False, isolated=False)
            self._plane.databases.roll_back(key)
            if response.plan == "changed":
                went = _rows(response, "rows that go")
                yield f"database {key.name} would be rebuilt, since an applied migration changed{went}"
            elif response.plan == "pending":
                yield f"database {key.name} would run the migrations {', '.join(response.applied)}"

    def switch(self, candidates: Iterable[Candidate]) -> None:
        """What was prepared serves: there is no way back."""
        self._prepared.clear()
        for candidate in candidates:
            for key, cells in candidate.sql.items():
                self._plane.databases.switch(key, cells)

    def take_back(self) -> None:
        """What was prepared is gone; what served serves on."""
        while self._prepared:
            self._plane.databases.roll_back(self._prepared.pop())

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


def _rows(response: workspace_pb2.PrepareResponse, how: str) -> str:
    lost = ", ".join(f"{row.rows} of {row.table}" for row in response.lost if row.rows)
    return f"; {how}: {lost}" if lost else ""
