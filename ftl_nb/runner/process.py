"""What every forked process of a cluster has: credentials, channels to the control plane, the schema, the timeline."""

from __future__ import annotations

import gc
import os
import sys
import threading
from typing import Any

from ftl_nb import schema
from ftl_nb.errors import FtlError
from ftl_nb.rpc import Channels, Credentials, Identity, Leaf, keep_fresh, schemaservice_pb2, workspace_pb2
from ftl_nb.rpc.identity import leaf_of
from ftl_nb.rpc.services import RegistryService, SchemaService, TimelineService
from ftl_nb.rpc.view import SchemaView
from ftl_nb.runner.reporter import Reporter
from ftl_nb.schema import schema_pb2

_EXPIRED = 75
_TURN_SECONDS = 0.0005
_REGISTER_SECONDS = 30.0


class Process:
    """Built from the message that the zygote forked it with."""

    def __init__(self, spec: dict[str, Any]) -> None:
        leaf = Leaf.from_dict(spec["leaf"])
        self.realm = leaf.identity.realm
        self.deployment: str = spec["deployment"]
        self.credentials = Credentials(leaf)
        self.channels = Channels(self.credentials)
        self._control: str = spec["control"]
        seen = schema.from_proto(schema_pb2.Schema.FromString(spec["schema"]))
        self.view = SchemaView(self.realm, [m for realm in seen.realms for m in realm.modules])

    @property
    def control(self) -> Any:
        """The channel to the control plane."""
        return self.channels.to(self._control, Identity.service("control", self.realm))

    def reporter(self, module: str) -> Reporter:
        return Reporter(
            self.deployment, module, lambda batch: TimelineService.create_events.on(self.control)(batch, timeout=5.0)
        )

    def follow(self) -> None:
        """Follows the schema, and renews the certificate at half of its life."""
        pull = schemaservice_pb2.PullSchemaRequest(subscription_id=self.deployment)
        self.view.follow(lambda: iter(SchemaService.pull_schema.on(self.control)(pull)))
        # One whose certificate has ended cannot be reached: it is started again, with a fresh one.
        keep_fresh(self.credentials, self._renewed, on_expired=lambda: os._exit(_EXPIRED))

    def _renewed(self) -> Leaf:
        answer = RegistryService.renew.on(self.control)(workspace_pb2.RenewRequest(), timeout=10.0)
        return leaf_of(self.credentials.identity, answer.certificate_pem, answer.key_pem, answer.ca_pem)

    def register(self, endpoint: str, module: schema.Module) -> None:
        """Says that this process serves, and what."""
        request = workspace_pb2.RegisterRequest(
            deployment=self.deployment, endpoint=endpoint, schema=schema.to_proto(module)
        )
        self._tell(request)

    def _tell(self, request: workspace_pb2.RegisterRequest) -> None:
        """A connection that fails while the machine is busy is made again until the deadline."""
        RegistryService.register.on(self.control)(request, timeout=_REGISTER_SECONDS, wait_for_ready=True)

    def give_up(self, error: FtlError) -> None:
        """Says why this process cannot serve."""
        import json

        request = workspace_pb2.RegisterRequest(deployment=self.deployment, error=json.dumps(error.to_dict()))
        self._tell(request)


def settle() -> None:
    """Once all is loaded: the collector leaves it alone, and a call waits less for the turn of a busy thread."""
    gc.freeze()
    sys.setswitchinterval(_TURN_SECONDS)


def wait_forever() -> None:
    """The main thread's part once everything serves; SIGTERM ends it."""
    threading.Event().wait()
