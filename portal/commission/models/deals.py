"""Deals, what is known of their price, and who plays which part in them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.commission.states import DEAL, DealRole
from portal.core.database import Json, Model, PrimaryKey, recorded_now

_ROLES = ", ".join(f"'{role}'" for role in DealRole)


class CommissionAgent(Model):
    """Somebody who may earn commission, and in whose team."""

    __tablename__ = "commission_agent"
    __table_args__ = (CheckConstraint("team <> ''", name="is_in_a_team"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    team: Mapped[str]
    joined_at: Mapped[datetime] = recorded_now()


class CustomerAgent(Model):
    """Who looks after a buyer organisation from a day on; nobody, where the person is empty.

    An order's agent is the one of its buyer on the day it was placed: a later change moves no commission.
    """

    __tablename__ = "customer_agent"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True, autoincrement=False)
    from_on: Mapped[date] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("commission_agent.person_id"))


class Lead(Model):
    """What a customer, or the agent for them, answered in the closing form."""

    __tablename__ = "lead"

    id: Mapped[PrimaryKey]
    answers: Mapped[Json]
    created_at: Mapped[datetime] = recorded_now()


class Listing(Model):
    """What was offered, for how many kuruş."""

    __tablename__ = "listing"
    __table_args__ = (CheckConstraint("price >= 0", name="price_is_not_negative"),)

    id: Mapped[PrimaryKey]
    title: Mapped[str]
    price: Mapped[int | None]


class Deal(Model):
    """Something to be sold, or sold: what a commission is reckoned from. One per completed order with an agent."""

    __tablename__ = "deal"
    __table_args__ = (
        CheckConstraint(f"state IN ({DEAL.check})", name="state_known"),
        CheckConstraint("(state = 'OPEN') = (closed_on IS NULL)", name="what_is_closed_is_dated"),
        CheckConstraint("sale_price >= 0", name="sale_price_is_not_negative"),
        CheckConstraint("order_id IS NULL OR sale_price IS NOT NULL", name="an_order_has_a_price"),
        Index(None, "state", "id"),
    )

    id: Mapped[PrimaryKey]
    title: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="OPEN")
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"))
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"))
    sale_price: Mapped[int | None]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("network_order.id"), unique=True)
    policy_code: Mapped[str] = mapped_column(server_default=text("'standard'"))
    # For a deal that came of an order: its lines as they were accepted.
    evidence: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    closed_on: Mapped[date | None]
    created_at: Mapped[datetime] = recorded_now()


class DealParticipant(Model):
    """Somebody's part in a deal."""

    __tablename__ = "deal_participant"
    __table_args__ = (CheckConstraint(f"role IN ({_ROLES})", name="role_known"),)

    deal_id: Mapped[int] = mapped_column(ForeignKey("deal.id"), primary_key=True, autoincrement=False)
    role: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("commission_agent.person_id"), primary_key=True, autoincrement=False
    )
