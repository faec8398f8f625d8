"""What pages and jobs ask about money in trust."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from portal.accounts.models import Organisation
from portal.core import clock
from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.core.money import Money
from portal.escrow.lots import LineMoney, Part
from portal.escrow.models import EscrowHold, EscrowRefund, NetworkPayment, ProviderPayout, Reconciliation
from portal.escrow.states import Hold as HoldState
from portal.escrow.states import Payment
from portal.escrow.states import Refund as RefundState
from portal.orders.models import Order, OrderLine


class HeldRow(NamedTuple):
    """One hold as finance sees it."""

    hold: EscrowHold
    order_number: str
    seller: str
    line_name: str


class PayoutRow(NamedTuple):
    """One release as finance sees it: asked for, approved, and when the bank got it."""

    hold: EscrowHold
    order_number: str
    payout_status: str
    seller: str
    line_name: str
    paid_on: date | None
    order_state: str


def payment_by_attempt(attempt_key: str, *, lock: bool = False) -> NetworkPayment | None:
    """The payment with our own key."""
    wanted = select(NetworkPayment).where(NetworkPayment.attempt_key == attempt_key)
    return _maybe_locked(wanted, lock)


def payment_by_token(token: str) -> NetworkPayment | None:
    """The payment whose page has this token."""
    return _maybe_locked(select(NetworkPayment).where(NetworkPayment.provider_token == token), lock=False)


def payment_for_update(payment_id: int) -> NetworkPayment:
    """A payment, held until the unit of work ends."""
    return db.session.get_one(NetworkPayment, payment_id, with_for_update=True, populate_existing=True)


def payments_of(checkout_id: int) -> list[NetworkPayment]:
    """Every attempt to pay a checkout, newest first."""
    wanted = select(NetworkPayment).where(NetworkPayment.checkout_id == checkout_id).order_by(NetworkPayment.id.desc())
    return list(db.session.scalars(wanted))


def payments_waiting(older_than: timedelta, limit: int = 200) -> list[NetworkPayment]:
    """Open payments whose page has been shown a while ago: perhaps a webhook was lost."""
    return list(
        db.session.scalars(
            select(NetworkPayment)
            .where(
                NetworkPayment.state == Payment.OPEN,
                NetworkPayment.provider_token.is_not(None),
                NetworkPayment.recorded_at <= DB_NOW - older_than,
            )
            .order_by(NetworkPayment.id)
            .limit(limit)
        )
    )


def hold_for_update(hold_id: int) -> EscrowHold:
    """A hold, held until the unit of work ends."""
    found = db.session.get(EscrowHold, hold_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def hold(hold_id: int) -> EscrowHold:
    """A hold."""
    found = db.session.get(EscrowHold, hold_id) if 0 < hold_id < 2**63 else None
    if found is None:
        raise NotFound
    return found


_REDUCTION = ~EscrowRefund.for_pieces & (EscrowRefund.state == RefundState.DONE)


def line_money(line: OrderLine) -> LineMoney:
    """Where a line's money stands, for the plan of what to ask of the provider next."""
    mine = select(EscrowHold).where(EscrowHold.order_line_id == line.id).order_by(EscrowHold.id).with_for_update()
    holds = list(db.session.scalars(mine.execution_options(populate_existing=True)))
    refunds = refunds_of([hold.id for hold in holds])
    busy = {r.hold_id: r.amount_kurus for r in refunds if r.state == RefundState.REQUESTED}
    held = [hold for hold in holds if hold.state == HoldState.HELD]
    asked = sum(r.amount_kurus for r in refunds if r.for_pieces and r.state != RefundState.REFUSED)
    return LineMoney(
        unit_price=Money(line.unit_price_kurus),
        undecided_pieces=line.undecided,
        pieces_to_give_back=line.refunded_quantity + line.cancelled_quantity,
        asked_back=Money(asked),
        free=tuple(Part(hold.id, Money(hold.held_kurus)) for hold in held if hold.id not in busy),
        rest_of_busy=Money(sum(hold.held_kurus - busy[hold.id] for hold in held if hold.id in busy)),
    )


def holds_of(order_ids: list[int]) -> list[EscrowHold]:
    """The holds of some orders."""
    wanted = select(EscrowHold).where(EscrowHold.order_id.in_(order_ids)).order_by(EscrowHold.id)
    return list(db.session.scalars(wanted.execution_options(populate_existing=True)))


def hold_of_item(provider: str, provider_item_key: str) -> EscrowHold | None:
    """The hold behind the provider's item, held until the unit of work ends."""
    return db.session.execute(
        select(EscrowHold)
        .where(EscrowHold.provider == provider, EscrowHold.provider_item_key == provider_item_key)
        .with_for_update()
    ).scalar_one_or_none()


def price_reduction(order_id: int) -> int:
    """What the buyer of an order got back beyond the price of whole pieces, in kuruş."""
    given = select(func.coalesce(func.sum(EscrowRefund.amount_kurus), 0)).where(_REDUCTION)
    return int(db.session.scalars(given.join(EscrowHold).where(EscrowHold.order_id == order_id)).one())


