"""The project's cluster as an argument of a command, made when a command first asks for it: the commands that work on
files alone load nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ftl_nb.console import Cluster

F = TypeVar("F", bound=Callable[..., Any])


def pass_cluster(command: F) -> F:
    """Give a command the cluster of the project as its first argument; it is closed when the program ends."""

    def call(*arguments: Any, **options: Any) -> Any:
        context = click.get_current_context()
        return context.invoke(command, _cluster(context.find_root()), *arguments, **options)

    return update_wrapper(call, command)  # type: ignore[return-value]  # click fills the argument, callers see the rest


def _cluster(root: click.Context) -> Cluster:
    from ftl_nb.console import Cluster

    if not isinstance(root.obj, Cluster):
        project: Path | None = root.obj
        root.obj = Cluster(project, kind="cli", owner="ftl-nb")
        root.call_on_close(root.obj.close)
    found: Cluster = root.obj
    return found
