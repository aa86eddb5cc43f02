"""Changes of a system on fakes for its processes, in any order: beside each other, with processes that die, a store
that is away, a clock that jumps, and a control plane that starts again at any point.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ftl_nb import schema
from ftl_nb.binding.source import Cell, ModuleSource
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc.view import SchemaView, deployment_of
from ftl_nb.services.build import Attempt
from ftl_nb.services.deployments import Deployment, Records
from ftl_nb.services.plane import Plane
from ftl_nb.services.scaling import Registered
from ftl_nb.services.truth import Truth
from ftl_nb.store import SqliteStore

NAMES = ("goods", "till", "users")
Action = Callable[[], None]


@dataclass
class World:
    """What processes there are, and what happens while the next one starts."""

    processes: set[str] = field(default_factory=set)
    during: list[Action] = field(default_factory=list)
    store_away: bool = False
    was_away: bool = False
    now: int = 10**18


class Away:
    """A store that cannot be written while the world says so."""

    def __init__(self, store: SqliteStore, world: World) -> None:
        self._store = store
        self._world = world

    def commit(self, *words: Any) -> Any:
        if self._world.store_away:
            self._world.was_away = True
            raise fail("store-away", store="the store", seconds=1, detail="it is away")
        return self._store.commit(*words)

    def range(self, *words: Any) -> Any:
        return self._store.range(*words)


class Processes:
    """Scaling without processes: what a module declares is in its text."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, deployment: str, name: str, spec: Callable[[], ModuleSource]) -> Registered:
        source = spec()
        self._world.processes.add(deployment)
        while self._world.during:
            self._world.during.pop()()
        if deployment not in self._world.processes:
            raise fail("runner-start", module=source.name, detail="it died")
        return Registered(f"{deployment}:1", declared(source))

    def stop(self, deployment: str) -> None:
        self._world.processes.discard(deployment)


def text_of(name: str, uses: Iterable[str], number: int, *, bare: bool) -> ModuleSource:
    """A module whose verb takes what it uses; `bare` has no data that others could use."""
    lines = [*(f"from ftl_nb.modules import {used}" for used in uses), f"NUMBER = {number}", f"BARE = {bare}"]
    return ModuleSource(name, (Cell("1", "module", "module", "\n".join(lines), {}),))


def declared(source: ModuleSource) -> schema.Module:
    (cell,) = source.cells
    uses = [line.split()[-1] for line in cell.text.splitlines() if line.startswith("from")]
    data = "" if "BARE = True" in cell.text else "export data Item { name String }"
    verbs = "\n".join(f"export verb take{n}({used}.Item) Unit" for n, used in enumerate(uses))
    return schema.parse_module(f"module {source.name} {{ {data}\n{verbs} }}")


class Tried(Attempt):
    """Nothing is called here, so nothing has to be waited for."""

    def _drain(self, old: Deployment) -> None: ...


