"""Offers, checkouts, orders and their lines."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Organisation
from portal.core.database import Model, PrimaryKey, recorded_now
from portal.orders.states import ORDER, PAYOUT


class Offer(Model):
    """What a seller sells under a barcode, and for how much. The price is copied onto the order line."""

    __tablename__ = "offer"
    __table_args__ = (
        UniqueConstraint("seller_organisation_id", "barcode", name="one_offer_per_seller_and_barcode"),
        CheckConstraint("unit_price_kurus > 0", name="costs_something"),
        Index(None, "barcode"),
    )

    id: Mapped[PrimaryKey]
    seller_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    barcode: Mapped[str]
    name: Mapped[str]
    unit_price_kurus: Mapped[int]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))

    seller: Mapped[Organisation] = relationship(lazy="raise_on_sql")


class Checkout(Model):
    """One basket, paid once; it becomes one order per seller."""

    __tablename__ = "checkout"
    __table_args__ = (CheckConstraint("total_kurus > 0", name="is_worth_something"),)

    id: Mapped[PrimaryKey]
    # What strangers see instead of a countable number.
    public_key: Mapped[uuid.UUID] = mapped_column(unique=True, server_default=text("gen_random_uuid()"))
    buyer_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    placed_by_person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    total_kurus: Mapped[int]
    placed_at: Mapped[datetime]

    orders: Mapped[list[Order]] = relationship(back_populates="checkout", lazy="raise_on_sql", order_by="Order.id")


class Order(Model):
    """What one seller owes one buyer. Terms in force (commission, days to object) are copied here when it is placed."""

    __tablename__ = "network_order"
    __table_args__ = (
        CheckConstraint(f"state IN ({ORDER.check})", name="state_known"),
        CheckConstraint(f"payout_status IN ({PAYOUT.check})", name="payout_status_known"),
        CheckConstraint("total_kurus > 0", name="is_worth_something"),
        CheckConstraint("buyer_organisation_id <> seller_organisation_id", name="nobody_buys_from_himself"),
        CheckConstraint(
            "state IN ('PENDING_PAYMENT', 'CANCELLED') OR paid_at IS NOT NULL", name="paid_orders_are_dated"
        ),
        CheckConstraint("state <> 'COMPLETED' OR completed_at IS NOT NULL", name="completed_orders_are_dated"),
        CheckConstraint("commission_percent BETWEEN 0 AND 100", name="commission_is_a_share"),
        CheckConstraint("acceptance_days BETWEEN 0 AND 60", name="acceptance_days_sensible"),
        UniqueConstraint("checkout_id", "seller_organisation_id", name="one_order_per_seller_and_checkout"),
        Index(None, "buyer_organisation_id", "id"),
        Index(None, "seller_organisation_id", "state", "id"),
        Index(
            "ix_network_order_payout_open",
            "id",
            postgresql_where=text("state = 'COMPLETED' AND payout_status <> 'RELEASED'"),
        ),
    )

    id: Mapped[PrimaryKey]
    number: Mapped[str] = mapped_column(unique=True)
    checkout_id: Mapped[int] = mapped_column(ForeignKey("checkout.id"))
    buyer_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    seller_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[str] = mapped_column(server_default="PENDING_PAYMENT")
    payout_status: Mapped[str] = mapped_column(server_default="NONE")
    currency: Mapped[str] = mapped_column(server_default="TRY")
    total_kurus: Mapped[int]
    commission_percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    acceptance_days: Mapped[int]
    placed_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = recorded_now()

    checkout: Mapped[Checkout] = relationship(back_populates="orders", lazy="raise_on_sql")
    buyer: Mapped[Organisation] = relationship(foreign_keys=[buyer_organisation_id], lazy="raise_on_sql")
    seller: Mapped[Organisation] = relationship(foreign_keys=[seller_organisation_id], lazy="raise_on_sql")
    lines: Mapped[list[OrderLine]] = relationship(lazy="raise_on_sql", order_by="OrderLine.line_no")


class OrderLine(Model):
    """So many pieces of one thing. Price and split are fixed when the order is placed.

    Every piece is in one place: not in a parcel yet, cancelled, on its way, accepted, argued about, or refunded.
    """

    __tablename__ = "network_order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "line_no", name="lines_are_numbered"),
        UniqueConstraint("order_id", "barcode", name="one_line_per_barcode"),
        CheckConstraint("quantity > 0", name="orders_something"),
        CheckConstraint("unit_price_kurus > 0", name="costs_something"),
        CheckConstraint("total_kurus = quantity * unit_price_kurus", name="total_is_price_times_pieces"),
        CheckConstraint("seller_share_kurus + commission_kurus = total_kurus", name="split_adds_up"),
        CheckConstraint("commission_kurus >= 0 AND seller_share_kurus >= 0", name="nobody_gets_less_than_nothing"),
        CheckConstraint("shipped_quantity + cancelled_quantity <= quantity", name="never_ships_more_than_ordered"),
        CheckConstraint(
            "accepted_quantity + disputed_quantity + refunded_quantity <= shipped_quantity",
            name="never_answers_more_than_shipped",
        ),
        CheckConstraint(
            "shipped_quantity >= 0 AND accepted_quantity >= 0 AND disputed_quantity >= 0 AND refunded_quantity >= 0"
            " AND cancelled_quantity >= 0 AND replaced_quantity >= 0",
            name="pieces_are_never_negative",
        ),
    )

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("network_order.id"))
    line_no: Mapped[int]
    barcode: Mapped[str]
    name: Mapped[str]
    quantity: Mapped[int]
    unit_price_kurus: Mapped[int]
    total_kurus: Mapped[int]
    commission_kurus: Mapped[int]
    seller_share_kurus: Mapped[int]
    shipped_quantity: Mapped[int] = mapped_column(server_default=text("0"))
    accepted_quantity: Mapped[int] = mapped_column(server_default=text("0"))
    disputed_quantity: Mapped[int] = mapped_column(server_default=text("0"))
    refunded_quantity: Mapped[int] = mapped_column(server_default=text("0"))
    # Will never be shipped; their money goes back.
    cancelled_quantity: Mapped[int] = mapped_column(server_default=text("0"))
    # Were shipped in vain and may go into another parcel; no longer counted as shipped.
    replaced_quantity: Mapped[int] = mapped_column(server_default=text("0"))

    @property
    def to_ship(self) -> int:
        """Pieces that still have to go into a parcel."""
        return self.quantity - self.shipped_quantity - self.cancelled_quantity

    @property
    def undecided(self) -> int:
        """Pieces of which nobody can say yet whether seller or buyer gets the money."""
        return self.quantity - self.accepted_quantity - self.refunded_quantity - self.cancelled_quantity
