"""`ftl-nb`: the project's cluster from a shell. Every command is one call of `ftl_nb.console.Cluster`."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftl_nb.cli import changes, settings
from ftl_nb.cli.schema import schema as schema_commands
from ftl_nb.cli.session import pass_cluster
from ftl_nb.errors import FtlError

if TYPE_CHECKING:
    from ftl_nb.console import Cluster


class _Commands(click.Group):
    """Shows an FtlError as itself, with exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FtlError as e:
            click.echo(str(e), err=True)
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--project", type=click.Path(file_okay=False, path_type=Path), default=None, help="the project's folder")
@click.pass_context
def main(ctx: click.Context, project: Path | None) -> None:
    """FTL for notebooks: the project's cluster from a shell."""
    ctx.obj = project


@main.command()
@pass_cluster
def serve(cluster: Cluster) -> None:
    """Hold the cluster without a notebook, until interrupted."""
    cluster.up()
    click.echo("the cluster is up; end it with Ctrl-C")
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


@main.command()
@pass_cluster
def status(cluster: Cluster) -> None:
    """Modules, their runners and who defined them."""
    click.echo(cluster.status())


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--stage", is_flag=True, help="keep them for `ftl-nb apply`, which moves them as one change")
@pass_cluster
def deploy(cluster: Cluster, files: tuple[Path, ...], stage: bool) -> None:
    """Deploy .py files that state their module."""
    for file in files:
        click.echo(cluster.deploy(file, stage=stage))


for _command in changes.COMMANDS:
    main.add_command(_command)


@main.command()
@click.argument("verb", metavar="MODULE.VERB")
@click.argument("request", default="{}", metavar="[JSON]")
@click.option("--timeout", type=float, default=None, help="seconds")
@pass_cluster
def call(cluster: Cluster, verb: str, request: str, timeout: float | None) -> None:
    """Call a verb with a JSON request; prints the JSON answer."""
    answer = cluster.call_json(verb, request.encode(), timeout=timeout)
    click.echo(json.dumps(json.loads(answer), indent=2))


@main.command()
@click.argument("limit", type=int, default=100)
@click.option("--module", default="", help="of this module alone")
@pass_cluster
def logs(cluster: Cluster, limit: int, module: str) -> None:
    """The newest log lines."""
    click.echo(cluster.logs(module, limit))


@main.command()
@click.argument("sql")
@pass_cluster
def timeline(cluster: Cluster, sql: str) -> None:
    """What a SELECT finds in the timeline: tables calls, logs, spans, events and others."""
    from ftl_nb.console.events import ask

    click.echo(ask(cluster.session, sql))


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@pass_cluster
def export(cluster: Cluster, folder: Path) -> None:
    """Write every module as a .py file."""
    for path in cluster.export(folder):
        click.echo(path)


@main.command()
@pass_cluster
def down(cluster: Cluster) -> None:
    """End the cluster for all its clients."""
    click.echo(cluster.down())


main.add_command(schema_commands)
main.add_command(settings.config)
main.add_command(settings.secret)
