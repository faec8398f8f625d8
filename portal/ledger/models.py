"""The journal. An entry is made of pairs, each from one account to another, so it cannot be out of balance."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Json, Model, PrimaryKey, recorded_now
from portal.core.i18n import noted

# Which side makes the account grow.
DEBIT_KINDS = ("PROVIDER", "BANK", "FEE", "AGENT_COST")
CREDIT_KINDS = ("ESCROW", "SELLER", "COMMISSION", "AGENT")


# What happened, on screens.
ENTRY_NAMES = {
    "CAPTURE": noted("Payment received"),
    "SURPLUS": noted("Surplus payment received"),
    "SURPLUS_REVERSAL": noted("Surplus payment returned"),
    "RELEASE": noted("Released to the seller"),
    "REFUND": noted("Refunded to the buyer"),
    "REFUND_TAKE_BACK": noted("Taken back for a refund"),
    "REFUND_TAKE_BACK_REVERSAL": noted("Refund refused, given back"),
    "PAYOUT": noted("Paid out by the provider"),
    "COMMISSION_EARN": noted("Commission earned"),
    "COMMISSION_PAYOUT": noted("Commission paid"),
    "COMMISSION_REVERSAL": noted("Commission taken back"),
    "COMMISSION_ADJUSTMENT": noted("Commission corrected"),
}
ACCOUNT_NAMES = {
    "PROVIDER": noted("At the payment provider"),
    "BANK": noted("Platform's bank"),
    "FEE": noted("Provider's fee"),
    "ESCROW": noted("Held in trust"),
    "COMMISSION": noted("Platform commission"),
    "SELLER": noted("Owed to"),
    "AGENT": noted("Commission owed to"),
    "AGENT_COST": noted("Sales commission (cost)"),
}


class Account(Model):
    """A place money can be. `limited` accounts may never fall below zero; only they keep a balance row."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        CheckConstraint(f"kind IN {DEBIT_KINDS + CREDIT_KINDS}", name="kind_known"),
        CheckConstraint(f"NOT limited OR kind IN {CREDIT_KINDS}", name="only_what_we_owe_is_limited"),
        CheckConstraint("NOT limited OR balance_kurus >= 0", name="never_below_zero"),
        CheckConstraint("limited OR balance_kurus = 0", name="balance_kept_only_where_limited"),
        CheckConstraint("(kind = 'SELLER') = (organisation_id IS NOT NULL)", name="sellers_have_an_organisation"),
        CheckConstraint("(kind = 'AGENT') = (person_id IS NOT NULL)", name="agents_are_people"),
    )

    id: Mapped[PrimaryKey]
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), unique=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), unique=True)
    limited: Mapped[bool] = mapped_column(server_default=text("false"))
    balance_kurus: Mapped[int] = mapped_column(server_default=text("0"))

    @property
    def grows_by_credit(self) -> bool:
        """What we owe and earn grows by credit; what we have and spend by debit."""
        return self.kind in CREDIT_KINDS


class JournalEntry(Model):
    """One thing that happened to money. Append-only; a correction is another entry that reverses this one."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        Index(None, "subject_kind", "subject_id"),
        Index(None, "effective_on"),
        CheckConstraint("reversal_of <> id", name="does_not_reverse_itself"),
    )

    id: Mapped[PrimaryKey]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    reversal_of: Mapped[int | None] = mapped_column(ForeignKey("journal_entry.id"), unique=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    effective_on: Mapped[date]
    actor: Mapped[str]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    because: Mapped[str]
    details: Mapped[Json]
    recorded_at: Mapped[datetime] = recorded_now()


class Posting(Model):
    """So many kuruş from one account to another. Append-only. `order_id` and `hold_id` say what it was for."""

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("amount_kurus > 0", name="moves_something"),
        CheckConstraint("debit_account_id <> credit_account_id", name="goes_somewhere_else"),
        Index(None, "debit_account_id", "id"),
        Index(None, "credit_account_id", "id"),
    )

    id: Mapped[PrimaryKey]
    entry_id: Mapped[int] = mapped_column(ForeignKey("journal_entry.id"), index=True)
    debit_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    credit_account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    amount_kurus: Mapped[int]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("network_order.id"), index=True)
    hold_id: Mapped[int | None] = mapped_column(ForeignKey("escrow_hold.id"), index=True)


class SellerBalanceLedger(Model):
    """The seller's receivable, row by row: a view over the journal (credit grows it, debit is what went out)."""

    __tablename__ = "seller_balance_ledger"
    __table_args__ = {"info": {"is_view": True}}  # noqa: RUF012

    posting_id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int]
    organisation_id: Mapped[int]
    kind: Mapped[str]
    effective_on: Mapped[date]
    recorded_at: Mapped[datetime]
    amount_kurus: Mapped[int]
    order_id: Mapped[int | None]
    hold_id: Mapped[int | None]
    because: Mapped[str]


class PlatformCommissionLedger(Model):
    """The platform's income, row by row: a view over the journal."""

    __tablename__ = "platform_commission_ledger"
    __table_args__ = {"info": {"is_view": True}}  # noqa: RUF012

    posting_id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int]
    kind: Mapped[str]
    effective_on: Mapped[date]
    recorded_at: Mapped[datetime]
    amount_kurus: Mapped[int]
    order_id: Mapped[int | None]
    hold_id: Mapped[int | None]
    because: Mapped[str]
