"""A completed order with a sales agent is a won deal, and its commission is ready for somebody to approve."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from loguru import logger

from portal.commission import queries as commission_queries
from portal.commission.models import CommissionDispute, CommissionSnapshot, Deal
from portal.commission.queries import one
from portal.commission.services import corrections, deals, disputes, snapshots
from portal.commission.services.snapshots import Wish
from portal.commission.states import SnapshotState
from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.database import Json
from portal.core.errors import Refusal
from portal.core.i18n import noted
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.orders import queries as orders_queries
from portal.orders.models import Order
from portal.orders.states import OrderState

MONEY_WENT_BACK = noted("money of the sale went back to the buyer")
STILL_TRIED = timedelta(days=60)  # longer than a month stays locked by mistake


def order_stands(order: Order) -> None:
    """Called whenever an order has moved: completed, and its buyer had a sales agent on the day it was placed, it is
    a won deal. Its price is what the buyer kept, in kuruş. Said again, nothing happens."""
    if order.state != OrderState.COMPLETED:
        return
    agent_id = commission_queries.agent_of(order.buyer_organisation_id, clock.day_of(order.placed_at))
    if agent_id is None:
        return
    sale = _sale(order)
    deal = deals.won_by_order(
        order.id,
        title=order.number,
        sale_price=sale.price,
        agent_id=agent_id,
        on=clock.today(),
        evidence=sale.evidence,
        by=SYSTEM,
    )
    if deal is not None:
        make_ready(deal)


class Sale(NamedTuple):
    """What an order came to: the pieces its buyer kept, less what came back of their price, in kuruş."""

    price: int
    evidence: Json


def _sale(order: Order) -> Sale:
    kept = [line for line in orders_queries.lines_of(order.id) if line.accepted_quantity]
    told = [
        {
            "name": line.name,
            "pieces": line.accepted_quantity,
            "unit_price_minor": line.unit_price_kurus,
            "minor": line.accepted_quantity * line.unit_price_kurus,
        }
        for line in kept
    ]
    whole = sum(line.accepted_quantity * line.unit_price_kurus for line in kept)
    back = min(escrow_queries.price_reduction(order.id), whole)
    return Sale(whole - back, {"number": order.number, "lines": told, "given_back_minor": back})


def price_follows(order: Order) -> None:
    """Called whenever a buyer got money back, and every hour: the deal's price follows, and the commission the price.

    What waits for approval is rejected and made anew; of what was approved the share of the money that went back is
    proposed to be taken back, and a second person agrees. What people have rejected or taken back is left to them.
    Said again, nothing happens. In a locked month it is tried again later.
    """
    deal = commission_queries.deal_of_order(order.id)
    if deal is None or deal.sale_price == (sale := _sale(order)).price:
        return
    snapshot = commission_queries.snapshot_that_counts(deal.id)
    waiting = snapshot if snapshot and snapshot.state == SnapshotState.PENDING_APPROVAL else None
    if waiting:
        snapshots.reject(waiting, by=SYSTEM, because=MONEY_WENT_BACK)
    elif snapshot and not _asked_back(deal, snapshot, sale.price):
        return
    deals.reprice(deal, sale_price=sale.price, evidence=sale.evidence, by=SYSTEM, because=MONEY_WENT_BACK)
    if waiting:
        make_ready(deal)


def _asked_back(deal: Deal, snapshot: CommissionSnapshot, price: int) -> bool:
    """Refused before anything is written, as in `make_ready`."""
    assert deal.sale_price is not None
    key = f"order:{deal.order_id}:{price}"
    because = f"{MONEY_WENT_BACK}: {deal.title}"
    try:
        corrections.propose_price_fall(
            snapshot, was=deal.sale_price, now=price, key=key, dated_on=clock.today(), because=because, by=SYSTEM
        )
    except Refusal as no:
        logger.warning("commission of deal {} is not asked back yet: {}", deal.id, no.code)
        return False
    return True


def make_ready(deal: Deal) -> bool:
    """Make the deal's snapshot, if the rules let us: an order must not stay open because a month is locked or a
    policy is missing. What could not be made is tried again every hour, and stands in the list of deals.

    The rules refuse before anything is written, so there is nothing to undo.
    """
    if not deal.sale_price:
        return False
    try:
        wish = Wish(deal.id, f"order:{deal.order_id}:{deal.sale_price}")
        snapshots.create([wish], effective_on=clock.today(), by=SYSTEM)
    except Refusal as no:
        logger.warning("deal {} has no snapshot yet: {}", deal.id, no.code)
        return False
    return True


def make_missing_ready(limit: int = 500) -> int:
    """Won deals of orders that have no snapshot yet, and prices that could not follow. Returns how many have one now."""
    with atomic():
        reduced = escrow_queries.orders_reduced_since(clock.now() - STILL_TRIED)
    for order_id in reduced:
        with atomic():
            price_follows(orders_queries.hold_still(order_id))
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
