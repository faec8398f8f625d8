"""Periodic work: a slot is a row, and whoever writes the row first runs it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Index, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock
from portal.core.database import DB_NOW, Model, db, recorded_now
from portal.core.unit_of_work import atomic

LEADER_LOCK = 7301  # any number, the same for everybody: the scheduler's seat


class ScheduleTick(Model):
    """One slot of one periodic job: claimed once, kept as a tombstone so that it can't be claimed again."""

    __tablename__ = "schedule_tick"
    __table_args__ = (
        CheckConstraint("outcome IN ('RUNNING', 'DONE', 'FAILED')", name="outcome_known"),
        Index(None, "job", "due_at"),
    )

    job: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    claimed_at: Mapped[datetime] = recorded_now()
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(server_default="RUNNING")
    note: Mapped[str] = mapped_column(server_default="")


class Periodic(NamedTuple):
    """A job and its slots: every so often, or daily at an Istanbul hour. A missed slot is caught up once."""

    job: str
    run: Callable[[], object]
    every: timedelta
    at_hour: int | None = None
    # How long the scheduler must have held its seat before the first slot runs: a starting portal has better to do.
    first_after: timedelta = timedelta(0)

    def slot(self, now: datetime) -> datetime:
        """The latest slot that is due now."""
        if self.at_hour is not None:
            local = now.astimezone(clock.ISTANBUL)
            today = local.replace(hour=self.at_hour, minute=0, second=0, microsecond=0)
            return today if today <= local else today - timedelta(days=1)
        seconds = int(self.every.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=now.tzinfo)


def claim(job: str, due_at: datetime) -> bool:
    """Whether this process is the one to run the slot."""
    claimed = db.session.execute(
        insert(ScheduleTick).values(job=job, due_at=due_at).on_conflict_do_nothing().returning(ScheduleTick.job)
    ).scalar()
    return claimed is not None


def run_due(timetable: list[Periodic], *, seated: timedelta = timedelta.max) -> list[str]:
    """Run every slot that is due and not yet claimed. Returns the names of the jobs that ran.

    `seated` is how long this process has held the scheduler's seat.
    """
    ran = []
    for periodic in timetable:
        if seated < periodic.first_after:
            continue
        with atomic():
            due_at = periodic.slot(clock.now())
            mine = claim(periodic.job, due_at)
        if mine:
            _run(periodic, due_at)
            ran.append(periodic.job)
    return ran


def last_success() -> dict[str, datetime]:
    """When each job last ended well."""
    wanted = (
        select(ScheduleTick.job, func.max(ScheduleTick.ended_at))
        .where(ScheduleTick.outcome == "DONE")
        .group_by(ScheduleTick.job)
    )
    return {job: at for job, at in db.session.execute(wanted) if at}


def _run(periodic: Periodic, due_at: datetime) -> None:
    outcome, note = "FAILED", "ended without saying how"
    try:
        note = str(periodic.run())
        outcome = "DONE"
    except Exception as trouble:
        note = f"{type(trouble).__name__}: {trouble}"
        raise
    finally:
        with atomic():
            db.session.execute(
                update(ScheduleTick)
                .where(ScheduleTick.job == periodic.job, ScheduleTick.due_at == due_at)
                .values(outcome=outcome, note=note[:2000], ended_at=DB_NOW)
            )
