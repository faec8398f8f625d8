"""What pages and jobs ask about reports: runs, readers, and who may see which."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import undefer

from portal.accounts import roles
from portal.accounts.models import Person
from portal.accounts.roles import Permission
from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.mail.models import MailEnclosure, MailMessage
from portal.reports.catalogue import REPORTS
from portal.reports.definition import Asked, Report
from portal.reports.models import ReportReader, ReportRun
from portal.reports.states import Run
from portal.schedules.models import Schedule


def may_read(person: Person, report: Report) -> bool:
    """Whether a report is for somebody: the house's people see all, sellers the ones about themselves."""
    if report.needs is not None and not roles.may(person.role, report.needs):
        return False
    if roles.may(person.role, Permission.REPORT_SEE):
        return True
    return report.own and roles.may(person.role, Permission.REPORT_SEE_OWN)


def readable(person: Person) -> list[Report]:
    """The reports that are for somebody."""
    return [report for report in REPORTS.values() if may_read(person, report)]


def runs(person: Person, *, report: str = "") -> Select[Any]:
    """Runs somebody may see, newest first; the caller pages."""
    wanted = select(ReportRun).order_by(ReportRun.id.desc())
    if not roles.may(person.role, Permission.REPORT_SEE):
        wanted = wanted.where(ReportRun.organisation_id == person.organisation_id)
    return wanted.where(ReportRun.report == report) if report else wanted


def run(run_id: int, person: Person) -> ReportRun:
    """One run, if it is somebody's to see."""
    found: ReportRun | None = db.session.execute(runs(person).where(ReportRun.id == run_id)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def asked_of(found: ReportRun) -> Asked:
    """What a run was asked for."""
    return Asked(found.as_of_on, found.parameters, found.organisation_id)


def file_of(found: ReportRun) -> MailEnclosure:
    """The file of a run; a 404 while there is none, or once it was forgotten."""
    wanted = select(MailEnclosure).options(undefer(MailEnclosure.content))
    kept = db.session.execute(wanted.where(MailEnclosure.id == found.enclosure_id)).scalar_one_or_none()
    if kept is None or not kept.content:
        raise NotFound
    return kept


def deliveries(run_id: int) -> dict[str, int]:
    """What became of a run's letters: how many in each state."""
    mine = (MailMessage.about_kind == "report run", MailMessage.about_id == str(run_id))
    rows = db.session.execute(select(MailMessage.state, func.count()).where(*mine).group_by(MailMessage.state))
    return {state: count for state, count in rows}


def readers(schedule_id: int) -> list[Person]:
    """Who gets a schedule's reports and still may, by name."""
    wanted = (
        select(Person)
        .join(ReportReader, ReportReader.person_id == Person.id)
        .where(ReportReader.schedule_id == schedule_id, Person.is_active)
        .order_by(Person.full_name)
    )
    task = db.session.scalar(select(Schedule.task).where(Schedule.id == schedule_id)) or ""
    report = REPORTS.get(task)
    return [person for person in db.session.scalars(wanted) if report is None or may_read(person, report)]


def readers_of(found: ReportRun) -> list[Person]:
    """Who gets this run: of the schedule's readers those whose rows it holds. Nobody gets what was asked for by hand."""
    if found.schedule_id is None:
        return []
    ours = found.organisation_id
    return [
        p
        for p in readers(found.schedule_id)
        if (None if p.organisation_kind == "PLATFORM" else p.organisation_id) == ours
    ]


def schedules_of(report: str) -> list[Schedule]:
    """When a report is sent."""
    mine = (Schedule.kind == "REPORT", Schedule.task == report)
    return list(db.session.scalars(select(Schedule).where(*mine).order_by(Schedule.id)))


def schedule_for_update(schedule_id: int) -> Schedule:
    """A report's schedule, held until the unit of work ends."""
    found = db.session.get(Schedule, schedule_id, with_for_update=True, populate_existing=True)
    if found is None or found.kind != "REPORT":
        raise NotFound
    return found


def overdue(seconds: int) -> bool:
    """Whether a report has been due for longer than this: a lost wake-up."""
    due = ReportRun.next_attempt_at <= DB_NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    open_ = ReportRun.state.in_((Run.ASKED, Run.BUILDING))
    return db.session.scalar(select(ReportRun.id).where(open_, due).limit(1)) is not None


def in_progress() -> list[ReportRun]:
    """Reports that wait or are being made, and what was tried before."""
    open_ = or_(ReportRun.state == Run.ASKED, ReportRun.state == Run.BUILDING)
    return list(db.session.scalars(select(ReportRun).where(open_).order_by(ReportRun.id).limit(50)))
