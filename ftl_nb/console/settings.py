"""`cluster.configs` and `cluster.secrets`: values by `module.name`, or by `name` for every module that declares it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ftl_nb import schema
from ftl_nb.errors import FtlError, fail
from ftl_nb.rpc import admin_pb2
from ftl_nb.rpc.hints import near
from ftl_nb.rpc.services import AdminService
from ftl_nb.schema.names import camel, is_identifier

if TYPE_CHECKING:
    from ftl_nb.console.cluster import Cluster
    from ftl_nb.widgets import Display


class Settings(Protocol):
    """What both kinds can do."""

    def list(self, module: str = "") -> Display: ...

    def get(self, ref: str, *, reveal: bool = False) -> Any: ...

    def set(self, ref: str, value: object) -> str: ...

    def unset(self, ref: str) -> None: ...

    def import_file(self, path: str | Path) -> str: ...

    def export_file(self, path: str | Path) -> str: ...


class Configs:
    """Config values."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def list(self, module: str = "") -> Display:
        """Every config that is declared or set, with its value and where that comes from."""
        from ftl_nb.widgets import SettingLine, SettingLines

        request = admin_pb2.ConfigListRequest(module=module or None, include_values=True)
        found = self._cluster.session.ask(AdminService.config_list, request).configs
        return SettingLines(
            "config",
            tuple(SettingLine(c.ref_path, c.type, c.value.decode() if c.provider else "", c.provider) for c in found),
        )

    def values(self, module: str = "") -> dict[str, Any]:
        """Every value that is set."""
        request = admin_pb2.ConfigListRequest(module=module or None, include_values=True)
        found = self._cluster.session.ask(AdminService.config_list, request).configs
        return {c.ref_path: json.loads(c.value) for c in found if c.provider}

    def get(self, ref: str, *, reveal: bool = True) -> Any:
        """The value that verbs see. Raises FtlError `config-missing`."""
        request = admin_pb2.ConfigGetRequest(ref=_ref(ref))
        return json.loads(self._cluster.session.ask(AdminService.config_get, request).value)

    def set(self, ref: str, value: object) -> str:
        """In force when it returns; a remark where no module declares the name.

        Raises FtlError `config-invalid` where the declared type is another, `setting-kind` where it is no config.
        """
        request = admin_pb2.ConfigSetRequest(ref=_ref(ref), value=_json(value))
        self._cluster.session.ask(AdminService.config_set, request)
        return undeclared(self._cluster, "config", ref)

    def unset(self, ref: str) -> None:
        """Takes the value away; one that is not there is no error."""
        self._cluster.session.ask(AdminService.config_unset, admin_pb2.ConfigUnsetRequest(ref=_ref(ref)))

    def import_file(self, path: str | Path) -> str:
        """Sets what a JSON object by ref says; what was done."""
        return _import(self, path)

    def export_file(self, path: str | Path) -> str:
        """Writes every value that is set as such an object; what was done."""
        return _export(self.values(), path)


