"""What operators and the health page ask about schedules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.schedules.models import Schedule, SchedulerSeat, ScheduleTick
from portal.schedules.rules import next_slots
from portal.schedules.services import database_now
from portal.schedules.states import TickOutcome

# A slot that nobody has begun for so long means that no scheduler is alive.
PATIENCE = timedelta(minutes=10)


class ScheduleRow(NamedTuple):
    """A schedule in the list: how its last slot went, when it last ended well, when it is due again."""

    schedule: Schedule
    last: ScheduleTick | None
    last_success_at: datetime | None
    next_at: datetime | None

    @property
    def seconds(self) -> int | None:
        """How long the last run took."""
        last = self.last
        return (
            None if last is None or not last.begun_at or not last.ended_at else (last.ended_at - last.begun_at).seconds
        )


class Heartbeat(NamedTuple):
    """Whether a schedule lives: `trouble` is empty, or a word for what is wrong (off, failed, late, never)."""

    schedule_id: int
    name: str
    last_success_at: datetime | None
    trouble: str


def rows() -> list[ScheduleRow]:
    """Every schedule with its last slot, in three statements."""
    now = database_now()
    last = (
        select(ScheduleTick)
        .where(ScheduleTick.outcome != TickOutcome.MISSED)
        .distinct(ScheduleTick.schedule_id)
        .order_by(ScheduleTick.schedule_id, ScheduleTick.due_at.desc())
    )
    ticks = {tick.schedule_id: tick for tick in db.session.scalars(last)}
    well = _last_success()
    found = db.session.scalars(select(Schedule).order_by(Schedule.kind, Schedule.name))
    return [ScheduleRow(s, ticks.get(s.id), well.get(s.id), next_slots(s.timing, now, 1)[0] if s.is_on else None)
            for s in found]  # fmt: skip


def heartbeats() -> list[Heartbeat]:
    """How each schedule is."""
    now = database_now()
    return [
        Heartbeat(row.schedule.id, row.schedule.name, row.last_success_at, _trouble(row, now))
        for row in rows()
    ]  # fmt: skip


def schedule(schedule_id: int) -> Schedule:
    """One schedule."""
    found = db.session.get(Schedule, schedule_id) if 0 < schedule_id < 2**63 else None
    if found is None:
        raise NotFound
    return found


def schedule_for_update(schedule_id: int) -> Schedule:
    """One schedule, held until the unit of work ends."""
    found = db.session.get(Schedule, schedule_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def history(schedule_id: int) -> Select[Any]:
    """Its slots, newest first; the caller pages."""
    return select(ScheduleTick).where(ScheduleTick.schedule_id == schedule_id).order_by(ScheduleTick.due_at.desc())


def of_task(task: str) -> list[Schedule]:
    """The schedules of one job or report."""
    return list(db.session.scalars(select(Schedule).where(Schedule.task == task).order_by(Schedule.id)))


def last_success() -> dict[str, datetime]:
    """When each schedule last ended well, by name."""
    names = {s.id: s.name for s in db.session.scalars(select(Schedule))}
    return {names[schedule_id]: at for schedule_id, at in _last_success().items()}


def leader() -> str:
    """Who keeps the timetable now; empty when nobody does."""
    alive = select(SchedulerSeat.holder).where(SchedulerSeat.lease_until >= DB_NOW)
    return str(db.session.scalar(alive) or "")


def running() -> list[tuple[ScheduleTick, str]]:
    """What runs now, with its schedule's name."""
    wanted = (
        select(ScheduleTick, Schedule.name)
        .join(Schedule, Schedule.id == ScheduleTick.schedule_id)
        .where(ScheduleTick.outcome == TickOutcome.RUNNING)
        .order_by(ScheduleTick.begun_at)
    )
    return [(tick, name) for tick, name in db.session.execute(wanted)]


def _last_success() -> dict[int, datetime]:
    done = (
        select(ScheduleTick.schedule_id, func.max(ScheduleTick.ended_at))
        .where(ScheduleTick.outcome == TickOutcome.DONE)
        .group_by(ScheduleTick.schedule_id)
    )
    return {schedule_id: at for schedule_id, at in db.session.execute(done) if at}


def _trouble(row: ScheduleRow, now: datetime) -> str:
    if not row.schedule.is_on:
        return "off"
    if row.last is not None and row.last.outcome == TickOutcome.FAILED:
        return "failed"
    begun = row.schedule.dealt_until_at or row.schedule.created_at
    overdue = next(row.schedule.timing.after(begun)) < now - PATIENCE
    waiting = row.last is not None and row.last.outcome == TickOutcome.WAITING and row.last.due_at < now - PATIENCE
    return "late" if overdue or waiting else ""
