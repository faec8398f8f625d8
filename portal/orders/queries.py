"""What pages and jobs ask about orders. Whoever asks names whose orders: what is not theirs does not exist."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.core.database import db
from portal.core.errors import NotFound
from portal.core.state_machine import Transition
from portal.orders.models import Checkout, Offer, Order, OrderLine

BIGGEST_ID = 2**63 - 1


def names_of_barcodes(barcodes: list[str]) -> dict[str, str]:
    """What offers call the things with these barcodes."""
    rows = db.session.execute(
        select(Offer.barcode, func.min(Offer.name)).where(Offer.barcode.in_(barcodes)).group_by(Offer.barcode)
    )
    return {barcode: name for barcode, name in rows}


def order_of_buyer(organisation_id: int, order_id: int) -> Order:
    """A buyer's own order with lines and seller."""
    return _one(_with_everything().where(Order.buyer_organisation_id == organisation_id), order_id)


def order_of_seller(organisation_id: int, order_id: int) -> Order:
    """A seller's own order with lines and buyer."""
    return _one(_with_everything().where(Order.seller_organisation_id == organisation_id), order_id)


def any_order(order_id: int) -> Order:
    """An order, for the platform's own people."""
    return _one(_with_everything(), order_id)


def hold_still(order_id: int) -> Order:
    """Lock an order until the unit of work ends: every story about one order goes through here, one at a time."""
    found = db.session.get(Order, order_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def lines_of(order_id: int) -> list[OrderLine]:
    """An order's lines as they are now."""
    return list(
        db.session.scalars(
            select(OrderLine)
            .where(OrderLine.order_id == order_id)
            .order_by(OrderLine.line_no)
            .execution_options(populate_existing=True)
        )
    )


def placed_by(order_id: int) -> int:
    """The person who placed an order."""
    wanted = select(Checkout.placed_by_person_id).join(Order, Order.checkout_id == Checkout.id)
    found: int = db.session.execute(wanted.where(Order.id == order_id)).scalar_one()
    return found


def checkout_of_buyer(organisation_id: int, public_key: uuid.UUID) -> Checkout:
    """A buyer's own checkout with its orders, lines and sellers."""
    found: Checkout | None = db.session.execute(
        _checkouts().where(Checkout.public_key == public_key, Checkout.buyer_organisation_id == organisation_id)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def checkout(checkout_id: int) -> Checkout:
    """A checkout with its orders and lines."""
    found: Checkout = db.session.execute(_checkouts().where(Checkout.id == checkout_id)).scalar_one()
    return found


def orders_of_checkout_for_update(checkout_id: int) -> list[Order]:
    """A checkout's orders, locked in the order of their ids (always the same, so nobody deadlocks)."""
    return list(
        db.session.scalars(
            select(Order)
            .where(Order.checkout_id == checkout_id)
            .order_by(Order.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def orders(
    *, buyer_id: int | None = None, seller_id: int | None = None, states: list[str] | None = None, search: str = ""
) -> Select[Any]:
    """Orders, newest first, with both names; the caller pages."""
    wanted = select(Order).options(joinedload(Order.seller), joinedload(Order.buyer)).order_by(Order.id.desc())
    if buyer_id is not None:
        wanted = wanted.where(Order.buyer_organisation_id == buyer_id)
    if seller_id is not None:
        wanted = wanted.where(Order.seller_organisation_id == seller_id)
    if states:
        wanted = wanted.where(Order.state.in_(states))
    if search:
        wanted = wanted.where(Order.number.contains(search.strip().upper(), autoescape=True))
    return wanted


def counts(*, buyer_id: int | None = None, seller_id: int | None = None) -> dict[str, int]:
    """How many orders are in each state."""
    wanted = select(Order.state, func.count()).group_by(Order.state)
    if buyer_id is not None:
        wanted = wanted.where(Order.buyer_organisation_id == buyer_id)
    if seller_id is not None:
        wanted = wanted.where(Order.seller_organisation_id == seller_id)
    return {state: count for state, count in db.session.execute(wanted)}


def offers(search: str = "") -> list[Offer]:
    """What can be ordered, by name."""
    wanted = select(Offer).options(joinedload(Offer.seller)).where(Offer.is_active).order_by(Offer.name, Offer.id)
    if search:
        wanted = wanted.where(
            Offer.name.icontains(search, autoescape=True) | Offer.barcode.startswith(search, autoescape=True)
        )
    return list(db.session.scalars(wanted.limit(200)))


def history(kind: str, subject_ids: list[int]) -> list[Transition]:
    """Every move of some things, oldest first."""
    return list(
        db.session.scalars(
            select(Transition)
            .where(Transition.subject_kind == kind, Transition.subject_id.in_([str(i) for i in subject_ids]))
            .order_by(Transition.id)
        )
    )


def with_money_to_follow(limit: int) -> list[int]:
    """Orders that are COMPLETED while their payout is not RELEASED, and those whose release or refund is half done:
    what reconciliation looks for."""
    decided = OrderLine.accepted_quantity + OrderLine.refunded_quantity + OrderLine.cancelled_quantity > 0
    half_done = Order.payout_status.in_(("INITIATED", "FAILED")) | Order.id.in_(
        select(OrderLine.order_id).where(decided)
    )
    ended = Order.state.in_(("COMPLETED", "REFUNDED", "PENDING_PAYMENT"))
    return list(
        db.session.scalars(
            select(Order.id)
            .where(((Order.state == "COMPLETED") & (Order.payout_status != "RELEASED")) | (~ended & half_done))
            .order_by(Order.id)
            .limit(limit)
        )
    )


def _with_everything() -> Select[Any]:
    return (
        select(Order)
        .options(
            joinedload(Order.seller), joinedload(Order.buyer), joinedload(Order.checkout), selectinload(Order.lines)
        )
        .execution_options(populate_existing=True)
    )


def _checkouts() -> Select[Any]:
    return (
        select(Checkout)
        .options(
            selectinload(Checkout.orders).selectinload(Order.lines),
            selectinload(Checkout.orders).joinedload(Order.seller),
        )
        .execution_options(populate_existing=True)
    )


def _one(wanted: Select[Any], order_id: int) -> Order:
    found = (
        db.session.execute(wanted.where(Order.id == order_id)).scalar_one_or_none()
        if 0 < order_id <= BIGGEST_ID
        else None
    )
    if found is None:
        raise NotFound
    return found  # type: ignore[no-any-return]
