"""Calls a second with 64 in flight: one runner beside the best bare server of as many threads, under the same client.

The client sends ready messages from one event loop, so that what differs is the server.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.bare import BODY, ECHO
from benchmarks.bench import Bench
from benchmarks.measure import Row, quartiles
from ftl_nb.cluster import join, project_of
from ftl_nb.rpc import CallContext, Identity, Leaf, RequestKey, verb_pb2
from ftl_nb.rpc.services import VerbService
from ftl_nb.rpc.tls import grpc
from ftl_nb.rpc.wire import CHANNEL_OPTIONS
from ftl_nb.schema import schema_pb2

IN_FLIGHT = 64
_REACH = 0.65

Send = Callable[[], Awaitable[object]]


def measure(bench: Bench) -> list[Row]:
    return asyncio.run(_measure(bench))


async def _measure(bench: Bench) -> list[Row]:
    count = bench.scale.calls * 10
    client = join(project_of(), "script", "throughput")
    async with _runner(bench, client.welcome.leaf) as ours, _bare(bench) as floor:
        sides = {"floor": _bare_call(floor), "ours": _verb_call(ours)}
        rates: dict[str, list[float]] = {name: [] for name in sides}
        for send in sides.values():
            await _rate(send, count)
        for _ in range(bench.scale.rounds):
            for name, send in sides.items():
                rates[name].append(await _rate(send, count))
    client.close()
    ratios = [a / b for a, b in zip(rates["ours"], rates["floor"], strict=True)]
    ratio = statistics.median(ratios)
    what = f"throughput, {IN_FLIGHT} in flight, one runner"
    ours, below = (statistics.median(rates[name]) for name in ("ours", "floor"))
    reach = f"≥ {_REACH}×"
    return [Row("throughput", what, "calls/s", ours, below, ratio, reach, ratio >= _REACH, quartiles(ratios))]


async def _rate(send: Send, count: int) -> float:
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await send()

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return count / (time.perf_counter() - start)


def _bare_call(channel: Any) -> Send:
    call = channel.unary_unary(ECHO)
    return lambda: call(BODY)


def _verb_call(channel: Any) -> Send:
    call = VerbService.call.on(channel)
    request = verb_pb2.CallRequest(verb=schema_pb2.Ref(module="bench", name="echo"), body=BODY)

    def send() -> Any:
        context = CallContext.start(str(RequestKey.make("ingress", "benchmark")))
        return call(request, metadata=context.to_metadata())

    return send


def _runner(bench: Bench, leaf: Leaf) -> Any:
    route = bench.notebook.view.route("bench.echo")
    if route is None:
        raise RuntimeError("nothing serves the verb")
    return _channel(route.endpoint, leaf, route.callee)


def _bare(bench: Bench) -> Any:
    return _channel(bench.bare.endpoint, bench.bare.leaf, bench.bare.identity)


def _channel(endpoint: str, leaf: Leaf, callee: Identity) -> Any:
    secure = grpc.ssl_channel_credentials(leaf.ca_pem, leaf.key_pem, leaf.certificate_pem)
    return grpc.aio.secure_channel(endpoint, secure, (*CHANNEL_OPTIONS, ("grpc.ssl_target_name_override", callee.dns)))
