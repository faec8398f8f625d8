"""A parcel on its way: prepared, packed, handed over, delivered, accepted, and the money released."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from loguru import logger

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.errors import NotFound, Refusal
from portal.core.i18n import noted
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.escrow import services as escrow
from portal.escrow.states import Hold
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Order
from portal.orders.states import OrderState, PayoutStatus
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.models import Shipment
from portal.shipping.states import Parcel


class NothingToConfirm(Refusal):
    """No parcel of this order is on its way or delivered."""

    code = "nothing_to_confirm"


# A parcel the buyer can say "I have it" about; accepted ones are answered again with what they are.
CONFIRMABLE = (Parcel.HANDED_OVER, Parcel.DELIVERED, Parcel.ACCEPTED)


def prepare_parcel(
    order_id: int, *, by: Actor, pieces: list[shipping.Piece] | None = None, init_key: str | None = None
) -> Shipment:
    """The seller gives an order, or some pieces of it, to the packers."""
    order = orders_queries.hold_still(order_id)
    return shipping.prepare(order, orders_queries.lines_of(order_id), by=by, pieces=pieces, init_key=init_key)


def pack_parcel(shipment_id: int, *, by: Actor) -> Shipment:
    """The packer has checked and closed the box."""
    shipment, _ = _with_order(shipment_id)
    shipping.pack(shipment, by=by)
    return shipment


def hand_over_parcel(shipment_id: int, *, carrier: str, tracking_number: str, by: Actor) -> Shipment:
    """The parcel leaves; the order is shipped when no piece is left behind."""
    shipment, order = _with_order(shipment_id)
    shipping.hand_over(shipment, carrier=carrier, tracking_number=tracking_number, by=by)
    _order_follows(order, by=by, because=noted("handed over"))
    return shipment


def cancel_parcel(shipment_id: int, *, by: Actor, because: str) -> Shipment:
    """The parcel does not go out; its pieces are free for another."""
    shipment, _ = _with_order(shipment_id)
    shipping.cancel(shipment, by=by, because=because)
    return shipment


def parcel_delivered(shipment_id: int, *, by: Actor, because: str) -> Shipment:
    """The buyer has the parcel. The days to object begin."""
    shipment, order = _with_order(shipment_id)
    shipping.deliver(shipment, order, by=by, because=because)
    _order_follows(order, by=by, because=noted("delivered"))
    return shipment


def confirm_delivery(order_id: int, shipment_ids: Sequence[int] | None, *, by: Actor, because: str) -> list[Shipment]:
    """The buyer says "teslim aldım": these parcels, or all that are on their way. The money's release is asked for.

    Said again, it answers the same and changes nothing.
    """
    order = orders_queries.hold_still(order_id)
    parcels = shipping_queries.parcels_of(order_id, lock=True)
    if shipment_ids is not None:
        if not set(shipment_ids) <= {parcel.id for parcel in parcels}:
            raise NotFound
        parcels = [parcel for parcel in parcels if parcel.id in set(shipment_ids)]
    meant = [parcel for parcel in parcels if parcel.state in CONFIRMABLE]
    if not meant or (shipment_ids is not None and len(meant) != len(parcels)):
        raise NothingToConfirm(_l("No parcel of this order is on its way yet."))
    for parcel in meant:
        shipping.deliver(parcel, order, by=by, because=because)
        shipping.accept(parcel, by=by, because=because)
    _order_follows(order, by=by, because=because)
    release_what_is_accepted(order, by=by, because=because)
    return meant


def accept_undisputed(limit: int = 500) -> int:
    """Delivered parcels nobody objected to in the agreed days count as accepted. Returns how many."""
    with atomic():
        silent = [(s.order_id, s.id) for s in shipping_queries.silent_since(clock.today(), limit)]
    return sum(_accept_silence(order_id, shipment_id) for order_id, shipment_id in silent)


def _accept_silence(order_id: int, shipment_id: int) -> bool:
    """One parcel by itself: one that cannot be accepted must not hold up all the others."""
    try:
        with atomic():
            confirm_delivery(order_id, [shipment_id], by=SYSTEM, because=noted("nobody objected in the agreed days"))
    except Refusal as no:
        logger.error("parcel {} could not be accepted: {}", shipment_id, no.code)
        return False
    return True


def release_what_is_accepted(order: Order, *, by: Actor, because: str) -> int:
    """Ask for the release of every hold whose pieces are all accepted. Returns how many were asked for."""
    lines = {line.id: line for line in orders_queries.lines_of(order.id)}
    refunding = _with_open_refund(order.id)
    asked = 0
    for hold in escrow_queries.holds_of([order.id]):
        line = lines[hold.order_line_id]
        if hold.state == Hold.HELD and line.accepted_quantity == line.quantity and hold.id not in refunding:
            escrow.release(hold, by=by, because=because)
            asked += 1
    if asked:
        orders.payout_moves(order, PayoutStatus.INITIATED, by=by, because=because)
    return asked


def _with_open_refund(order_id: int) -> set[int]:
    holds = escrow_queries.holds_of([order_id])
    return {r.hold_id for r in escrow_queries.refunds_of([h.id for h in holds]) if r.state == "REQUESTED"}


def _with_order(shipment_id: int) -> tuple[Shipment, Order]:
    """Order first, then parcel: everybody locks in this order, so nobody deadlocks."""
    order = orders_queries.hold_still(shipping_queries.parcel(shipment_id).order_id)
    return shipping_queries.parcel_for_update(shipment_id), order


def _order_follows(order: Order, *, by: Actor, because: str) -> None:
    """The order is as far as its slowest piece."""
    lines = orders_queries.lines_of(order.id)
    live = [p for p in shipping_queries.parcels_of(order.id) if p.state != Parcel.CANCELLED]
    gone = [p for p in live if p.state in CONFIRMABLE]
    if not gone:
        return
    everything_gone = len(gone) == len(live) and all(line.shipped_quantity == line.quantity for line in lines)
    if not everything_gone:
        reached = OrderState.PARTIALLY_SHIPPED
    elif all(p.state == Parcel.ACCEPTED for p in live):
        reached = OrderState.COMPLETED
    elif all(p.state in (Parcel.DELIVERED, Parcel.ACCEPTED) for p in live):
        reached = OrderState.DELIVERED
    else:
        reached = OrderState.SHIPPED
    orders.follow_parcels(order, reached, by=by, because=because)