class Changes(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.opened = SqliteStore(Path(self.folder.name))
        self.world = World()
        self.expected: dict[str, ModuleSource] = {}
        self.number = 0
        self.start()

    def start(self) -> None:
        """The control plane, on what the store holds: processes are of one run."""
        self.world.processes.clear()
        self.world.during.clear()
        self.records = Records(cast(SqliteStore, Away(self.opened, self.world)))
        self.truth = Truth(self.records, "play", self.tick)
        self.retiring: list[Action] = []
        self.position, self.view = -1, SchemaView("play")
        self.plane = cast(
            Plane,
            SimpleNamespace(
                realm="play",
                records=self.records,
                truth=self.truth,
                scaling=Processes(self.world),
                databases=None,
                link=SimpleNamespace(preload=lambda packages: None),
                checker=SimpleNamespace(check=lambda system, changed, before: {}, publish=lambda modules: None),
                validator=schema.Validator(),
                from_site_packages=lambda packages: (),
                runner_spec=lambda deployment, source, generated, seen, analysis: source,
                in_background=self.retiring.append,
            ),
        )

    def tick(self) -> int:
        self.world.now += 1
        return self.world.now

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.opened.close()
            self.folder.cleanup()

    # --- what happens --------------------------------------------------------------------------------------------

    def attempt(self, names: set[str], uses: set[str], removed: set[str], *, bare: bool) -> None:
        self.number += 1
        changes = {n: text_of(n, sorted(uses - {n}), self.number, bare=bare) for n in sorted(names - removed)}
        gone = sorted(removed & self.truth.deployments.keys())
        try:
            result = Tried(self.plane, changes, gone, "first", keep=False).run()
        except FtlError:
            return
        # What moved, with those that moved along.
        for name in gone:
            self.expected.pop(name)
        self.expected |= {d.name: d.source for d in result.deployed}

    @rule(names=st.sets(st.sampled_from(NAMES), min_size=1), uses=st.sets(st.sampled_from(NAMES)), bare=st.booleans())
    def change(self, names: set[str], uses: set[str], bare: bool) -> None:
        self.attempt(names, uses, set(), bare=bare)

    @rule(names=st.sets(st.sampled_from(NAMES), min_size=1))
    def remove(self, names: set[str]) -> None:
        self.attempt(set(), set(), names, bare=False)

    @rule(name=st.sampled_from(NAMES), uses=st.sets(st.sampled_from(NAMES)), bare=st.booleans())
    def another_change_comes_between(self, name: str, uses: set[str], bare: bool) -> None:
        self.world.during.append(lambda: self.attempt({name}, uses, set(), bare=bare))

    @rule(name=st.sampled_from(NAMES))
    def a_removal_comes_between(self, name: str) -> None:
        self.world.during.append(lambda: self.attempt(set(), set(), {name}, bare=False))

    @rule(user=st.sampled_from(NAMES), used=st.sampled_from(NAMES), removed=st.booleans())
    def what_a_change_uses_moves_while_it_is_tried(self, user: str, used: str, removed: bool) -> None:
        """It was there when the change was begun, and goes, or loses its data, before the change is decided."""
        self.attempt({used}, set(), set(), bare=False)
        self.another_change_comes_between(used, set(), bare=True)
        if removed:
            self.world.during.pop()
            self.a_removal_comes_between(used)
        self.attempt({user}, {used}, set(), bare=False)

    @rule()
    def every_process_dies_while_one_starts(self) -> None:
        self.world.during.append(self.world.processes.clear)

    @rule()
    def the_store_goes_away_while_one_starts(self) -> None:
        self.world.during.append(lambda: setattr(self.world, "store_away", True))

    @rule(away=st.booleans())
    def the_store_comes_and_goes(self, away: bool) -> None:
        self.world.store_away = away

    @rule(by=st.integers(-(10**15), 10**15))
    def the_clock_jumps(self, by: int) -> None:
        self.world.now += by

    @rule()
    def old_versions_go(self) -> None:
        while self.retiring:
            self.retiring.pop(0)()

    @rule()
    def the_control_plane_starts_again(self) -> None:
        self.world.store_away = self.world.was_away = False
        self.start()

    # --- what holds ----------------------------------------------------------------------------------------------

    @invariant()
    def one_version_of_each_module_is_canonical_and_the_store_says_so(self) -> None:
        assert {n: d.source for n, d in self.truth.deployments.items()} == self.expected
        assert self.records.deployments() == self.truth.deployments

    @invariant()
    def the_canonical_schema_validates(self) -> None:
        assert schema.validate(self.truth.system).problems == ()

    @invariant()
    def no_process_is_an_orphan(self) -> None:
        canonical = {d.key for d in self.truth.deployments.values()}
        assert self.retiring or self.world.processes <= canonical

    @invariant()
    def no_module_is_held(self) -> None:
        assert not any(self.truth.is_changing(name) for name in NAMES)

    @invariant()
    def who_follows_sees_every_change(self) -> None:
        events: Any = [None]
        context: Any = SimpleNamespace(is_active=lambda: True)
        told = self.truth._gone + len(self.truth._events)
        while self.position < told:
            self.position, events = self.truth._newer(self.position, context)
            for event in events:
                self.view.apply(event)
        seen = {m.name: deployment_of(m) for m in self.view.modules}
        assert seen == {n: d.key for n, d in self.truth.deployments.items()}

    @invariant()
    def what_is_over_is_remembered_so(self) -> None:
        if not self.retiring and not self.world.was_away:
            assert {past.state for past in self.records.history.newest()} <= {"finalized", "failed"}


Changes.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
test_changes = pytest.mark.timeout(300)(Changes.TestCase)
