"""The commission ledger, and the two kinds of account a trigger keeps beside it so that a limit can hold."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Model, PrimaryKey, recorded_now


class CommissionLedgerEntry(Model):
    """The truth about commission (spec §6). Append-only, refused when dated in a locked month; each row is part of
    one entry of the one journal."""

    __tablename__ = "commission_ledger_entry"
    __table_args__ = (
        CheckConstraint("type IN ('EARN', 'PAYOUT', 'REVERSAL', 'ADJUSTMENT')", name="type_known"),
        CheckConstraint(
            "(type = 'EARN' AND direction = 'CREDIT') OR (type IN ('PAYOUT', 'REVERSAL') AND direction = 'DEBIT')"
            " OR (type = 'ADJUSTMENT' AND direction IN ('CREDIT', 'DEBIT'))",
            name="direction_fits_type",
        ),
        CheckConstraint("amount_minor > 0", name="moves_something"),
        CheckConstraint("(type = 'PAYOUT') = (payout_item_id IS NOT NULL)", name="payouts_come_from_a_batch"),
        CheckConstraint(
            "(type IN ('REVERSAL', 'ADJUSTMENT')) = (num_nonnulls(correction_item_id, dispute_id) = 1)",
            name="corrections_say_where_they_come_from",
        ),
        ForeignKeyConstraint(
            ["line_id", "person_id"],
            ["commission_snapshot_line.id", "commission_snapshot_line.person_id"],
            name="belongs_to_the_lines_person",
        ),
        Index("ix_commission_ledger_entry_earned_once", "line_id", unique=True, postgresql_where=text("type = 'EARN'")),
        Index(None, "line_id"),
        Index(None, "effective_on", "person_id"),
        Index(None, "person_id", "effective_on"),
    )

    id: Mapped[PrimaryKey]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    direction: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    line_id: Mapped[int]
    amount_minor: Mapped[int]
    effective_on: Mapped[date]
    journal_entry_id: Mapped[int] = mapped_column(ForeignKey("journal_entry.id"), index=True)
    payout_item_id: Mapped[int | None] = mapped_column(ForeignKey("commission_payout_item.id"), unique=True)
    correction_item_id: Mapped[int | None] = mapped_column(ForeignKey("commission_correction_item.id"), unique=True)
    dispute_id: Mapped[int | None] = mapped_column(ForeignKey("commission_dispute.id"), unique=True)
    because: Mapped[str]
    recorded_at: Mapped[datetime] = recorded_now()


class _Kept:
    """Sums of the ledger, moved by a trigger and by nobody else; the books' questions compare them every night."""

    earned_minor: Mapped[int] = mapped_column(server_default=text("0"))
    paid_minor: Mapped[int] = mapped_column(server_default=text("0"))
    reversed_minor: Mapped[int] = mapped_column(server_default=text("0"))
    adjusted_minor: Mapped[int] = mapped_column(server_default=text("0"))
    # What is argued about and may not be paid meanwhile.
    blocked_minor: Mapped[int] = mapped_column(server_default=text("0"))

    @property
    def outstanding_minor(self) -> int:
        """What is still owed."""
        return self.earned_minor - self.paid_minor - self.reversed_minor + self.adjusted_minor

    @property
    def payable_minor(self) -> int:
        """What may be paid now: owed, and not argued about."""
        return max(0, self.outstanding_minor - self.blocked_minor)


class CommissionPersonAccount(_Kept, Model):
    """Where somebody stands. Locked by every payout, so that two payouts cannot spend the same kuruş."""

    __tablename__ = "commission_person_account"
    __table_args__ = (CheckConstraint("blocked_minor >= 0", name="blocks_something_or_nothing"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)


class CommissionLineAccount(_Kept, Model):
    """Where one line of a snapshot stands."""

    __tablename__ = "commission_line_account"
    __table_args__ = (
        CheckConstraint("blocked_minor >= 0", name="blocks_something_or_nothing"),
        CheckConstraint("earned_minor + adjusted_minor >= reversed_minor", name="never_more_taken_back_than_earned"),
    )

    line_id: Mapped[int] = mapped_column(
        ForeignKey("commission_snapshot_line.id"), primary_key=True, autoincrement=False
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
