"""flask stock."""

from __future__ import annotations

import sys

import click
from flask import Flask
from flask.cli import AppGroup

from portal.stock import replay

stock = AppGroup("stock", help="Ask the stock.")


@stock.command("prove")
def prove() -> None:
    """Replay every movement; prints both hashes, and fails when they differ."""
    proof = replay.prove()
    click.echo(f"live     {proof.live}")
    click.echo(f"replayed {proof.replayed}")
    for what, barcode, shelf, live, replayed in proof.differences:
        click.echo(f"{what} {barcode} {shelf}: {live} believed, {replayed} replayed")
    if not proof.agrees:
        sys.exit(1)
    click.echo("The stock agrees with its history.")


def register(app: Flask) -> None:
    """Add our commands to flask's."""
    app.cli.add_command(stock)
