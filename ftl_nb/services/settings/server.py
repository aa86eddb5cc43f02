"""Configs and secrets as services: what clients ask of them, and the streams that bring them to running verbs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import Context, Identity, admin_pb2, deploymentcontext_pb2, event_pb2, peer, timeline_pb2, workspace_pb2
from ftl_nb.rpc.services import AdminService, DeploymentContextService, RunnerService, Served
from ftl_nb.rpc.tls import grpc
from ftl_nb.services.access import CLIENTS, PROCESSES, only, ping
from ftl_nb.services.plane import Plane
from ftl_nb.services.settings.chain import Chain
from ftl_nb.services.settings.declared import Declared
from ftl_nb.services.settings.provider import Ref
from ftl_nb.services.timeline import Timeline

_IN_FORCE_MS = 2000

Values = deploymentcontext_pb2.GetDeploymentContextResponse
Asked = deploymentcontext_pb2.GetDeploymentContextRequest


class Delivery:
    """Brings each runner the values of what its module declares, and again after every change."""

    def __init__(self, configs: Chain, secrets: Chain, plane: Plane) -> None:
        self._configs = configs
        self._secrets = secrets
        self._plane = plane
        self._asked: dict[str, Asked] = {}
        self._changed = threading.Condition()
        self._version = 0

    def follow(self, request: Asked, context: Context) -> Iterator[Values]:
        """The context of the calling module's deployment."""
        module = peer(context).names[0]
        context.add_callback(self._wake)
        self._asked[request.deployment] = request
        while context.is_active():
            seen = self._version
            yield self._values(module, request)
            with self._changed:
                self._changed.wait_for(lambda seen=seen: self._version > seen or not context.is_active())  # type: ignore[misc]
        self._asked.pop(request.deployment, None)

    def _values(self, module: str, request: Asked) -> Values:
        """A provider that fails leaves its values out, and says why."""
        values = Values(module=module, deployment=request.deployment)
        try:
            values.configs.update(self._configs.seen_by(module, _names(self._configs, module, request.configs)))
            values.secrets.update(self._secrets.seen_by(module, request.secrets))
        except FtlError as e:
            import json

            values.problem = json.dumps(e.to_dict())
        return values

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def changed(self, ref: Ref) -> None:
        """Returns when the runners that see the value have the new one, or some seconds have passed."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()
        for name in [ref.module] if ref.module else sorted(self._plane.truth.deployments):
            self._await_runner(name)

    def _await_runner(self, module: str) -> None:
        """The caller's next call sees the new value; a runner that is away will start with it."""
        deployment = self._plane.truth.deployment(module)
        endpoint = self._plane.truth.endpoint(deployment.key) if deployment is not None else ""
        asked = self._asked.get(deployment.key) if deployment is not None else None
        if not endpoint or asked is None:
            return
        values = self._values(module, asked)
        request = workspace_pb2.AwaitConfigRequest(
            configs=values.configs, secrets=values.secrets, bound_ms=_IN_FORCE_MS
        )
        channel = self._plane.channels.to(endpoint, Identity.module(module, self._plane.realm))
        with suppress(grpc.RpcError):  # It died meanwhile: the next one starts with the value.
            RunnerService.await_config.on(channel)(request, timeout=_IN_FORCE_MS / 1000 + 1)


def _names(chain: Chain, module: str, declared: Any) -> set[str]:
    """Configs go out whether declared or not; of secrets a module gets those that it declares."""
    return {*declared, *(ref.name for ref in chain.refs() if ref.module in ("", module))}


class Configs:
    """Config values, for clients."""

    def __init__(self, chain: Chain, declared: Declared, changed: Callable[[Ref], None]) -> None:
        self._chain = chain
        self._declared = declared
        self._changed = changed

    def list(self, request: admin_pb2.ConfigListRequest, context: Context) -> admin_pb2.ConfigListResponse:
        """What is declared, and what is set."""
        response, declared = admin_pb2.ConfigListResponse(), self._declared.all()
        for ref in _listed(self._chain, declared, request.module):
            found, type_ = self._chain.of(ref), declared.get(ref)
            response.configs.add(
                ref_path=str(ref),
                value=found.value if found is not None and request.include_values else None,
                type=str(type_) if type_ is not None else "",
                provider=found.provider if found is not None else "",
            )
        return response

    def get(self, request: admin_pb2.ConfigGetRequest, context: Context) -> admin_pb2.ConfigGetResponse:
        """The value in force: for a module's name the global one where it has none."""
        ref = _ref(request.ref)
        found = self._chain.lookup(*ref)
        if found is None:
            raise fail("config-missing", None, self._declared.near(ref), name=ref)
        return admin_pb2.ConfigGetResponse(value=found.value)

    def set(self, request: admin_pb2.ConfigSetRequest, context: Context) -> admin_pb2.ConfigSetResponse:
        ref = _ref(request.ref)
        self._declared.check(ref, request.value)
        self._chain.set(ref, request.value)
        self._changed(ref)
        return admin_pb2.ConfigSetResponse()

    def unset(self, request: admin_pb2.ConfigUnsetRequest, context: Context) -> admin_pb2.ConfigUnsetResponse:
        ref = _ref(request.ref)
        self._chain.unset(ref)
        self._changed(ref)
        return admin_pb2.ConfigUnsetResponse()


