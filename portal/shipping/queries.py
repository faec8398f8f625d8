"""What pages and jobs ask about parcels."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select

from portal.accounts.models import Organisation
from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.orders.models import Order
from portal.shipping.models import CarrierScan, DeliveryReceipt, DeliveryReceiptLine, Shipment, ShipmentWatch
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


def order_of(shipment_id: int) -> int:
    """The order a parcel belongs to; that never changes."""
    wanted = select(Shipment.order_id).where(Shipment.id == shipment_id)
    found = db.session.scalar(wanted) if 0 < shipment_id < 2**63 else None
    if found is None:
        raise NotFound
    return found


def parcel_of_key(carrier_code: str, key: str) -> Shipment | None:
    """The parcel a carrier means by our key; one of another carrier is not meant."""
    digits = key.removeprefix("EM")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 10):
        return None
    found = db.session.get(Shipment, int(digits))
    return found if found is not None and found.carrier_code == carrier_code else None


def parcel_for_update(shipment_id: int) -> Shipment:
    """A parcel, held until the unit of work ends."""
    found = db.session.get(Shipment, shipment_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def parcels(*, states: list[str], seller_id: int | None = None) -> Any:
    """Parcels with order and seller, oldest first: the packer's and the seller's list. Wrap rows in ParcelRow."""
    wanted = _rows().where(Shipment.state.in_(states), Shipment.direction == "OUT")
    return wanted if seller_id is None else wanted.where(Order.seller_organisation_id == seller_id)


def scans_of(shipment_id: int) -> list[CarrierScan]:
    """What the carrier said, in the order in which it happened."""
    wanted = select(CarrierScan).where(CarrierScan.shipment_id == shipment_id)
    when = func.coalesce(CarrierScan.occurred_at, CarrierScan.heard_at)
    return list(db.session.scalars(wanted.order_by(when, CarrierScan.id)))


def watch_of(shipment_id: int) -> ShipmentWatch | None:
    """How the asking about a parcel goes."""
    return db.session.get(ShipmentWatch, shipment_id, populate_existing=True)


def sync_overdue(seconds: int) -> bool:
    """Whether a parcel has been due for asking longer than this: a lost wake-up."""
    due = ShipmentWatch.next_ask_at <= DB_NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    wanted = select(ShipmentWatch.shipment_id).where(ShipmentWatch.is_open, ~ShipmentWatch.needs_person, due)
    return db.session.scalar(wanted.limit(1)) is not None


def needing_somebody() -> Any:
    """Parcels somebody has to look at, oldest first. Wrap rows in ParcelRow."""
    return _rows().where(Shipment.attention != "")


def receipt_of(shipment_id: int) -> DeliveryReceipt | None:
    """The buyer's answer to a parcel."""
    return db.session.execute(
        select(DeliveryReceipt).where(DeliveryReceipt.shipment_id == shipment_id)
    ).scalar_one_or_none()


def receipt_lines(shipment_ids: list[int]) -> dict[int, list[DeliveryReceiptLine]]:
    """What was answered line by line, per parcel."""
    wanted = (
        select(DeliveryReceipt.shipment_id, DeliveryReceiptLine)
        .join(DeliveryReceipt, DeliveryReceipt.id == DeliveryReceiptLine.receipt_id)
        .where(DeliveryReceipt.shipment_id.in_(shipment_ids))
        .order_by(DeliveryReceiptLine.id)
    )
    found: dict[int, list[DeliveryReceiptLine]] = {}
    for shipment_id, line in db.session.execute(wanted):
        found.setdefault(shipment_id, []).append(line)
    return found


def counts_of_seller(seller_id: int) -> dict[str, int]:
    """How many of a seller's parcels are in each state."""
    wanted = (
        select(Shipment.state, func.count())
        .join(Order, Order.id == Shipment.order_id)
        .where(Order.seller_organisation_id == seller_id)
        .group_by(Shipment.state)
    )
    return {state: count for state, count in db.session.execute(wanted)}


def parcels_of_seller(seller_id: int, *, states: list[str] | None = None, search: str = "") -> Any:
    """A seller's parcels, newest first; found by order, tracking number or our own key. Wrap rows in ParcelRow."""
    wanted = _rows().where(Order.seller_organisation_id == seller_id).order_by(None).order_by(Shipment.id.desc())
    if states:
        wanted = wanted.where(Shipment.state.in_(states))
    words = search.strip()
    if words:
        key = words.upper().removeprefix("EM").lstrip("0")
        by_key = [Shipment.id == int(key)] if key.isascii() and key.isdigit() and len(key) < 19 else []
        named = Order.number.contains(words.upper(), autoescape=True)
        wanted = wanted.where(or_(named, Shipment.tracking_number.contains(words, autoescape=True), *by_key))
    return wanted


def counts() -> dict[str, int]:
    """How many parcels on their way out are in each state."""
    wanted = select(Shipment.state, func.count()).where(Shipment.direction == "OUT").group_by(Shipment.state)
    rows = db.session.execute(wanted)
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
        _rows()
        .where(
            Order.buyer_organisation_id == buyer_id,
            Shipment.direction == "OUT",
            Shipment.state.in_((Parcel.HANDED_OVER, Parcel.DELIVERED)),
        )
        .order_by(None)
        .order_by(Shipment.accept_by_on.nulls_last(), Shipment.id)
        .limit(limit)
    )
    return [ParcelRow(*row) for row in db.session.execute(wanted)]


def _rows() -> Any:
    return (
        select(Shipment, Order.number, Organisation.name, Order.buyer_organisation_id)
        .join(Order, Order.id == Shipment.order_id)
        .join(Organisation, Organisation.id == Order.seller_organisation_id)
        .order_by(Shipment.id)
    )


def first(states: list[str], seller_id: int, limit: int = 20) -> list[ParcelRow]:
    """The seller's oldest parcels in some states."""
    return [ParcelRow(*row) for row in db.session.execute(parcels(states=states, seller_id=seller_id).limit(limit))]
