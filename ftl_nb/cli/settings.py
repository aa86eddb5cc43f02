"""`ftl-nb config …` and `ftl-nb secret …`: values of configs and secrets from a shell."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftl_nb.cli.session import pass_cluster

if TYPE_CHECKING:
    from ftl_nb.console import Cluster

_REF = "MODULE.NAME"
_File = click.Path(dir_okay=False, path_type=Path)


@click.group()
def config() -> None:
    """Config values."""


@click.group()
def secret() -> None:
    """Secrets: typed in without echo, or piped in, and shown only where that is asked for."""


def _settings(cluster: Cluster, kind: str) -> Any:
    return cluster.configs if kind == "config" else cluster.secrets


def _shared(group: click.Group, kind: str) -> None:
    """The commands that both have."""

    @group.command("list")
    @click.argument("module", default="")
    @pass_cluster
    def list_(cluster: Cluster, module: str) -> None:
        """What is declared, what is set, and where from."""
        click.echo(_settings(cluster, kind).list(module))

    @group.command()
    @click.argument("ref", metavar=_REF)
    @pass_cluster
    def unset(cluster: Cluster, ref: str) -> None:
        """Take a value away."""
        _settings(cluster, kind).unset(ref)

    @group.command("import")
    @click.argument("file", type=_File)
    @pass_cluster
    def import_(cluster: Cluster, file: Path) -> None:
        """Set what a JSON object {"MODULE.NAME": value} says."""
        click.echo(_settings(cluster, kind).import_file(file))

    @group.command()
    @click.argument("file", type=_File)
    @pass_cluster
    def export(cluster: Cluster, file: Path) -> None:
        """Write what is set as such an object, to a new file of mode 0600."""
        click.echo(_settings(cluster, kind).export_file(file))


_shared(config, "config")
_shared(secret, "secret")


@config.command("get")
@click.argument("ref", metavar=_REF)
@pass_cluster
def get_config(cluster: Cluster, ref: str) -> None:
    """Print the value that verbs see, as JSON."""
    click.echo(json.dumps(cluster.configs.get(ref)))


@config.command("set")
@click.argument("ref", metavar=_REF)
@click.argument("value")
@click.option("--json", "as_json", is_flag=True, help="the value is JSON, and not a text")
@pass_cluster
def set_config(cluster: Cluster, ref: str, value: str, as_json: bool) -> None:
    """Set a value."""
    _remark(cluster.configs.set(ref, _parsed(value) if as_json else value))


@secret.command("get")
@click.argument("ref", metavar=_REF)
@click.option("--reveal", is_flag=True, help="print the value")
@pass_cluster
def get_secret(cluster: Cluster, ref: str, reveal: bool) -> None:
    """Print the value, as JSON."""
    click.echo(json.dumps(cluster.secrets.get(ref, reveal=reveal)))


@secret.command("set")
@click.argument("ref", metavar=_REF)
@pass_cluster
def set_secret(cluster: Cluster, ref: str) -> None:
    """Ask for a value and set it; where standard input is no terminal, it is read from there to its end."""
    typed = click.prompt(ref, hide_input=True) if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n")
    _remark(cluster.secrets.set_text(ref, typed))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as e:
        raise click.BadParameter(f"this is not JSON: {e}") from None


def _remark(text: str) -> None:
    if text:
        click.echo(text, err=True)
