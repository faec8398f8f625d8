"""Locked months, their release, and the diary of every act."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.commission.models.two_people import TwoPeople, two_people
from portal.commission.states import LOCK, RELEASE
from portal.core.database import Json, Model, PrimaryKey, recorded_now


class CommissionPeriodLock(Model):
    """A month nothing may be dated in any more, with what locking it meant and a seal over its rows.

    Never deleted: releasing moves the state, locking again is another row.
    """

    __tablename__ = "commission_period_lock"
    __table_args__ = (
        CheckConstraint(f"state IN ({LOCK.check})", name="state_known"),
        CheckConstraint("extract(day FROM period_on) = 1", name="a_period_is_a_month"),
        CheckConstraint("because <> ''", name="says_why"),
        Index(
            "ix_commission_period_lock_one_at_a_time",
            "period_on",
            unique=True,
            postgresql_where=text("state = 'ACTIVE'"),
        ),
    )

    id: Mapped[PrimaryKey]
    period_on: Mapped[date]
    state: Mapped[str] = mapped_column(server_default="ACTIVE")
    locked_by: Mapped[str]
    locked_by_person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    locked_at: Mapped[datetime]
    because: Mapped[str]
    # What the preview said, word for word.
    consequences: Mapped[Json]
    seal_rows: Mapped[int]
    seal_minor: Mapped[int]
    seal: Mapped[str]
    recorded_at: Mapped[datetime] = recorded_now()


class CommissionLockRelease(TwoPeople, Model):
    """A month is to be opened again: asked for with a reason, done by a second person."""

    __tablename__ = "commission_lock_release"
    __table_args__ = (
        CheckConstraint(f"state IN ({RELEASE.check})", name="state_known"),
        CheckConstraint("because <> ''", name="says_why"),
        CheckConstraint("override_because = ''", name="takes_two_without_exception"),
        *two_people("'DONE'"),
    )

    id: Mapped[PrimaryKey]
    lock_id: Mapped[int] = mapped_column(ForeignKey("commission_period_lock.id"), unique=True)
    state: Mapped[str] = mapped_column(server_default="ASKED")
    because: Mapped[str]


class CommissionAuditEvent(Model):
    """Each act on snapshot, payout, dispute, lock: who, when, what changed (spec §6). Append-only."""

    __tablename__ = "commission_audit_event"
    __table_args__ = (
        CheckConstraint("action <> '' AND subject_kind <> ''", name="says_what_about_what"),
        Index(None, "subject_kind", "subject_id", "id"),
        Index(None, "at"),
    )

    id: Mapped[PrimaryKey]
    at: Mapped[datetime]
    actor: Mapped[str]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[int]
    before: Mapped[Json]
    after: Mapped[Json]
    because: Mapped[str]
    recorded_at: Mapped[datetime] = recorded_now()
