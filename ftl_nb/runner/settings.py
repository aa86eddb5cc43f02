"""The config values that a runner's verbs see: given at its start, followed from the control plane."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping

from ftl_nb.rpc import Context, workspace_pb2
from ftl_nb.rpc.services import RunnerService, Served
from ftl_nb.rpc.tls import grpc
from ftl_nb.schema.names import camel

_PAUSE_SECONDS = 0.5


class Settings:
    """JSON by schema name. Thread-safe."""

    def __init__(self, values: Mapping[str, bytes]) -> None:
        self._values = dict(values)
        self._changed = threading.Condition()

    def get(self, name: str) -> bytes | None:
        return self._values.get(camel(name))

    def follow(self, pull: Callable[[], Iterator[Mapping[str, bytes]]]) -> None:
        """Takes what the stream brings, opening it anew when it breaks; never returns."""
        pause = threading.Event()
        while True:
            try:
                for values in pull():
                    self._take(values)
            except grpc.RpcError:
                pause.wait(_PAUSE_SECONDS)

    def _take(self, values: Mapping[str, bytes]) -> None:
        with self._changed:
            self._values = dict(values)
            self._changed.notify_all()

    def served(self) -> tuple[Served, ...]:
        return (RunnerService.await_config.served_by(self.await_config),)

    def await_config(
        self, request: workspace_pb2.AwaitConfigRequest, context: Context
    ) -> workspace_pb2.AwaitConfigResponse:
        """The stream alone changes values, so they never go back; this waits until it has brought the asked ones."""
        wanted = dict(request.configs)
        with self._changed:
            in_force = self._changed.wait_for(lambda: self._values == wanted, request.bound_ms / 1000)
        return workspace_pb2.AwaitConfigResponse(in_force=in_force)