class Secrets:
    """Secrets. Nothing shows a value but `get(…, reveal=True)`, and an export to a file of your own."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def list(self, module: str = "") -> Display:
        """Every secret that is declared or set, and where its value comes from."""
        from ftl_nb.widgets import SettingLine, SettingLines

        request = admin_pb2.SecretsListRequest(module=module or None)
        found = self._cluster.session.ask(AdminService.secrets_list, request).secrets
        return SettingLines(
            "secret", tuple(SettingLine(s.ref_path, s.type, "•••" if s.provider else "", s.provider) for s in found)
        )

    def get(self, ref: str, *, reveal: bool = False) -> Any:
        """The value, which `reveal` asks for. Raises FtlError `secret-hidden`, `secret-missing`."""
        if not reveal:
            raise fail("secret-hidden", detail=f"The value of secret {ref} is not shown", hint_text="--reveal shows it")
        request = admin_pb2.SecretGetRequest(ref=_ref(ref))
        return json.loads(self._cluster.session.ask(AdminService.secret_get, request).value)

    def set(self, ref: str, value: object) -> str:
        """In force when it returns; a remark where no module declares the name.

        Raises FtlError `secret-invalid` where the declared type is another, `setting-kind` where it is no secret.
        """
        request = admin_pb2.SecretSetRequest(ref=_ref(ref), value=_json(value))
        self._cluster.session.ask(AdminService.secret_set, request)
        return undeclared(self._cluster, "secret", ref)

    def set_text(self, ref: str, text: str) -> str:
        """The same for what a person typed: itself for a secret of type String, JSON for one of another type."""
        declared = _declared(self._cluster, "secret")
        types = {declared[r] for r in declared if r == _path(ref) or r.endswith(f".{_path(ref)}")}
        if not types or "String" in types:
            return self.set(ref, text)
        try:
            return self.set(ref, json.loads(text))
        except ValueError:
            raise_for = ", ".join(sorted(types))
        raise fail("secret-invalid", name=ref, type=f"{raise_for} in JSON")

    def unset(self, ref: str) -> None:
        """Takes the value away; one that is not there is no error."""
        self._cluster.session.ask(AdminService.secret_unset, admin_pb2.SecretUnsetRequest(ref=_ref(ref)))

    def import_file(self, path: str | Path) -> str:
        """Sets what a JSON object by ref says; what was done."""
        return _import(self, path)

    def export_file(self, path: str | Path) -> str:
        """Writes every secret that is set, in clear, to a file of mode 0600; what was done."""
        request = admin_pb2.SecretsListRequest(include_values=True)
        found = self._cluster.session.ask(AdminService.secrets_list, request).secrets
        return _export({s.ref_path: json.loads(s.value) for s in found if s.provider}, path)


def undeclared(cluster: Cluster, kind: str, ref: str) -> str:
    """What to say of a value that no module asks for; empty where one does."""
    declared, path = _declared(cluster, kind), _path(ref)
    if path in declared or ("." not in path and any(r.endswith(f".{path}") for r in declared)):
        return ""
    return f"{ref} is kept, but no module declares such a {kind} ({near(path, sorted(declared))})"


def _declared(cluster: Cluster, kind: str) -> dict[str, str]:
    """Ref to type."""
    node = schema.Config if kind == "config" else schema.Secret
    modules = cluster.session.view.modules
    return {f"{m.name}.{d.name}": str(d.type) for m in modules for d in m.decls if isinstance(d, node)}


def _path(ref: str) -> str:
    module, dot, name = ref.rpartition(".")
    return f"{module}{dot}{camel(name)}"


def _ref(ref: str) -> admin_pb2.ConfigRef:
    module, dot, name = ref.rpartition(".")
    if not is_identifier(name) or (dot and not is_identifier(module)):
        raise fail("usage", detail=f"{ref!r} is neither MODULE.NAME nor NAME", hint_text="write shop.currency")
    return admin_pb2.ConfigRef(module=module, name=camel(name)) if dot else admin_pb2.ConfigRef(name=camel(name))


def _json(value: object) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError) as e:
        detail = f"a {type(value).__name__} has no JSON form" if isinstance(e, TypeError) else "it has no JSON form"
    raise fail("usage", detail=f"The value cannot be set: {detail}", hint_text="give texts, numbers, lists, dicts")


def _import(settings: Settings, path: str | Path) -> str:
    values = _object(Path(path).expanduser())
    for ref in values:
        _ref(ref)
    done = 0
    for ref, value in values.items():
        try:
            settings.set(ref, value)
        except FtlError as e:
            e.hint = f"{done} of {len(values)} were set before it. {e.hint}"
            raise
        done += 1
    return f"{done} set"


def _object(path: Path) -> Mapping[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except OSError as e:
        raise fail("usage", detail=f"{path}: {e.strerror}", hint_text="name a file that holds a JSON object") from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise fail("usage", detail=f"{path} does not hold one JSON object", hint_text='write {"shop.currency": "EUR"}')
    return found


def _export(values: Mapping[str, object], path: str | Path) -> str:
    """A file that is there is not written over."""
    target = Path(path).expanduser()
    try:
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as e:
        raise fail("usage", detail=f"{target}: {e.strerror}", hint_text="name a new file") from None
    with os.fdopen(fd, "w") as file:
        json.dump(values, file, indent=2)
        file.write("\n")
    return f"{len(values)} written to {target}, which you alone can read"
