"""A completed order with a sales agent is a won deal, and its commission is ready for somebody to approve."""

from __future__ import annotations

from loguru import logger

from portal.commission import queries as commission_queries
from portal.commission.models import CommissionDispute, Deal
from portal.commission.queries import one
from portal.commission.services import deals, disputes, snapshots
from portal.commission.services.snapshots import Wish
from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.database import Json
from portal.core.errors import Refusal
from portal.core.unit_of_work import atomic
from portal.orders import queries as orders_queries
from portal.orders.models import Order, OrderLine
from portal.orders.states import OrderState


def order_stands(order: Order) -> None:
    """Called whenever an order has moved: completed, and its buyer had a sales agent on the day it was placed, it is
    a won deal. Its price is what the buyer kept, in kuruş. Said again, nothing happens."""
    if order.state != OrderState.COMPLETED:
        return
    agent_id = commission_queries.agent_of(order.buyer_organisation_id, clock.day_of(order.placed_at))
    if agent_id is None:
        return
    lines = orders_queries.lines_of(order.id)
    deal = deals.won_by_order(
        order.id,
        title=order.number,
        sale_price=sum(line.accepted_quantity * line.unit_price_kurus for line in lines),
        agent_id=agent_id,
        on=clock.today(),
        evidence=_evidence(order, lines),
        by=SYSTEM,
    )
    if deal is not None:
        make_ready(deal)


def _evidence(order: Order, lines: list[OrderLine]) -> Json:
    kept = [line for line in lines if line.accepted_quantity]
    return {
        "number": order.number,
        "lines": [
            {
                "name": line.name,
                "pieces": line.accepted_quantity,
                "unit_price_minor": line.unit_price_kurus,
                "minor": line.accepted_quantity * line.unit_price_kurus,
            }
            for line in kept
        ],
    }


def make_ready(deal: Deal) -> bool:
    """Make the deal's snapshot, if the rules let us: an order must not stay open because a month is locked or a
    policy is missing. What could not be made is tried again every hour, and stands in the list of deals.

    The rules refuse before anything is written, so there is nothing to undo.
    """
    try:
        snapshots.create([Wish(deal.id, f"order:{deal.order_id}")], effective_on=clock.today(), by=SYSTEM)
    except Refusal as no:
        logger.warning("deal {} has no snapshot yet: {}", deal.id, no.code)
        return False
    return True


def make_missing_ready(limit: int = 500) -> int:
    """Won deals of orders that have no snapshot yet. Returns how many have one now."""
    with atomic():
        missing = commission_queries.won_without_snapshot(limit)
    made = 0
    for deal_id in missing:
        with atomic():
            made += make_ready(one(Deal, deal_id))
    return made


def escalate_overdue() -> int:
    """Objections to a commission without an answer in the agreed business days. Returns how many."""
    with atomic():
        overdue = commission_queries.disputes_past_their_day(clock.today())
    escalated = 0
    for dispute_id in overdue:
        try:
            with atomic():
                disputes.escalate(one(CommissionDispute, dispute_id, for_update=True))
                escalated += 1
        except Refusal as no:
            logger.warning("commission dispute {} was not escalated: {}", dispute_id, no.code)
    return escalated
