"""Every report that was ever made, and who reads which."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import DB_NOW, Json, Model, PrimaryKey, recorded_now
from portal.reports.states import RUN


class ReportRun(Model):
    """One report, made or to be made: who wanted it, with which parameters, how many rows, which totals, which file."""

    __tablename__ = "report_run"
    __table_args__ = (
        CheckConstraint(f"state IN ({RUN.check})", name="state_known"),
        CheckConstraint("report <> ''", name="says_which_report"),
        CheckConstraint("language IN ('tr', 'en')", name="language_known"),
        CheckConstraint("(schedule_id IS NULL) = (due_at IS NULL)", name="a_slot_has_its_schedule"),
        CheckConstraint(
            "(schedule_id IS NULL) = (asked_by_person_id IS NOT NULL)", name="a_person_or_a_schedule_asked"
        ),
        CheckConstraint("(state = 'BUILDING') = (lease_until IS NOT NULL)", name="leased_while_building"),
        CheckConstraint(
            "(state = 'BUILT') = (row_count IS NOT NULL AND totals IS NOT NULL AND enclosure_id IS NOT NULL)",
            name="what_is_built_has_its_totals_and_file",
        ),
        CheckConstraint("state NOT IN ('BUILT', 'FAILED') OR ended_at IS NOT NULL", name="ends_are_dated"),
        CheckConstraint("row_count >= 0", name="rows_are_counted"),
        UniqueConstraint(
            "schedule_id",
            "due_at",
            "organisation_id",
            name="one_run_per_slot_and_company",
            postgresql_nulls_not_distinct=True,
        ),
        ForeignKeyConstraint(
            ["schedule_id", "due_at"],
            ["schedule_tick.schedule_id", "schedule_tick.due_at"],
            name="slot_is_written_down",
        ),
        Index("ix_report_run_due", "next_attempt_at", postgresql_where=text("state IN ('ASKED', 'BUILDING')")),
        Index(None, "report", "id"),
        Index(None, "asked_by_person_id", "id"),
    )

    id: Mapped[PrimaryKey]
    report: Mapped[str]
    parameters: Mapped[Json]
    # The business day the report looks from: the slot's own day, however late it is made.
    as_of_on: Mapped[date]
    # Whose rows only; empty for those who see everything.
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedule.id"))
    due_at: Mapped[datetime | None]
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    asked_by: Mapped[str]
    asked_by_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    language: Mapped[str] = mapped_column(server_default="tr")
    state: Mapped[str] = mapped_column(server_default="ASKED")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=DB_NOW)
    row_count: Mapped[int | None]
    totals: Mapped[Json | None]
    enclosure_id: Mapped[int | None] = mapped_column(ForeignKey("mail_enclosure.id"))
    last_note: Mapped[str] = mapped_column(server_default="")
    asked_at: Mapped[datetime] = recorded_now()
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ReportReader(Model):
    """Somebody who gets a scheduled report by mail: subscribed by himself, or put on the list by an operator."""

    __tablename__ = "report_reader"

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"), primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False, index=True)
    added_by: Mapped[str]
    added_at: Mapped[datetime] = recorded_now()
