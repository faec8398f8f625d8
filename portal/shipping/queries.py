"""What pages and jobs ask about parcels."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, select

from portal.accounts.models import Organisation
from portal.core.database import db
from portal.core.errors import NotFound
from portal.orders.models import Order
from portal.shipping.models import Shipment
from portal.shipping.states import Parcel


class ParcelRow(NamedTuple):
    """A parcel in a list."""

    shipment: Shipment
    order_number: str
    seller: str
    buyer_organisation_id: int


def parcels_of(order_id: int, *, lock: bool = False) -> list[Shipment]:
    """An order's parcels in sequence."""
    wanted = select(Shipment).where(Shipment.order_id == order_id).order_by(Shipment.sequence)
    if lock:
        wanted = wanted.with_for_update()
    return list(db.session.scalars(wanted.execution_options(populate_existing=True)))


def parcel(shipment_id: int) -> Shipment:
    """A parcel; whose it is, the caller asks through its order."""
    found = db.session.get(Shipment, shipment_id) if 0 < shipment_id < 2**63 else None
    if found is None:
        raise NotFound
    return found


def parcel_for_update(shipment_id: int) -> Shipment:
    """A parcel, held until the unit of work ends."""
    found = db.session.get(Shipment, shipment_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def parcels(*, states: list[str], seller_id: int | None = None) -> Any:
    """Parcels with order and seller, oldest first: the packer's and the seller's list. Wrap rows in ParcelRow."""
    wanted = (
        select(Shipment, Order.number, Organisation.name, Order.buyer_organisation_id)
        .join(Order, Order.id == Shipment.order_id)
        .join(Organisation, Organisation.id == Order.seller_organisation_id)
        .where(Shipment.state.in_(states))
        .order_by(Shipment.id)
    )
    return wanted if seller_id is None else wanted.where(Order.seller_organisation_id == seller_id)


def counts() -> dict[str, int]:
    """How many parcels are in each state."""
    rows = db.session.execute(select(Shipment.state, func.count()).group_by(Shipment.state))
    return {state: count for state, count in rows}


def silent_since(today: date, limit: int) -> list[Shipment]:
    """Delivered parcels whose last day to object is over."""
    wanted = (
        select(Shipment)
        .where(Shipment.state == Parcel.DELIVERED, Shipment.accept_by_on < today)
        .order_by(Shipment.id)
        .limit(limit)
    )
    return list(db.session.scalars(wanted))


def awaiting_buyer(buyer_id: int, limit: int = 50) -> list[ParcelRow]:
    """The buyer's parcels that wait for "teslim aldım", the most urgent first."""
    wanted = (
        select(Shipment, Order.number, Organisation.name, Order.buyer_organisation_id)
        .join(Order, Order.id == Shipment.order_id)
        .join(Organisation, Organisation.id == Order.seller_organisation_id)
        .where(Order.buyer_organisation_id == buyer_id, Shipment.state.in_((Parcel.HANDED_OVER, Parcel.DELIVERED)))
        .order_by(Shipment.accept_by_on.nulls_last(), Shipment.id)
        .limit(limit)
    )
    return [ParcelRow(*row) for row in db.session.execute(wanted)]


def first(states: list[str], seller_id: int, limit: int = 20) -> list[ParcelRow]:
    """The seller's oldest parcels in some states."""
    return [ParcelRow(*row) for row in db.session.execute(parcels(states=states, seller_id=seller_id).limit(limit))]
