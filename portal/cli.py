"""flask commands: prepare, jobs, books."""

from __future__ import annotations

import sys

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from flask_migrate import upgrade

from portal.core import queue
from portal.core.readiness import say_ready
from portal.core.unit_of_work import atomic

jobs = AppGroup("jobs", help="The processes beside the web server.")


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return]


@jobs.command("work")
def work() -> None:
    """Be the RQ worker."""
    import jobs.drain  # before the fork, so that every job starts with everything loaded

    assert jobs.drain.STEPS
    say_ready()
    queue.work(_app())


@jobs.command("schedule")
def schedule() -> None:
    """Keep the timetable."""
    from jobs.schedule import keep

    _only_where_enabled()
    say_ready()
    keep(_app())


@jobs.command("sweep")
def sweep() -> None:
    """Find what a lost wake-up left lying."""
    from jobs.sweep import keep

    _only_where_enabled()
    say_ready()
    keep(_app())


@click.command("prepare")
@click.option("--empty-shelves", is_flag=True, help="The demo company, with nothing in its warehouse yet.")
@click.option("--no-deals", is_flag=True, help="The demo company, with no commission and no reports by mail yet.")
@with_appcontext
def prepare(empty_shelves: bool, no_deals: bool) -> None:
    """Bring the database up to date and, for the demo company, fill it."""
    upgrade(directory="migrations")
    if current_app.config["DEMO"]:
        from portal import demo, demo_commission

        with atomic():
            demo.load(shelves=not empty_shelves)
            demo.first_readings()
        if not no_deals:
            demo_commission.load()
            with atomic():
                demo.report_schedules()


mail = AppGroup("mail", help="Letters.")


@mail.command("bounce")
def bounce() -> None:
    """A bounce on standard input: our mail server hands them over (deploy/README.md)."""
    from portal.workflows.post import came_back

    found = came_back(sys.stdin.buffer.read())
    click.echo(f"Came back: {found}" if found else "No letter of ours.")


outbox = AppGroup("outbox", help="Calls to providers after a restore.")


@outbox.command("hold")
def hold() -> None:
    """After a restore, before anything is started: no open call goes out by itself."""
    from portal.outbox import services

    with atomic():
        held = services.hold_everything()
    click.echo(f"{held} calls wait for an operator's word.")


@outbox.command("release")
def release() -> None:
    """An operator has looked: providers are asked about every held call, and what was not done is sent."""
    from portal.outbox import services

    with atomic():
        released = services.let_everything_go()
    click.echo(f"{released} calls are asked about now.")


books = AppGroup("books", help="Ask the books.")


@books.command("verify")
def verify() -> None:
    """Every question must come back empty; prints what does not, and fails then."""
    from portal.health.books import ask_the_books

    troubles = ask_the_books()
    for trouble in troubles:
        click.echo(f"{trouble.question}: {trouble.rows}")
    if troubles:
        sys.exit(1)
    click.echo("The books agree.")


def _only_where_enabled() -> None:
    if not current_app.config["ENABLE_JOBS"]:
        raise click.ClickException("Jobs are off here (ENABLE_JOBS).")


def register(app: Flask) -> None:
    """Add our commands to flask's."""
    for command in (jobs, books, mail, outbox, prepare):
        app.cli.add_command(command)
