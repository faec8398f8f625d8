"""Where an order stands: as far as its slowest piece."""

from __future__ import annotations

from portal.core.actor import Actor
from portal.disputes import queries as disputes_queries
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Order
from portal.orders.states import OrderState
from portal.shipping import queries as shipping_queries
from portal.shipping.models import Shipment
from portal.shipping.states import ANSWERED, CONFIRMABLE, GONE_FOR_NOTHING, Parcel
from portal.workflows import money, sales


def with_order(shipment_id: int) -> tuple[Shipment, Order]:
    """Order first, then parcel: everybody locks in this order, so nobody deadlocks."""
    order = orders_queries.hold_still(shipping_queries.order_of(shipment_id))
    return shipping_queries.parcel_for_update(shipment_id), order


def order_follows(order: Order, *, by: Actor, because: str) -> None:
    """The order is as far as its slowest piece; it closes only when nothing is unshipped, undelivered or argued about."""
    reached = _reached(order)
    if reached is not None:
        orders.stands_at(order, reached, by=by, because=because)
        money.payout_follows(order, because=because)
        sales.order_stands(order)


def _reached(order: Order) -> OrderState | None:
    lines = orders_queries.lines_of(order.id)
    if not any(line.undecided for line in lines):
        if any(line.accepted_quantity for line in lines):
            return OrderState.COMPLETED
        # Nothing was kept: the order ends when its money is back. Never shipped, it is simply cancelled.
        if any(line.shipped_quantity for line in lines):
            return OrderState.REFUNDED if money.is_all_back(order.id) else None
        return OrderState.CANCELLED
    if disputes_queries.unsettled(order.id):
        return OrderState.DISPUTED
    out = [p for p in shipping_queries.parcels_of(order.id) if p.direction == "OUT"]
    live = [p for p in out if p.state not in GONE_FOR_NOTHING]
    gone = [p for p in live if p.state in CONFIRMABLE]
    if not gone:
        return OrderState.PAID
    if len(gone) < len(live) or any(line.to_ship for line in lines):
        return OrderState.PARTIALLY_SHIPPED
    arrived = all(p.state == Parcel.DELIVERED or p.state in ANSWERED for p in live)
    return OrderState.DELIVERED if arrived else OrderState.SHIPPED
