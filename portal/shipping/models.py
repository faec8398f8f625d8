"""Parcels, what carriers say about them, and what the buyer answered."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import DB_NOW, Json, Model, PrimaryKey, recorded_now
from portal.shipping.ports import Tracked
from portal.shipping.states import PARCEL

TRACKED = ", ".join(f"'{status.value}'" for status in Tracked)


class Shipment(Model):
    """One parcel of an order. `items` is a list of {"line_id", "quantity"}; the lines keep the running totals.

    Goods that come back are a parcel of their own, with direction RETURN.
    """

    __tablename__ = "shipment"
    __table_args__ = (
        CheckConstraint(f"state IN ({PARCEL.check})", name="state_known"),
        CheckConstraint("sequence > 0", name="parcels_are_counted_from_one"),
        CheckConstraint("jsonb_typeof(items) = 'array' AND jsonb_array_length(items) > 0", name="contains_something"),
        CheckConstraint(
            "state NOT IN ('DELIVERED', 'ACCEPTED', 'OBJECTED') OR delivered_on IS NOT NULL", name="delivery_is_dated"
        ),
        CheckConstraint("state NOT IN ('ACCEPTED', 'OBJECTED') OR accepted_at IS NOT NULL", name="acceptance_is_dated"),
        CheckConstraint("direction IN ('OUT', 'RETURN')", name="direction_known"),
        CheckConstraint(f"carrier_status IS NULL OR carrier_status IN ({TRACKED})", name="carrier_status_known"),
        UniqueConstraint("order_id", "sequence", name="parcels_are_numbered_per_order"),
        Index("ix_shipment_awaiting_answer", "accept_by_on", postgresql_where=text("state = 'DELIVERED'")),
        Index("ix_shipment_needing_somebody", "id", postgresql_where=text("attention <> ''")),
        Index(None, "state", "id"),
    )

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("network_order.id"))
    sequence: Mapped[int]
    direction: Mapped[str] = mapped_column(server_default="OUT")
    items: Mapped[list[Json]]
    init_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default="PLANNED")
    carrier_code: Mapped[str] = mapped_column(server_default="manual")
    carrier: Mapped[str] = mapped_column(server_default="")
    tracking_number: Mapped[str] = mapped_column(server_default="")
    tracking_url: Mapped[str] = mapped_column(server_default="")
    # The furthest the carrier has said it got, in our words and in theirs.
    carrier_status: Mapped[str | None]
    carrier_words: Mapped[str] = mapped_column(server_default="")
    # Why somebody has to look at it; empty when nobody has to.
    attention: Mapped[str] = mapped_column(server_default="")
    delivery_note_uuid: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    label_prints: Mapped[int] = mapped_column(server_default=text("0"))
    handed_over_at: Mapped[datetime | None]
    delivered_on: Mapped[date | None]
    # The last day on which the buyer may object; afterwards silence is consent.
    accept_by_on: Mapped[date | None]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = recorded_now()

    @property
    def key(self) -> str:
        """The name carriers know it by, and the barcode on the label: 12 characters, never used twice."""
        return f"EM{self.id:010d}"


class CarrierScan(Model):
    """One thing a carrier said, in its own words, once. Append-only: late and lower ones are kept as well."""

    __tablename__ = "carrier_scan"
    __table_args__ = (
        CheckConstraint(f"status IN ({TRACKED})", name="status_known"),
        UniqueConstraint("shipment_id", "dedupe_key", name="said_twice_is_said_once"),
    )

    id: Mapped[PrimaryKey]
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"))
    status: Mapped[str]
    code: Mapped[str]
    words: Mapped[str]
    place: Mapped[str]
    occurred_at: Mapped[datetime | None]
    dedupe_key: Mapped[str]
    # Whether it moved the parcel on, or came late.
    moved: Mapped[bool]
    heard_at: Mapped[datetime] = recorded_now()


class ShipmentWatch(Model):
    """When a carrier is next asked about a parcel on its way, and how often it did not answer."""

    __tablename__ = "shipment_watch"
    __table_args__ = (
        CheckConstraint("failures >= 0", name="failures_are_counted"),
        Index("ix_shipment_watch_due", "next_ask_at", postgresql_where=text("is_open AND NOT needs_person")),
    )

    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), primary_key=True, autoincrement=False)
    is_open: Mapped[bool] = mapped_column(server_default=text("true"))
    next_ask_at: Mapped[datetime] = mapped_column(server_default=DB_NOW)
    asked: Mapped[int] = mapped_column(server_default=text("0"))
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    needs_person: Mapped[bool] = mapped_column(server_default=text("false"))
    last_note: Mapped[str] = mapped_column(server_default="")
    last_answer_at: Mapped[datetime | None]


class DeliveryReceipt(Model):
    """The buyer's answer to one parcel: given once, never taken back."""

    __tablename__ = "delivery_receipt"
    __table_args__ = (CheckConstraint("via IN ('PAGE', 'API', 'LINK', 'SILENCE')", name="way_known"),)

    id: Mapped[PrimaryKey]
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), unique=True)
    via: Mapped[str]
    note: Mapped[str]
    answered_by: Mapped[str]
    answered_by_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    answered_at: Mapped[datetime]


class DeliveryReceiptLine(Model):
    """What the buyer said of one line of the parcel."""

    __tablename__ = "delivery_receipt_line"
    __table_args__ = (
        UniqueConstraint("receipt_id", "order_line_id", name="one_answer_per_line"),
        CheckConstraint("accepted >= 0 AND damaged >= 0 AND missing >= 0", name="pieces_are_counted"),
        CheckConstraint("accepted + damaged + missing > 0", name="says_something"),
    )

    id: Mapped[PrimaryKey]
    receipt_id: Mapped[int] = mapped_column(ForeignKey("delivery_receipt.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("network_order_line.id"))
    accepted: Mapped[int]
    damaged: Mapped[int]
    missing: Mapped[int]


class DeliveryLink(Model):
    """A link by which a parcel can be answered without signing in: signed, it runs out, and it works once."""

    __tablename__ = "delivery_link"

    id: Mapped[PrimaryKey]
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = recorded_now()
