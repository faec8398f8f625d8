"""Asking for reports, making them, and telling those who wait for them. Each one is a row from beginning to end."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from portal.accounts import queries as accounts
from portal.accounts.models import Person
from portal.accounts.roles import Role
from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import DB_NOW, db
from portal.core.errors import NotAllowed, Refusal
from portal.core.i18n import noted
from portal.core.queue import wake
from portal.mail import services as mail
from portal.reports import catalogue, letters, queries, spreadsheet
from portal.reports.definition import Asked, Built, Report, build
from portal.reports.models import ReportReader, ReportRun
from portal.reports.states import RUN, Run
from portal.schedules import services as schedules
from portal.schedules.models import Schedule
from portal.schedules.services import Claimed
from portal.schedules.states import TickOutcome

TOPIC = "reports"
# A maker that died is followed by another after so long; a report that takes longer than this is made twice, sent once.
LEASE = timedelta(minutes=10)
AGAIN_AFTER = (timedelta(minutes=1), timedelta(minutes=10))


class Made(NamedTuple):
    """A report and its file, both of one moment."""

    built: Built
    file_name: str
    content: bytes


class Task(NamedTuple):
    """A run in our hands; `attempt` is the fence."""

    run_id: int
    attempt: int
    report: Report
    asked: Asked
    language: str


def scope_of(person: Person) -> int | None:
    """Whose rows somebody may see: a seller his own company's, the house everybody's."""
    return None if person.organisation_kind == "PLATFORM" else person.organisation_id


def ask(report: Report, values: dict[str, str], *, person: Person) -> ReportRun:
    """Somebody wants the file now; a worker makes it."""
    run = ReportRun(
        report=report.code,
        parameters=report.values(values),
        as_of_on=clock.today(),
        organisation_id=scope_of(person),
        asked_by=person.full_name,
        asked_by_person_id=person.id,
        language=person.language,
    )
    db.session.add(run)
    RUN.begin(run, actor=Actor(person.full_name, person.id), reason=noted("asked for"))
    wake(TOPIC)
    return run


def slot(claimed: Claimed) -> None:
    """A schedule's slot has come: one run per company among the readers, in the transaction that ends the slot.

    The report looks from the slot's own day, however late it is made.
    """
    schedules.fence(claimed)
    report = catalogue.report(claimed.task)
    scopes = {scope_of(reader) for reader in queries.readers(claimed.schedule_id)} or {None}
    for organisation_id in sorted(scopes, key=lambda scope: scope or 0):
        db.session.execute(
            insert(ReportRun)
            .values(
                report=report.code,
                parameters=report.values(claimed.parameters),
                as_of_on=clock.day_of(claimed.due_at),
                organisation_id=organisation_id,
                schedule_id=claimed.schedule_id,
                due_at=claimed.due_at,
                late=claimed.late,
                asked_by=claimed.asked_by or SYSTEM.name,
            )
            .on_conflict_do_nothing(constraint="one_run_per_slot_and_company")
        )
    wake(TOPIC)
    schedules.finish(claimed, TickOutcome.DONE, noted("asked for; a worker makes it"))


# Making -----------------------------------------------------------------------------------------------------


def claim() -> Task | None:
    """Take the next report that waits, or one whose maker died."""
    open_ = ReportRun.state.in_((Run.ASKED, Run.BUILDING))
    run = db.session.execute(
        select(ReportRun)
        .where(open_, ReportRun.next_attempt_at <= DB_NOW)
        .order_by(ReportRun.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if run is None:
        return None
    if run.state == Run.BUILDING:
        RUN.move(run, Run.ASKED, actor=SYSTEM, reason=noted("its maker died"), lease_until=None)
    until = DB_NOW + LEASE
    also = {"attempts": run.attempts + 1, "lease_until": until, "next_attempt_at": until, "begun_at": DB_NOW}
    RUN.move(run, Run.BUILDING, actor=SYSTEM, reason=noted("being made"), **also)
    return Task(run.id, run.attempts, catalogue.report(run.report), queries.asked_of(run), run.language)


def made(task: Task) -> Made:
    """The report's rows and its file, all from one moment: what is booked meanwhile is either in all of it or in none."""
    db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    db.session.execute(text("SET LOCAL statement_timeout = '300s'"))
    built = build(task.report, task.asked)
    with force_locale(task.language):
        return Made(built, spreadsheet.file_name(built), spreadsheet.content(built))


def note_built(task: Task, made: Made) -> bool:
    """File, totals and letters in one step; False when another maker was faster."""
    run = _fenced(task)
    if run is None:
        return False
    built = made.built
    kept = mail.enclose(made.file_name, spreadsheet.MEDIA_TYPE, made.content)
    RUN.move(
        run, Run.BUILT, actor=SYSTEM, reason=noted("made"), lease_until=None, ended_at=DB_NOW,
        row_count=built.totals["rows"], totals=built.totals, enclosure_id=kept.id,
    )  # fmt: skip
    for reader in queries.readers_of(run):
        letters.send(built, run, reader, kept.id)
    return True


def note_trouble(task: Task, trouble: Exception) -> bool:
    """Tried again a little later; a refusal, or the third time, is the end: readers and finance hear of it."""
    run = _fenced(task)
    if run is None:
        return False
    why = str(trouble.message) if isinstance(trouble, Refusal) else type(trouble).__name__
    if not isinstance(trouble, Refusal) and run.attempts <= len(AGAIN_AFTER):
        again = DB_NOW + AGAIN_AFTER[run.attempts - 1]
        RUN.move(run, Run.ASKED, actor=SYSTEM, reason=why, lease_until=None, next_attempt_at=again, last_note=why)
        return True
    RUN.move(run, Run.FAILED, actor=SYSTEM, reason=why, lease_until=None, last_note=why, ended_at=DB_NOW)
    told = {person.id: person for person in (*queries.readers_of(run), *accounts.people_with(Role.FINANCE))}
    for person in told.values():
        letters.send_apology(task.report, run, person, why)
    return True


# Readers ----------------------------------------------------------------------------------------------------


def subscribe(schedule: Schedule, person: Person, *, by: Actor) -> None:
    """Somebody gets the scheduled report by mail. Refuses whom the report is not for."""
    report = catalogue.report(schedule.task)
    if not queries.may_read(person, report):
        raise NotAllowed(_l("This report is not for everybody."))
    row = insert(ReportReader).values(schedule_id=schedule.id, person_id=person.id, added_by=by.name)
    db.session.execute(row.on_conflict_do_nothing())


def unsubscribe(schedule: Schedule, person_id: int) -> None:
    """And no longer."""
    db.session.execute(
        delete(ReportReader).where(ReportReader.schedule_id == schedule.id, ReportReader.person_id == person_id)
    )


def _fenced(task: Task) -> ReportRun | None:
    return db.session.execute(
        select(ReportRun)
        .where(ReportRun.id == task.run_id, ReportRun.state == Run.BUILDING, ReportRun.attempts == task.attempt)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
