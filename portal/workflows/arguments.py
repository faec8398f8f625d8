"""An argument about pieces ends: released, refunded (at once, or when the goods are back), or replaced."""

from __future__ import annotations

from flask import current_app
from flask_babel import lazy_gettext as _l
from loguru import logger

from portal.accounts.roles import Role
from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import BadInput, NotAllowed, Refusal
from portal.core.i18n import noted
from portal.core.state_machine import WrongMoment
from portal.core.unit_of_work import atomic
from portal.disputes import queries as disputes_queries
from portal.disputes import services as disputes
from portal.disputes.models import PieceDispute
from portal.disputes.states import DISPUTE, Dispute, Problem, Resolution
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Order
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.services import Piece
from portal.shipping.states import Parcel
from portal.workflows import money, set_aside
from portal.workflows.standing import order_follows

GOODS_ARE_BACK = noted("the goods are back")
# Each side may give in; finance may decide anything.
MAY_END_WITH = {
    Role.BUYER: {Resolution.RELEASE, Resolution.REPLACEMENT},
    Role.SELLER: {Resolution.REFUND},
    Role.FINANCE: set(Resolution),
}


def settle(
    dispute_id: int, resolution: Resolution, *, role: Role, by: Actor, because: str, goods_come_back: bool = False
) -> PieceDispute:
    """End an argument. A buyer gives in or agrees to new pieces that were offered, a seller gives the money back,
    finance decides. `goods_come_back`: the refund waits for a return parcel.
    """
    dispute, order = _with_order(dispute_id)
    if resolution not in MAY_END_WITH.get(role, set()):
        raise NotAllowed
    if role == Role.BUYER and resolution == Resolution.REPLACEMENT and dispute.offer != Resolution.REPLACEMENT:
        raise disputes.NothingOffered
    if goods_come_back and dispute.problem == Problem.MISSING:
        raise BadInput(fields={"goods_come_back": _l("What never came cannot come back.")})
    if resolution == Resolution.REFUND and goods_come_back:
        call_goods_back(dispute, order, by=by, because=because)
    else:
        _end(dispute, order, resolution, by=by, because=because)
    return dispute


def call_goods_back(dispute: PieceDispute, order: Order, *, by: Actor, because: str) -> None:
    """The buyer sends the pieces back in a parcel of their own; the money follows when they are there."""
    if not DISPUTE.allows(dispute.state, Dispute.AWAITING_RETURN):
        raise WrongMoment(_l("This is no longer possible: the state has changed."), state=dispute.state)
    pieces = [Piece(dispute.order_line_id, dispute.pieces)]
    # Called back again when the first return never came.
    key = f"return:{dispute.id}:{dispute.return_shipment_id or 0}"
    parcel = shipping.call_back(order, pieces, init_key=key, by=by)
    days = int(current_app.config["DISPUTE_DAYS"])
    disputes.await_return(dispute, parcel.id, days=days, by=by, because=because)


def goods_are_back(return_shipment_id: int, order: Order, *, by: Actor) -> None:
    """The goods of some arguments are with the seller again: their money goes back."""
    for dispute in disputes_queries.waiting_for_return(return_shipment_id):
        _end(dispute, order, Resolution.REFUND, by=by, because=GOODS_ARE_BACK)


def _end(dispute: PieceDispute, order: Order, resolution: Resolution, *, by: Actor, because: str) -> None:
    _nothing_has_to_come_back(dispute, by=by, because=because)
    disputes.settle(dispute, resolution, by=by, because=because)
    match resolution:
        case Resolution.RELEASE:
            orders.settle_accepted(dispute.order_line_id, dispute.pieces)
        case Resolution.REFUND:
            orders.settle_refunded(dispute.order_line_id, dispute.pieces)
        case Resolution.REPLACEMENT:
            orders.settle_replaced(dispute.order_line_id, dispute.pieces)
    order_follows(order, by=by, because=because)
    money.follow_pieces(order, by=by, because=because)
    set_aside.follow(order, by=by, because=because)


def _nothing_has_to_come_back(dispute: PieceDispute, *, by: Actor, because: str) -> None:
    """Settled in another way while the goods had not even left: the return parcel is off."""
    if dispute.return_shipment_id is not None:
        parcel = shipping_queries.parcel_for_update(dispute.return_shipment_id)
        if parcel.state == Parcel.PLANNED:
            shipping.cancel(parcel, by=by, because=because)


def offer_replacement(dispute_id: int, *, by: Actor) -> PieceDispute:
    """The seller would send new pieces."""
    dispute, _order = _with_order(dispute_id)
    disputes.offer_replacement(dispute, by=by)
    return dispute


def escalate_overdue() -> int:
    """Arguments not settled in the agreed days go to finance. Returns how many."""
    with atomic():
        overdue = disputes_queries.past_their_day(clock.today())
    escalated = 0
    for dispute_id in overdue:
        try:
            with atomic():
                disputes.escalate(_with_order(dispute_id)[0])
                escalated += 1
        except Refusal as no:
            logger.warning("dispute {} was not escalated: {}", dispute_id, no.code)
    return escalated


def _with_order(dispute_id: int) -> tuple[PieceDispute, Order]:
    """Order first, then dispute: everybody locks in this order, so nobody deadlocks."""
    order = orders_queries.hold_still(disputes_queries.dispute(dispute_id).dispute.order_id)
    return disputes_queries.dispute_for_update(dispute_id), order


REASONS = {
    Resolution.RELEASE: noted("the buyer is content after all"),
    Resolution.REFUND: noted("the seller gives the money back"),
    Resolution.REPLACEMENT: noted("the buyer takes new pieces"),
}
