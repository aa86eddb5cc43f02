"""`ftl-nb plan, apply, discard, changesets, rollback`: several files as one change."""

from __future__ import annotations

import click

from ftl_nb.console import Cluster

force = click.option("--force", is_flag=True, help="move although the text of other modules no longer fits")


@click.command()
@click.pass_obj
def plan(cluster: Cluster) -> None:
    """What is staged or pending, and what stands in its way."""
    click.echo(cluster.plan())


@click.command()
@force
@click.pass_obj
def apply(cluster: Cluster, force: bool) -> None:
    """Move what `deploy --stage` kept, as one change."""
    click.echo(cluster.changes.apply(force=force))


@click.command()
@click.argument("module", default="")
@click.pass_obj
def discard(cluster: Cluster, module: str) -> None:
    """Drop what is staged, of one module or of all."""
    click.echo(cluster.changes.discard(module))


@click.command()
@click.argument("limit", type=int, default=20)
@click.pass_obj
def changesets(cluster: Cluster, limit: int) -> None:
    """What became of the newest changes."""
    click.echo(cluster.changes.list(limit))


@click.command()
@click.argument("changeset", default="")
@force
@click.pass_obj
def rollback(cluster: Cluster, changeset: str, force: bool) -> None:
    """Take a change back: the newest that moved, or the one named."""
    click.echo(cluster.changes.rollback(changeset, force=force))


COMMANDS = (plan, apply, discard, changesets, rollback)
