"""Payments, money in trust, refunds, and what the provider paid out."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Json, Model, PrimaryKey, recorded_now
from portal.escrow.states import HOLD, PAYMENT, REFUND


class NetworkPayment(Model):
    """One attempt to pay a checkout. A double charge is impossible by constraint: one live attempt per checkout."""

    __tablename__ = "network_payment"
    __table_args__ = (
        CheckConstraint(f"state IN ({PAYMENT.check})", name="state_known"),
        CheckConstraint("amount_kurus > 0", name="is_worth_something"),
        CheckConstraint(
            "state NOT IN ('PAID', 'SURPLUS', 'RETURNED') OR provider_payment_key IS NOT NULL", name="paid_has_a_key"
        ),
        CheckConstraint("provider_fee_kurus >= 0", name="fee_is_not_negative"),
        Index(
            "one_live_payment_per_checkout",
            "checkout_id",
            unique=True,
            postgresql_where=text("state IN ('OPEN', 'PAID')"),
        ),
        Index("ix_network_payment_open", "opened_at", postgresql_where=text("state = 'OPEN'")),
    )

    id: Mapped[PrimaryKey]
    checkout_id: Mapped[int] = mapped_column(ForeignKey("checkout.id"), index=True)
    provider: Mapped[str]
    # Ours, sent with the checkout: 32 hex digits, because iyzico joins signed fields without a separator.
    attempt_key: Mapped[str] = mapped_column(unique=True)
    provider_payment_key: Mapped[str | None] = mapped_column(unique=True)
    provider_token: Mapped[str | None] = mapped_column(unique=True)
    page_url: Mapped[str | None]
    page_expires_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(server_default="OPEN")
    amount_kurus: Mapped[int]
    provider_fee_kurus: Mapped[int] = mapped_column(server_default=text("0"))
    provider_words: Mapped[str] = mapped_column(server_default="")
    opened_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = recorded_now()


class EscrowHold(Model):
    """Money in trust for one order line: what the provider releases as one item.

    `held + released + refunded = amount` at every moment; the split is mirrored to the kuruş by refunds.
    """

    __tablename__ = "escrow_hold"
    __table_args__ = (
        CheckConstraint(f"state IN ({HOLD.check})", name="state_known"),
        CheckConstraint(
            "held_kurus + released_kurus + refunded_kurus = amount_kurus", name="held_released_refunded_add_up"
        ),
        CheckConstraint("held_kurus >= 0 AND released_kurus >= 0 AND refunded_kurus >= 0", name="nothing_below_zero"),
        CheckConstraint("seller_share_kurus + commission_kurus = amount_kurus", name="split_adds_up"),
        CheckConstraint("refunded_seller_kurus BETWEEN 0 AND seller_share_kurus", name="refund_within_seller_share"),
        CheckConstraint(
            "refunded_kurus - refunded_seller_kurus BETWEEN 0 AND commission_kurus", name="refund_within_commission"
        ),
        CheckConstraint("(state IN ('HELD', 'RELEASING')) = (held_kurus > 0)", name="held_states_hold_money"),
        CheckConstraint("(state = 'RELEASED') = (released_kurus > 0)", name="released_state_released_money"),
        CheckConstraint("pieces > 0", name="for_something"),
        UniqueConstraint("order_line_id", "lot_no", name="one_hold_per_line_and_lot"),
        UniqueConstraint("provider", "provider_item_key", name="one_hold_per_provider_item"),
    )

    id: Mapped[PrimaryKey]
    payment_id: Mapped[int] = mapped_column(ForeignKey("network_payment.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("network_order.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("network_order_line.id"))
    # Lots allow a line to be released in parts: the provider only releases whole items.
    lot_no: Mapped[int] = mapped_column(server_default=text("1"))
    pieces: Mapped[int]
    provider: Mapped[str]
    provider_item_key: Mapped[str]
    amount_kurus: Mapped[int]
    seller_share_kurus: Mapped[int]
    commission_kurus: Mapped[int]
    held_kurus: Mapped[int]
    released_kurus: Mapped[int] = mapped_column(server_default=text("0"))
    refunded_kurus: Mapped[int] = mapped_column(server_default=text("0"))
    refunded_seller_kurus: Mapped[int] = mapped_column(server_default=text("0"))
    state: Mapped[str] = mapped_column(server_default="HELD")
    # Counts release attempts: a definite refusal ends an intent, and the next one has a new key.
    release_number: Mapped[int] = mapped_column(server_default=text("0"))
    released_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = recorded_now()


class EscrowRefund(Model):
    """Part or all of a hold on its way back to the buyer; one at a time per hold."""

    __tablename__ = "escrow_refund"
    __table_args__ = (
        CheckConstraint(f"state IN ({REFUND.check})", name="state_known"),
        CheckConstraint("amount_kurus > 0", name="returns_something"),
        CheckConstraint("seller_part_kurus + commission_part_kurus = amount_kurus", name="parts_add_up"),
        CheckConstraint("seller_part_kurus >= 0 AND commission_part_kurus >= 0", name="no_part_below_zero"),
        CheckConstraint("because <> ''", name="says_why"),
        Index("one_open_refund_per_hold", "hold_id", unique=True, postgresql_where=text("state = 'REQUESTED'")),
        Index(None, "hold_id", "id"),
    )

    id: Mapped[PrimaryKey]
    hold_id: Mapped[int] = mapped_column(ForeignKey("escrow_hold.id"))
    amount_kurus: Mapped[int]
    seller_part_kurus: Mapped[int]
    commission_part_kurus: Mapped[int]
    # For whole pieces (cancelled, damaged, missing); otherwise a reduction of the price.
    for_pieces: Mapped[bool] = mapped_column(server_default=text("false"))
    # Taken back out of what was already released (the seller's balance pays its part).
    after_release: Mapped[bool]
    because: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="REQUESTED")
    requested_by: Mapped[str]
    requested_by_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    requested_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class ProviderPayout(Model):
    """Money the provider says it sent to a bank: to the seller, or to the platform. Never twice for one item."""

    __tablename__ = "provider_payout"
    __table_args__ = (
        UniqueConstraint("provider", "provider_item_key", "receiver", name="one_payout_per_item_and_receiver"),
        CheckConstraint("receiver IN ('SELLER', 'PLATFORM')", name="receiver_known"),
        CheckConstraint("amount_kurus > 0", name="pays_something"),
    )

    id: Mapped[PrimaryKey]
    provider: Mapped[str]
    provider_item_key: Mapped[str]
    receiver: Mapped[str]
    hold_id: Mapped[int] = mapped_column(ForeignKey("escrow_hold.id"), index=True)
    amount_kurus: Mapped[int]
    paid_on: Mapped[date] = mapped_column(index=True)
    recorded_at: Mapped[datetime] = recorded_now()


class Reconciliation(Model):
    """One run of asking the provider what is true, and what it found."""

    __tablename__ = "reconciliation"

    id: Mapped[PrimaryKey]
    started_by: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    findings: Mapped[Json]
