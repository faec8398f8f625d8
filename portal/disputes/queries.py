"""What pages and jobs ask about arguments. Whoever asks names whose: what is not theirs does not exist."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import aliased, undefer

from portal.accounts.models import Organisation
from portal.core.database import db
from portal.core.errors import NotFound
from portal.disputes.models import DisputeMessage, DisputePhoto, PieceDispute
from portal.disputes.states import UNSETTLED, Dispute
from portal.orders.models import Order, OrderLine


class DisputeRow(NamedTuple):
    """An argument in a list."""

    dispute: PieceDispute
    order_number: str
    buyer: str
    seller: str
    line_name: str


def disputes(*, buyer_id: int | None = None, seller_id: int | None = None, states: list[str] | None = None) -> Any:
    """Arguments, the most urgent first; the caller pages and wraps rows in DisputeRow."""
    buyer, seller = aliased(Organisation), aliased(Organisation)
    wanted = (
        select(PieceDispute, Order.number, buyer.name, seller.name, OrderLine.name)
        .join(Order, Order.id == PieceDispute.order_id)
        .join(buyer, buyer.id == Order.buyer_organisation_id)
        .join(seller, seller.id == Order.seller_organisation_id)
        .join(OrderLine, OrderLine.id == PieceDispute.order_line_id)
        .order_by(PieceDispute.state == Dispute.SETTLED, PieceDispute.answer_by_on, PieceDispute.id)
    )
    wanted = _of(wanted, buyer_id, seller_id)
    return wanted.where(PieceDispute.state.in_(states)) if states else wanted


def counts(*, buyer_id: int | None = None, seller_id: int | None = None) -> dict[str, int]:
    """How many are in each state."""
    wanted = select(PieceDispute.state, func.count()).join(Order, Order.id == PieceDispute.order_id)
    rows = db.session.execute(_of(wanted, buyer_id, seller_id).group_by(PieceDispute.state))
    return {state: count for state, count in rows}


def dispute(dispute_id: int, *, buyer_id: int | None = None, seller_id: int | None = None) -> DisputeRow:
    """One argument, if it is theirs."""
    wanted = disputes(buyer_id=buyer_id, seller_id=seller_id).where(PieceDispute.id == dispute_id)
    found = db.session.execute(wanted).one_or_none() if 0 < dispute_id < 2**63 else None
    if found is None:
        raise NotFound
    return DisputeRow(*found)


def dispute_for_update(dispute_id: int) -> PieceDispute:
    """One argument, held until the unit of work ends."""
    found = db.session.get(PieceDispute, dispute_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def of_order(order_id: int) -> list[PieceDispute]:
    """An order's arguments as they are now."""
    wanted = select(PieceDispute).where(PieceDispute.order_id == order_id).order_by(PieceDispute.id)
    return list(db.session.scalars(wanted.execution_options(populate_existing=True)))


def of_parcel(shipment_id: int) -> list[PieceDispute]:
    """A parcel's arguments, damaged pieces first."""
    wanted = select(PieceDispute).where(PieceDispute.shipment_id == shipment_id).order_by(PieceDispute.problem)
    return list(db.session.scalars(wanted))


def unsettled(order_id: int) -> int:
    """How many arguments about an order are not over."""
    wanted = select(func.count()).where(PieceDispute.order_id == order_id, PieceDispute.state.in_(UNSETTLED))
    return db.session.scalar(wanted) or 0


def waiting_for_return(return_shipment_id: int) -> list[PieceDispute]:
    """The arguments that end when this parcel is back."""
    return list(
        db.session.scalars(
            select(PieceDispute).where(
                PieceDispute.return_shipment_id == return_shipment_id,
                PieceDispute.state.in_((Dispute.AWAITING_RETURN, Dispute.ESCALATED)),
            )
        )
    )


def past_their_day(today: date, limit: int = 500) -> list[int]:
    """Arguments whose last day is over: not settled, or the goods have not come back."""
    talking = (Dispute.OPEN, Dispute.AWAITING_RETURN)
    wanted = select(PieceDispute.id).where(PieceDispute.state.in_(talking), PieceDispute.answer_by_on < today)
    return list(db.session.scalars(wanted.order_by(PieceDispute.id).limit(limit)))


def conversation(dispute_id: int) -> list[DisputeMessage]:
    """What was said, oldest first."""
    wanted = select(DisputeMessage).where(DisputeMessage.dispute_id == dispute_id).order_by(DisputeMessage.id)
    return list(db.session.scalars(wanted))


def photos(dispute_id: int) -> list[DisputePhoto]:
    """The pictures, without their content; what was forgotten in time is none any more."""
    mine = (DisputePhoto.dispute_id == dispute_id, func.octet_length(DisputePhoto.jpeg) > 0)
    wanted = select(DisputePhoto).where(*mine).order_by(DisputePhoto.id)
    return list(db.session.scalars(wanted))


def photo(dispute_id: int, photo_id: int) -> DisputePhoto:
    """One picture with its content."""
    wanted = select(DisputePhoto).where(DisputePhoto.id == photo_id, DisputePhoto.dispute_id == dispute_id)
    known = 0 < photo_id < 2**63
    found = db.session.execute(wanted.options(undefer(DisputePhoto.jpeg))).scalar_one_or_none() if known else None
    if found is None or not found.jpeg:
        raise NotFound
    return found


def _of(wanted: Any, buyer_id: int | None, seller_id: int | None) -> Any:
    if buyer_id is not None:
        wanted = wanted.where(Order.buyer_organisation_id == buyer_id)
    if seller_id is not None:
        wanted = wanted.where(Order.seller_organisation_id == seller_id)
    return wanted
