"""What the rows share: one notebook, the bare servers, the scale."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.bare import REALM, Bare
from benchmarks.measure import Scale
from benchmarks.notebook import ECHO, MODULE, Notebook
from ftl_nb.rpc import Authority
from ftl_nb.runner.main import THREADS


@dataclass(frozen=True, slots=True)
class Bench:
    """`bare` is the echo, `relay` the one that calls it; `ray_python` an interpreter that has ray, empty for none."""

    scale: Scale
    notebook: Notebook
    bare: Bare
    relay: Bare
    ray_python: str


@contextmanager
def running(scale: Scale, ray_python: str) -> Iterator[Bench]:
    """A cluster with the module `bench` and its verb `echo`, and the two bare servers beside it."""
    authority = Authority(REALM)
    with ExitStack() as stack:
        bare = stack.enter_context(Bare.start(authority, THREADS))
        relay = stack.enter_context(Bare.start(authority, THREADS, bare.endpoint))
        notebook = stack.enter_context(Notebook())
        notebook.run(MODULE, ECHO)
        yield Bench(scale, notebook, bare, relay, ray_python)
