"""Payout batches and corrections: closed sets, made by one person and done by another."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.commission.models.two_people import TwoPeople, two_people
from portal.commission.states import BATCH, CORRECTION
from portal.core.database import Model, PrimaryKey


class CommissionPayoutBatch(TwoPeople, Model):
    """So much to so many people on a day: a closed set with a fingerprint. Money in kuruş."""

    __tablename__ = "commission_payout_batch"
    __table_args__ = (
        CheckConstraint(f"state IN ({BATCH.check})", name="state_known"),
        CheckConstraint("total_minor > 0 AND items > 0", name="pays_something"),
        Index(None, "state", "id"),
        Index(None, "pay_on"),
        *two_people("'PAID'"),
    )

    id: Mapped[PrimaryKey]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default="PREPARED")
    pay_on: Mapped[date]
    total_minor: Mapped[int]
    items: Mapped[int]


class CommissionPayoutItem(Model):
    """What a batch pays of one line. Never edited."""

    __tablename__ = "commission_payout_item"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="pays_something"),
        UniqueConstraint("batch_id", "line_id", name="a_line_is_paid_once_in_a_batch"),
        ForeignKeyConstraint(
            ["line_id", "person_id"],
            ["commission_snapshot_line.id", "commission_snapshot_line.person_id"],
            name="pays_the_lines_person",
        ),
        Index(None, "line_id"),
    )

    id: Mapped[PrimaryKey]
    batch_id: Mapped[int] = mapped_column(ForeignKey("commission_payout_batch.id"))
    line_id: Mapped[int]
    person_id: Mapped[int]
    amount_minor: Mapped[int]


class CommissionCorrection(TwoPeople, Model):
    """A reversal, in whole or in part, or an adjustment up or down."""

    __tablename__ = "commission_correction"
    __table_args__ = (
        CheckConstraint(f"state IN ({CORRECTION.check})", name="state_known"),
        CheckConstraint("type IN ('REVERSAL', 'ADJUSTMENT')", name="type_known"),
        CheckConstraint("direction IN ('CREDIT', 'DEBIT')", name="direction_known"),
        CheckConstraint("type <> 'REVERSAL' OR direction = 'DEBIT'", name="a_reversal_takes_back"),
        CheckConstraint("because <> ''", name="says_why"),
        CheckConstraint("total_minor > 0", name="moves_something"),
        Index(None, "state", "id"),
        Index(None, "snapshot_id"),
        *two_people("'DONE'"),
    )

    id: Mapped[PrimaryKey]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default="PROPOSED")
    type: Mapped[str]
    direction: Mapped[str]
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("commission_snapshot.id"))
    total_minor: Mapped[int]
    dated_on: Mapped[date]
    because: Mapped[str]


class CommissionCorrectionItem(Model):
    """What a correction changes of one line. Never edited."""

    __tablename__ = "commission_correction_item"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="moves_something"),
        UniqueConstraint("correction_id", "line_id", name="a_line_is_corrected_once"),
        ForeignKeyConstraint(
            ["line_id", "person_id"],
            ["commission_snapshot_line.id", "commission_snapshot_line.person_id"],
            name="corrects_the_lines_person",
        ),
    )

    id: Mapped[PrimaryKey]
    correction_id: Mapped[int] = mapped_column(ForeignKey("commission_correction.id"))
    line_id: Mapped[int]
    person_id: Mapped[int]
    amount_minor: Mapped[int]
