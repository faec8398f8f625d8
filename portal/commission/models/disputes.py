"""Arguments about a line: what is blocked, what was said, and what was shown."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.commission.states import COMMISSION_DISPUTE
from portal.core.database import Model, PrimaryKey, recorded_now


class CommissionDispute(Model):
    """The person concerned objects to a line. `amount_minor` kuruş of it are not paid until it is resolved."""

    __tablename__ = "commission_dispute"
    __table_args__ = (
        CheckConstraint(f"state IN ({COMMISSION_DISPUTE.check})", name="state_known"),
        CheckConstraint("amount_minor >= 0", name="blocks_something_or_nothing"),
        CheckConstraint("claim <> ''", name="says_what_is_wrong"),
        CheckConstraint("resolution IN ('KEEP', 'RAISE', 'LOWER', 'TAKE_BACK')", name="resolution_known"),
        CheckConstraint(
            "(state = 'RESOLVED') = (resolution IS NOT NULL AND resolved_at IS NOT NULL AND because <> ''"
            " AND resolver_person_id IS NOT NULL)",
            name="resolved_says_how_why_and_by_whom",
        ),
        CheckConstraint("resolver_person_id <> person_id", name="nobody_resolves_his_own"),
        CheckConstraint("(escalated_at IS NOT NULL) OR state <> 'ESCALATED'", name="escalated_is_dated"),
        ForeignKeyConstraint(
            ["line_id", "person_id"],
            ["commission_snapshot_line.id", "commission_snapshot_line.person_id"],
            name="opened_by_the_one_concerned",
        ),
        Index(
            "ix_commission_dispute_one_at_a_time",
            "line_id",
            unique=True,
            postgresql_where=text("state <> 'RESOLVED'"),
        ),
        Index("ix_commission_dispute_open", "answer_by_on", postgresql_where=text("state <> 'RESOLVED'")),
        Index(None, "person_id", "id"),
    )

    id: Mapped[PrimaryKey]
    line_id: Mapped[int]
    person_id: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="OPEN")
    amount_minor: Mapped[int]
    claim: Mapped[str]
    opened_at: Mapped[datetime]
    # The last business day for an answer, counted with Turkish holidays.
    answer_by_on: Mapped[date]
    escalated_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
    resolved_minor: Mapped[int | None]
    because: Mapped[str] = mapped_column(server_default=text("''"))
    resolver: Mapped[str] = mapped_column(server_default=text("''"))
    resolver_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    resolved_at: Mapped[datetime | None]


class CommissionDisputeMessage(Model):
    """What somebody said. Append-only."""

    __tablename__ = "commission_dispute_message"
    __table_args__ = (CheckConstraint("body <> ''", name="says_something"), Index(None, "dispute_id", "id"))

    id: Mapped[PrimaryKey]
    dispute_id: Mapped[int] = mapped_column(ForeignKey("commission_dispute.id"))
    author: Mapped[str]
    author_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    body: Mapped[str]
    said_at: Mapped[datetime]


class CommissionDisputeAttachment(Model):
    """A picture of a paper, redrawn by us as the disputes about pieces do it. Append-only."""

    __tablename__ = "commission_dispute_attachment"
    __table_args__ = (UniqueConstraint("dispute_id", "sha256", name="one_copy_of_a_paper"),)

    id: Mapped[PrimaryKey]
    dispute_id: Mapped[int] = mapped_column(ForeignKey("commission_dispute.id"))
    sha256: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    jpeg: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_by: Mapped[str]
    added_at: Mapped[datetime] = recorded_now()
