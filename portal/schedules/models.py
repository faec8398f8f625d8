"""Schedules, their slots, and who sits in the scheduler's seat."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Json, Model, PrimaryKey, recorded_now
from portal.schedules.rules import Timing
from portal.schedules.states import CATCH_UP_NAMES, OUTCOME_MEANINGS


class Schedule(Model):
    """When something is done again and again: a job of the code, or a report for its readers."""

    __tablename__ = "schedule"
    __table_args__ = (
        CheckConstraint("kind IN ('JOB', 'REPORT')", name="kind_known"),
        CheckConstraint("name <> '' AND task <> ''", name="says_what_it_does"),
        CheckConstraint("(cron = '') = (every_seconds IS NOT NULL)", name="cron_line_or_interval"),
        CheckConstraint("every_seconds >= 10", name="not_more_often_than_every_ten_seconds"),
        CheckConstraint(f"catch_up IN ({', '.join(repr(str(c)) for c in CATCH_UP_NAMES)})", name="catch_up_known"),
        CheckConstraint("late_after_seconds > 0", name="lateness_has_a_measure"),
        CheckConstraint("is_on OR off_because <> ''", name="off_says_why"),
        CheckConstraint("NOT is_on OR off_until IS NULL", name="only_what_is_off_comes_back"),
        Index(None, "task"),
    )

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    task: Mapped[str]
    parameters: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    cron: Mapped[str] = mapped_column(server_default="")
    every_seconds: Mapped[int | None]
    zone: Mapped[str] = mapped_column(server_default="Europe/Istanbul")
    catch_up: Mapped[str] = mapped_column(server_default="ONCE")
    late_after_seconds: Mapped[int] = mapped_column(server_default=text("300"))
    is_on: Mapped[bool] = mapped_column(server_default=text("true"))
    off_because: Mapped[str] = mapped_column(server_default="")
    off_until: Mapped[datetime | None]
    # Every slot up to here has been dealt with. Empty: only the latest slot counts when somebody first looks.
    dealt_until_at: Mapped[datetime | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = recorded_now()

    @property
    def timing(self) -> Timing:
        """When its slots are."""
        return Timing(self.cron, self.every_seconds, self.zone)


class ScheduleTick(Model):
    """One slot of one schedule: written once, kept as a tombstone so that it can never be written again."""

    __tablename__ = "schedule_tick"
    __table_args__ = (
        CheckConstraint(f"outcome IN ({', '.join(repr(str(o)) for o in OUTCOME_MEANINGS)})", name="outcome_known"),
        CheckConstraint("(outcome = 'RUNNING') = (lease_until IS NOT NULL)", name="leased_while_running"),
        CheckConstraint("outcome NOT IN ('DONE', 'FAILED', 'MISSED') OR ended_at IS NOT NULL", name="ends_are_dated"),
        CheckConstraint("attempts >= 0", name="attempts_are_counted"),
        CheckConstraint("by_hand = (asked_by <> '')", name="who_asked_by_hand_is_named"),
        Index("ix_schedule_tick_open", "due_at", postgresql_where=text("outcome IN ('WAITING', 'RUNNING')")),
        Index(None, "due_at"),
    )

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"), primary_key=True, autoincrement=False)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(server_default="WAITING")
    by_hand: Mapped[bool] = mapped_column(server_default=text("false"))
    asked_by: Mapped[str] = mapped_column(server_default="")
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    runner: Mapped[str] = mapped_column(server_default="")
    lease_until: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = recorded_now()
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(server_default="")


class SchedulerSeat(Model):
    """Who keeps the timetable now: one row. A lease and not a lock, because a frozen process keeps its locks."""

    __tablename__ = "scheduler_seat"
    __table_args__ = (CheckConstraint("id = 1", name="there_is_only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    holder: Mapped[str]
    since: Mapped[datetime] = recorded_now()
    lease_until: Mapped[datetime]
