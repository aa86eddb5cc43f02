"""`ftl-nb plan, apply, discard, changesets, rollback`: several files as one change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ftl_nb.cli.session import pass_cluster

if TYPE_CHECKING:
    from ftl_nb.console import Cluster

force = click.option("--force", is_flag=True, help="move although the text of other modules no longer fits")


@click.command()
@pass_cluster
def plan(cluster: Cluster) -> None:
    """What is staged or pending, and what stands in its way."""
    click.echo(cluster.plan())


@click.command()
@force
@pass_cluster
def apply(cluster: Cluster, force: bool) -> None:
    """Move what `deploy --stage` kept, as one change."""
    click.echo(cluster.changes.apply(force=force))


@click.command()
@click.argument("module", default="")
@pass_cluster
def discard(cluster: Cluster, module: str) -> None:
    """Drop what is staged, of one module or of all."""
    click.echo(cluster.changes.discard(module))


@click.command()
@click.argument("limit", type=int, default=20)
@pass_cluster
def changesets(cluster: Cluster, limit: int) -> None:
    """What became of the newest changes."""
    click.echo(cluster.changes.list(limit))


@click.command()
@click.argument("changeset", default="")
@force
@pass_cluster
def rollback(cluster: Cluster, changeset: str, force: bool) -> None:
    """Take a change back: the newest that moved, or the one named."""
    click.echo(cluster.changes.rollback(changeset, force=force))


COMMANDS = (plan, apply, discard, changesets, rollback)