def orders_reduced_since(when: datetime) -> list[int]:
    """Orders whose buyers got something back beyond whole pieces since then."""
    wanted = select(EscrowHold.order_id).join(EscrowRefund).where(_REDUCTION, EscrowRefund.settled_at >= when)
    return list(db.session.scalars(wanted.distinct().order_by(EscrowHold.order_id)))


def refund_hold(refund_id: int) -> int:
    """The hold a refund is taken from."""
    found: int = db.session.execute(select(EscrowRefund.hold_id).where(EscrowRefund.id == refund_id)).scalar_one()
    return found


def refund_for_update(refund_id: int) -> EscrowRefund:
    """A refund, held until the unit of work ends."""
    return db.session.get_one(EscrowRefund, refund_id, with_for_update=True, populate_existing=True)


def refunds_of(hold_ids: list[int]) -> list[EscrowRefund]:
    """The refunds of some holds, oldest first."""
    wanted = select(EscrowRefund).where(EscrowRefund.hold_id.in_(hold_ids)).order_by(EscrowRefund.id)
    return list(db.session.scalars(wanted))


def payouts_of(hold_ids: list[int]) -> list[ProviderPayout]:
    """What the provider paid out for some holds."""
    wanted = select(ProviderPayout).where(ProviderPayout.hold_id.in_(hold_ids)).order_by(ProviderPayout.id)
    return list(db.session.scalars(wanted))


def held_rows(*, states: list[str] | None = None) -> Any:
    """Holds with order, seller and line, oldest first; the caller pages and wraps rows in HeldRow."""
    wanted = (
        select(EscrowHold, Order.number, Organisation.name, OrderLine.name)
        .join(Order, Order.id == EscrowHold.order_id)
        .join(Organisation, Organisation.id == Order.seller_organisation_id)
        .join(OrderLine, OrderLine.id == EscrowHold.order_line_id)
        .order_by(EscrowHold.id)
    )
    return wanted.where(EscrowHold.state.in_(states)) if states else wanted


def payout_rows(*, states: list[str] | None = None) -> Select[Any]:
    """Releases, newest first; the caller pages and wraps rows in PayoutRow."""
    wanted: Select[Any] = _payouts().where(EscrowHold.release_number > 0).order_by(EscrowHold.id.desc())
    return wanted.where(EscrowHold.state.in_(states)) if states else wanted


def waiting_of_seller(seller_id: int, limit: int = 100) -> list[PayoutRow]:
    """A seller's money that is still in trust, oldest first."""
    wanted = (
        _payouts()
        .where(Order.seller_organisation_id == seller_id, EscrowHold.held_kurus > 0)
        .order_by(EscrowHold.id)
        .limit(limit)
    )
    return [PayoutRow(*row) for row in db.session.execute(wanted)]


def _payouts() -> Any:
    to_seller = (ProviderPayout.hold_id == EscrowHold.id) & (ProviderPayout.receiver == "SELLER")
    return (
        select(
            EscrowHold,
            Order.number,
            Order.payout_status,
            Organisation.name,
            OrderLine.name.label("line_name"),
            ProviderPayout.paid_on,
            Order.state.label("order_state"),
        )
        .join(Order, Order.id == EscrowHold.order_id)
        .join(Organisation, Organisation.id == Order.seller_organisation_id)
        .join(OrderLine, OrderLine.id == EscrowHold.order_line_id)
        .outerjoin(ProviderPayout, to_seller)
    )


def hold_totals(*, seller_id: int | None = None) -> dict[str, int]:
    """Kuruş in trust, released and refunded, over everything or one seller's sales."""
    wanted = select(
        func.coalesce(func.sum(EscrowHold.held_kurus), 0),
        func.coalesce(func.sum(EscrowHold.released_kurus), 0),
        func.coalesce(func.sum(EscrowHold.refunded_kurus), 0),
    )
    if seller_id is not None:
        wanted = wanted.join(Order, Order.id == EscrowHold.order_id).where(Order.seller_organisation_id == seller_id)
    row = db.session.execute(wanted).one()
    return {"held": int(row[0]), "released": int(row[1]), "refunded": int(row[2])}


def hold_counts() -> dict[str, int]:
    """How many holds are in each state."""
    rows = db.session.execute(select(EscrowHold.state, func.count()).group_by(EscrowHold.state))
    return {state: count for state, count in rows}


def last_reconciliations(limit: int = 10) -> list[Reconciliation]:
    """The latest runs, newest first."""
    return list(db.session.scalars(select(Reconciliation).order_by(Reconciliation.id.desc()).limit(limit)))


def page_is_over(payment: NetworkPayment) -> bool:
    """Whether the payment page has run out."""
    until: datetime | None = payment.page_expires_at
    return until is not None and until <= clock.now()


def _maybe_locked(wanted: Select[Any], lock: bool) -> NetworkPayment | None:
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return db.session.execute(wanted).scalar_one_or_none()
