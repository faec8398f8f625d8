"""Arguments about pieces, what was said, and pictures of them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Model, PrimaryKey, recorded_now
from portal.disputes.states import DISPUTE


class PieceDispute(Model):
    """The buyer objects to some pieces of a line in a parcel; their money stays in trust until it is settled."""

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint(f"state IN ({DISPUTE.check})", name="state_known"),
        CheckConstraint("problem IN ('DAMAGED', 'MISSING')", name="problem_known"),
        CheckConstraint("pieces > 0", name="is_about_something"),
        CheckConstraint("amount_kurus > 0", name="is_worth_something"),
        CheckConstraint("offer IN ('', 'REPLACEMENT')", name="offer_known"),
        CheckConstraint(
            "resolution IS NULL OR resolution IN ('RELEASE', 'REFUND', 'REPLACEMENT')", name="resolution_known"
        ),
        CheckConstraint(
            "(state = 'SETTLED') = (resolution IS NOT NULL AND settled_at IS NOT NULL AND because <> '')",
            name="settled_says_how_and_why",
        ),
        CheckConstraint("state <> 'AWAITING_RETURN' OR return_shipment_id IS NOT NULL", name="awaits_a_parcel"),
        UniqueConstraint("shipment_id", "order_line_id", "problem", name="one_dispute_per_line_and_problem"),
        Index(None, "order_id"),
        Index("ix_dispute_open", "answer_by_on", postgresql_where=text("state <> 'SETTLED'")),
    )

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("network_order.id"))
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("network_order_line.id"))
    problem: Mapped[str]
    pieces: Mapped[int]
    amount_kurus: Mapped[int]
    state: Mapped[str] = mapped_column(server_default="OPEN")
    # What the seller has offered and the buyer may agree to.
    offer: Mapped[str] = mapped_column(server_default="")
    answer_by_on: Mapped[date]
    resolution: Mapped[str | None]
    because: Mapped[str] = mapped_column(server_default="")
    settled_by: Mapped[str] = mapped_column(server_default="")
    settled_at: Mapped[datetime | None]
    return_shipment_id: Mapped[int | None] = mapped_column(ForeignKey("shipment.id"))
    opened_by: Mapped[str]
    opened_at: Mapped[datetime]


class DisputeMessage(Model):
    """What somebody said in an argument. Append-only."""

    __tablename__ = "dispute_message"
    __table_args__ = (CheckConstraint("body <> ''", name="says_something"), Index(None, "dispute_id", "id"))

    id: Mapped[PrimaryKey]
    dispute_id: Mapped[int] = mapped_column(ForeignKey("dispute.id"))
    author: Mapped[str]
    author_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    author_role: Mapped[str]
    body: Mapped[str]
    said_at: Mapped[datetime]


class DisputePhoto(Model):
    """A picture of the trouble, re-made by us: no hidden data, no surprises in the file. Append-only."""

    __tablename__ = "dispute_photo"
    __table_args__ = (UniqueConstraint("dispute_id", "sha256", name="one_copy_of_a_picture"),)

    id: Mapped[PrimaryKey]
    dispute_id: Mapped[int] = mapped_column(ForeignKey("dispute.id"))
    sha256: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    jpeg: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    taken_by: Mapped[str]
    added_at: Mapped[datetime] = recorded_now()
