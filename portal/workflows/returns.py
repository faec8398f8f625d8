"""Money goes back: an order is cancelled before it ships, or finance refunds a part."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from portal.core.actor import Actor
from portal.core.errors import Refusal
from portal.core.money import Money
from portal.escrow import queries as escrow_queries
from portal.escrow import services as escrow
from portal.escrow.models import EscrowRefund
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.states import OrderState
from portal.shipping import queries as shipping_queries
from portal.shipping.states import Parcel
from portal.workflows import checkout, money, set_aside


class AlreadyOnItsWay(Refusal):
    """A parcel has been prepared: the order can no longer be cancelled, only refunded."""

    code = "already_on_its_way"


def cancel_order(order_id: int, *, by: Actor, because: str) -> None:
    """Before anything is packed, the order is cancelled and every kuruş of it goes back.

    Unpaid, the whole basket goes: it is paid together or not at all.
    """
    if orders_queries.any_order(order_id).state == OrderState.PENDING_PAYMENT:
        checkout.cancel_unpaid(order_id, by=by, because=because)
        return
    order = orders_queries.hold_still(order_id)
    if any(parcel.state != Parcel.CANCELLED for parcel in shipping_queries.parcels_of(order_id)):
        raise AlreadyOnItsWay(_l("A parcel is already being prepared. Please speak to the seller about a return."))
    orders.cancel(order, by=by, because=because)
    for line in orders_queries.lines_of(order_id):
        orders.withdraw_pieces(line.id, line.to_ship)
    money.follow_pieces(order, by=by, because=because)
    set_aside.follow(order, by=by, because=because)


def refund(hold_id: int, amount: Money, *, by: Actor, because: str) -> EscrowRefund:
    """Finance gives money back to the buyer, in whole or in part."""
    order = orders_queries.hold_still(escrow_queries.hold(hold_id).order_id)
    hold = escrow_queries.hold_for_update(hold_id)
    return escrow.ask_refund(hold, amount, order.seller_organisation_id, by=by, because=because)
