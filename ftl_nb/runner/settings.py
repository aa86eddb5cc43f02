"""The config values and secrets that a runner's verbs see, followed from the control plane."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator

from ftl_nb.errors import FtlError
from ftl_nb.rpc import Context, deploymentcontext_pb2, workspace_pb2
from ftl_nb.rpc.services import RunnerService, Served
from ftl_nb.rpc.tls import grpc
from ftl_nb.runner.redaction import hidden
from ftl_nb.schema.names import camel

_PAUSE_SECONDS = 0.5
_FIRST_SECONDS = 10.0

Values = deploymentcontext_pb2.GetDeploymentContextResponse


class Settings:
    """JSON by schema name. Thread-safe."""

    def __init__(self) -> None:
        self._configs: dict[str, bytes] = {}
        self._secrets: dict[str, bytes] = {}
        self._problem = ""
        self._came = False
        self._changed = threading.Condition()

    def config(self, name: str) -> bytes | None:
        return self._of(self._configs, name)

    def secret(self, name: str) -> bytes | None:
        return self._of(self._secrets, name)

    def _of(self, values: dict[str, bytes], name: str) -> bytes | None:
        """None for a value that is not set. Raises the FtlError of the control plane where it cannot tell."""
        value = values.get(camel(name))
        if value is None and self._problem:
            raise FtlError.from_dict(json.loads(self._problem))
        return value

    def follow(self, pull: Callable[[], Iterator[Values]]) -> None:
        """Takes what the stream brings, opening it anew when it breaks; never returns."""
        pause = threading.Event()
        while True:
            try:
                for values in pull():
                    self.take(values)
            except grpc.RpcError:
                pause.wait(_PAUSE_SECONDS)

    def take(self, values: Values) -> None:
        with self._changed:
            self._configs, self._secrets = dict(values.configs), dict(values.secrets)
            self._problem, self._came = values.problem, True
            hidden.learn(self._secrets.values())
            self._changed.notify_all()

    def wait(self) -> None:
        """Until the first values are here, for some seconds: no verb runs before."""
        with self._changed:
            self._changed.wait_for(lambda: self._came, _FIRST_SECONDS)

    def served(self) -> tuple[Served, ...]:
        return (RunnerService.await_config.served_by(self.await_config),)

    def await_config(
        self, request: workspace_pb2.AwaitConfigRequest, context: Context
    ) -> workspace_pb2.AwaitConfigResponse:
        """The stream alone changes values, so they never go back; this waits until it has brought the asked ones."""
        wanted = (dict(request.configs), dict(request.secrets))
        with self._changed:
            in_force = self._changed.wait_for(lambda: (self._configs, self._secrets) == wanted, request.bound_ms / 1000)
        return workspace_pb2.AwaitConfigResponse(in_force=in_force)
