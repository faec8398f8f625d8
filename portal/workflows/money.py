"""The money follows the pieces: what is accepted is released, what is given up goes back, the rest stays in trust."""

from __future__ import annotations

from portal.core.actor import SYSTEM, Actor
from portal.escrow import lots
from portal.escrow import queries as escrow_queries
from portal.escrow import services as escrow
from portal.escrow.states import Hold
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Order
from portal.orders.states import OrderState, PayoutStatus


def follow_pieces(order: Order, *, by: Actor, because: str, refunds: bool = True) -> int:
    """Ask for every release and refund that the pieces of an order call for. Returns how many releases were asked for.

    Called after every change, and by reconciliation: called twice, it asks once. The order is locked by the caller.
    After a refused refund `refunds` is off: asking at once for what was just refused would never end.
    """
    asked = 0
    for line in orders_queries.lines_of(order.id):
        plan = lots.plan(escrow_queries.line_money(line))
        for part in plan.refunds if refunds else ():
            hold = escrow_queries.hold_for_update(part.hold_id)
            seller_id = order.seller_organisation_id
            escrow.ask_refund(hold, part.amount, seller_id, by=by, because=because, for_pieces=True)
        for hold_id in plan.releases:
            escrow.release(escrow_queries.hold_for_update(hold_id), by=by, because=because)
            asked += 1
    if asked:
        orders.payout_moves(order, PayoutStatus.INITIATED, by=by, because=because)
    return asked


def is_all_back(order_id: int) -> bool:
    """Whether every kuruş of an order is with the buyer again."""
    holds = escrow_queries.holds_of([order_id])
    return bool(holds) and all(hold.state == Hold.REFUNDED for hold in holds)


def payout_follows(order: Order, *, because: str) -> None:
    """The payout is RELEASED once no hold of a completed order waits any more."""
    states = {hold.state for hold in escrow_queries.holds_of([order.id])}
    if states <= {Hold.RELEASED, Hold.REFUNDED} and order.state == OrderState.COMPLETED:
        if order.payout_status == PayoutStatus.NONE:
            orders.payout_moves(order, PayoutStatus.INITIATED, by=SYSTEM, because=because)
        orders.payout_moves(order, PayoutStatus.RELEASED, by=SYSTEM, because=because)
