"""Snapshots: what a deal's commission came to, on which facts, for whom. Immutable; only the state moves."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.commission.models.two_people import TwoPeople, two_people
from portal.commission.states import SNAPSHOT, BaseSource
from portal.core.database import Json, Model, PrimaryKey, recorded_now

_SOURCES = ", ".join(f"'{source}'" for source in BaseSource)


class CommissionSnapshot(TwoPeople, Model):
    """The commission of a won deal, frozen with the facts it was reckoned from (spec §6). Money in kuruş."""

    __tablename__ = "commission_snapshot"
    __table_args__ = (
        CheckConstraint(f"state IN ({SNAPSHOT.check})", name="state_known"),
        CheckConstraint(f"base_source IN ({_SOURCES})", name="base_source_known"),
        CheckConstraint("base_amount_minor >= 0 AND pool_amount_minor >= 0", name="amounts_are_not_negative"),
        CheckConstraint("(state IN ('APPROVED', 'REVERSED')) = (dated_on IS NOT NULL)", name="approval_is_dated"),
        Index(
            "ix_commission_snapshot_one_that_counts",
            "deal_id",
            unique=True,
            postgresql_where=text("state IN ('PENDING_APPROVAL', 'APPROVED')"),
        ),
        Index(None, "state", "id"),
        Index(None, "effective_on"),
        *two_people("'APPROVED', 'REVERSED'"),
    )

    id: Mapped[PrimaryKey]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"))
    policy_id: Mapped[int] = mapped_column(ForeignKey("commission_policy.id"), index=True)
    state: Mapped[str] = mapped_column(server_default="PENDING_APPROVAL")
    # The business day it was made for, and the day its approval is booked on.
    effective_on: Mapped[date]
    dated_on: Mapped[date | None]
    base_amount_minor: Mapped[int]
    base_source: Mapped[str]
    pool_amount_minor: Mapped[int]
    # Who played which part, and the order's lines: what the sums were made of.
    facts: Mapped[Json]
    recorded_at: Mapped[datetime] = recorded_now()


class CommissionSnapshotLine(Model):
    """One person's part of a pool, or the SYSTEM's. Immutable; the lines of a snapshot add up to its pool."""

    __tablename__ = "commission_snapshot_line"
    __table_args__ = (
        UniqueConstraint("snapshot_id", "line_no", name="commission_lines_are_numbered"),
        UniqueConstraint("id", "person_id", name="a_lines_person_can_be_pointed_at"),
        CheckConstraint("kind IN ('PERSON', 'SYSTEM')", name="kind_known"),
        CheckConstraint("(kind = 'SYSTEM') = (person_id IS NULL)", name="the_system_is_nobody"),
        CheckConstraint("amount_minor >= 0", name="nobody_gets_less_than_nothing"),
        Index(None, "person_id", "id"),
    )

    id: Mapped[PrimaryKey]
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("commission_snapshot.id"))
    line_no: Mapped[int]
    kind: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str | None]
    share_bps: Mapped[int]
    share_position: Mapped[int]
    amount_minor: Mapped[int]
