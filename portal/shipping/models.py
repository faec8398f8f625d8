"""Parcels."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Json, Model, PrimaryKey, recorded_now
from portal.shipping.states import PARCEL


class Shipment(Model):
    """One parcel of an order. `items` is a list of {"line_id", "quantity"}; the lines keep the running totals."""

    __tablename__ = "shipment"
    __table_args__ = (
        CheckConstraint(f"state IN ({PARCEL.check})", name="state_known"),
        CheckConstraint("sequence > 0", name="parcels_are_counted_from_one"),
        CheckConstraint("jsonb_typeof(items) = 'array' AND jsonb_array_length(items) > 0", name="contains_something"),
        CheckConstraint("state NOT IN ('DELIVERED', 'ACCEPTED') OR delivered_on IS NOT NULL", name="delivery_is_dated"),
        CheckConstraint("state <> 'ACCEPTED' OR accepted_at IS NOT NULL", name="acceptance_is_dated"),
        UniqueConstraint("order_id", "sequence", name="parcels_are_numbered_per_order"),
        Index("ix_shipment_awaiting_answer", "accept_by_on", postgresql_where=text("state = 'DELIVERED'")),
        Index(None, "state", "id"),
    )

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("network_order.id"))
    sequence: Mapped[int]
    items: Mapped[list[Json]]
    init_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default="PLANNED")
    carrier: Mapped[str] = mapped_column(server_default="")
    tracking_number: Mapped[str] = mapped_column(server_default="")
    delivery_note_uuid: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    handed_over_at: Mapped[datetime | None]
    delivered_on: Mapped[date | None]
    # The last day on which the buyer may object; afterwards silence is consent.
    accept_by_on: Mapped[date | None]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = recorded_now()