class Secrets:
    """Secrets, for clients. Whatever is done with one is told to the timeline; its value is not."""

    def __init__(self, chain: Chain, declared: Declared, changed: Callable[[Ref], None], timeline: Timeline) -> None:
        self._chain = chain
        self._declared = declared
        self._changed = changed
        self._timeline = timeline

    def list(self, request: admin_pb2.SecretsListRequest, context: Context) -> admin_pb2.SecretsListResponse:
        """What is declared, and what is set; with values only where they are asked for, which counts as an export."""
        response, declared = admin_pb2.SecretsListResponse(), self._declared.all()
        for ref in _listed(self._chain, declared, request.module):
            found, type_ = self._chain.of(ref), declared.get(ref)
            shown = found.value if found is not None and request.include_values else None
            response.secrets.add(
                ref_path=str(ref),
                value=shown,
                type=str(type_) if type_ is not None else "",
                provider=found.provider if found is not None else "",
            )
            if shown is not None:
                self._tell(str(ref), "export", context)
        if not request.include_values:
            self._tell(request.module, "list", context)
        return response

    def get(self, request: admin_pb2.SecretGetRequest, context: Context) -> admin_pb2.SecretGetResponse:
        ref = _ref(request.ref)
        found = self._chain.lookup(*ref)
        if found is None:
            raise fail("secret-missing", None, self._declared.near(ref), name=ref)
        self._tell(str(ref), "read", context)
        return admin_pb2.SecretGetResponse(value=found.value)

    def set(self, request: admin_pb2.SecretSetRequest, context: Context) -> admin_pb2.SecretSetResponse:
        ref = _ref(request.ref)
        self._declared.check(ref, request.value)
        self._chain.set(ref, request.value)
        self._tell(str(ref), "set", context)
        self._changed(ref)
        return admin_pb2.SecretSetResponse()

    def unset(self, request: admin_pb2.SecretUnsetRequest, context: Context) -> admin_pb2.SecretUnsetResponse:
        ref = _ref(request.ref)
        self._chain.unset(ref)
        self._tell(str(ref), "unset", context)
        self._changed(ref)
        return admin_pb2.SecretUnsetResponse()

    def _tell(self, secret: str, action: str, context: Context) -> None:
        entry = timeline_pb2.CreateEventsRequest.EventEntry()
        entry.timestamp.GetCurrentTime()
        event = event_pb2.SecretAccessEvent(secret=secret, action=action, accessor=str(peer(context)))
        event.timestamp.CopyFrom(entry.timestamp)
        entry.secret_access.CopyFrom(event)
        self._timeline.add([entry])


def _ref(ref: admin_pb2.ConfigRef) -> Ref:
    from ftl_nb.schema.names import camel

    return Ref(ref.module, camel(ref.name))


def _listed(chain: Chain, declared: Any, module: str) -> list[Ref]:
    return sorted(ref for ref in {*declared, *chain.refs()} if module in ("", ref.module))


class SettingsServer:
    """The methods of the public protocol."""

    def __init__(self, configs: Chain, secrets: Chain, plane: Plane, timeline: Timeline) -> None:
        self._delivery = Delivery(configs, secrets, plane)
        self._configs = Configs(configs, Declared("config", lambda: plane.truth.deployments), self._delivery.changed)
        self._secrets = Secrets(
            secrets, Declared("secret", lambda: plane.truth.deployments), self._delivery.changed, timeline
        )

    def served_by(self) -> tuple[Served, ...]:
        a, configs, secrets = AdminService, self._configs, self._secrets
        return (
            a.config_list.served_by(only(CLIENTS, configs.list)),
            a.config_get.served_by(only(CLIENTS, configs.get)),
            a.config_set.served_by(only(CLIENTS, configs.set)),
            a.config_unset.served_by(only(CLIENTS, configs.unset)),
            a.secrets_list.served_by(only(CLIENTS, secrets.list)),
            a.secret_get.served_by(only(CLIENTS, secrets.get)),
            a.secret_set.served_by(only(CLIENTS, secrets.set)),
            a.secret_unset.served_by(only(CLIENTS, secrets.unset)),
            DeploymentContextService.ping.served_by(only(PROCESSES, ping)),
            DeploymentContextService.get_deployment_context.served_by(only(("module",), self._delivery.follow)),
        )
