"""What the modules declare: which configs and secrets there are, and whether a value is one of the declared type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace

from ftl_nb import schema
from ftl_nb.errors import fail
from ftl_nb.rpc.hints import near
from ftl_nb.services.deployments import Deployment
from ftl_nb.services.settings.provider import Kind, Ref

_NODES: dict[Kind, type[schema.Config | schema.Secret]] = {"config": schema.Config, "secret": schema.Secret}


class Declared:
    """`deployments` gives the canonical ones by module."""

    def __init__(self, kind: Kind, deployments: Callable[[], Mapping[str, Deployment]]) -> None:
        self._kind = kind
        self._node = _NODES[kind]
        self._deployments = deployments

    def all(self) -> dict[Ref, schema.Type]:
        """Every one of this kind with its type."""
        modules = [d.module for d in list(self._deployments().values())]
        return {Ref(m.name, d.name): d.type for m in modules for d in m.decls if isinstance(d, self._node)}

    def type_of(self, ref: Ref) -> schema.Type | None:
        return self.all().get(ref)

    def check(self, ref: Ref, value: bytes) -> None:
        """Raises `setting-kind` where the name is something else, `config-invalid` or `secret-invalid` for a value.

        A global value must be one for every module that declares the name and has none of its own in sight. What no
        module declares is taken as it is: it may be set before the module is deployed.
        """
        for user in self._users(ref):
            self._check_kind(user)
            declared = self.type_of(user)
            if declared is not None:
                self._check_type(ref, user, declared, value)

    def _users(self, ref: Ref) -> Iterator[Ref]:
        if ref.module:
            yield ref
        else:
            yield from (r for r in self.all() if r.name == ref.name)

    def _check_kind(self, ref: Ref) -> None:
        deployment = self._deployments().get(ref.module)
        decls = deployment.module.decls if deployment is not None else ()
        decl = next((d for d in decls if d.name == ref.name), None)
        if decl is not None and not isinstance(decl, self._node):
            kind = type(decl).__name__.lower()
            raise fail("setting-kind", name=ref, kind=kind, wanted=self._kind)

    def _check_type(self, ref: Ref, user: Ref, declared: schema.Type, value: bytes) -> None:
        from ftl_nb.binding.classes import annotation_of
        from ftl_nb.schema.json import JsonError, codec

        detail = ""
        try:
            codec(annotation_of(declared, self._classes)).decode(value)
        except JsonError as e:
            detail = str(e)
        if detail and self._kind == "secret":
            # Outside of the handler, whose error knows the value.
            raise fail("secret-invalid", name=ref, type=str(declared))
        if detail:
            whose = "" if ref == user else f" (as {user.module} declares it)"
            raise fail("config-invalid", name=ref, type=f"{declared}{whose}", detail=detail)

    def _classes(self, module: str) -> object:
        from ftl_nb.binding.classes import classes_of

        deployment = self._deployments().get(module)
        return SimpleNamespace(**classes_of(deployment.module, self._classes)) if deployment else SimpleNamespace()

    def near(self, ref: Ref) -> str:
        """A hint for a name that has no value."""
        if ref in self.all():
            return f"%ftl {self._kind} set {ref} VALUE"
        return near(str(ref), sorted(map(str, self.all())))
