"""A verb called from a notebook, and two verbs one behind the other; the floor is the same hops, empty."""

from __future__ import annotations

import msgspec

from benchmarks.bare import BODY, Body
from benchmarks.bench import Bench
from benchmarks.measure import Batch, Row, in_turn, ratio_row, timed

TWO_HOPS = """import ftl_nb as ftl
ftl.module("front")
from ftl_nb.modules import bench

@ftl.verb(export=True)
def outer(body: bench.Body) -> bench.Body:
    return bench.echo(body)
"""


def calls(bench: Bench, verb: str) -> Batch:
    """The verb with the body of 256 bytes, as a notebook calls it: classes in and out."""
    request = bench.notebook.name("Body")(**msgspec.structs.asdict(msgspec.json.decode(BODY, type=Body)))
    call = bench.notebook.name(verb)
    return timed(lambda: call(request))


def measure(bench: Bench) -> list[Row]:
    turns = in_turn(calls(bench, "echo"), timed(lambda: bench.bare.call(BODY)), bench.scale)
    what = "verb call, kernel → runner → back, 256-byte body, tracing on"
    return [
        ratio_row("call_p50", f"{what}, p50", turns, 0.5, 1.4),
        ratio_row("call_p99", f"{what}, p99", turns, 0.99, 2.0),
    ]


def measure_two_hops(bench: Bench) -> list[Row]:
    bench.notebook.run(TWO_HOPS)
    turns = in_turn(calls(bench, "outer"), timed(lambda: bench.relay.relay(BODY)), bench.scale)
    return [ratio_row("two_hops", "verb → verb → back, p50", turns, 0.5, 1.5)]
