"""What buyers do with orders."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from portal.accounts.models import Person
from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput, Refusal
from portal.core.i18n import noted
from portal.core.money import Money, total
from portal.orders import queries, rules
from portal.orders.models import Checkout, Offer, Order, OrderLine
from portal.orders.states import ORDER, PAYOUT, OrderState, PayoutStatus


class WantedLine(NamedTuple):
    """So many pieces of a barcode; the seller is named only where several sell it."""

    barcode: str
    quantity: int
    seller_id: int | None = None


class OrderTooBig(Refusal):
    """More money than one basket may carry."""

    code = "order_too_big"


# iyzico's own ceiling is contractual; this one keeps every sum far inside BIGINT.
MAX_CHECKOUT = Money(10**13)


def place(lines: list[WantedLine], *, buyer: Person, by: Actor) -> Checkout:
    """One basket becomes one checkout and one order per seller; nothing is paid yet.

    Refuses unknown and ambiguous barcodes with the line named (422).
    """
    offers = _offers_for(lines)
    by_seller: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for line, offer in zip(lines, offers, strict=True):
        by_seller[offer.seller_organisation_id][offer.id] += line.quantity
    offer_by_id = {offer.id: offer for offer in offers}
    whole = total(
        [Money(offer_by_id[o].unit_price_kurus).times(n) for wanted in by_seller.values() for o, n in wanted.items()]
    )
    if whole > MAX_CHECKOUT:
        raise OrderTooBig(_l("This basket is too big for one payment. Please split it."))
    checkout = Checkout(
        buyer_organisation_id=buyer.organisation_id,
        placed_by_person_id=buyer.id,
        total_kurus=whole.kurus,
        placed_at=clock.now(),
    )
    db.session.add(checkout)
    db.session.flush()
    for seller_id, wanted in sorted(by_seller.items()):
        _order(checkout, seller_id, [(offer_by_id[o], n) for o, n in wanted.items()], by)
    return queries.checkout(checkout.id)


def _offers_for(lines: list[WantedLine]) -> list[Offer]:
    if not lines:
        raise BadInput(fields={"lines": _l("At least one line is needed.")})
    wanted = select(Offer).where(Offer.barcode.in_({line.barcode for line in lines}), Offer.is_active)
    known = list(db.session.scalars(wanted))
    found: list[Offer] = []
    wrong = {}
    for index, line in enumerate(lines):
        fitting = [o for o in known if o.barcode == line.barcode and line.seller_id in (None, o.seller_organisation_id)]
        if line.quantity < 1:
            wrong[f"lines[{index}].quantity"] = _l("At least one piece.")
        elif not fitting:
            wrong[f"lines[{index}].barcode"] = _l("Nobody offers this barcode.")
        elif len(fitting) > 1:
            wrong[f"lines[{index}].seller_id"] = _l("Several sellers offer this barcode; say which one.")
        else:
            found.append(fitting[0])
    if wrong:
        raise BadInput(fields=wrong)
    return found


def _order(checkout: Checkout, seller_id: int, wanted: list[tuple[Offer, int]], by: Actor) -> None:
    percent: Decimal = current_app.config["COMMISSION_PERCENT"]
    totals = [Money(offer.unit_price_kurus).times(quantity) for offer, quantity in wanted]
    order = Order(
        number=_next_number(),
        checkout_id=checkout.id,
        buyer_organisation_id=checkout.buyer_organisation_id,
        seller_organisation_id=seller_id,
        state=OrderState.PENDING_PAYMENT,
        payout_status=PayoutStatus.NONE,
        total_kurus=total(totals).kurus,
        commission_percent=percent,
        acceptance_days=current_app.config["ACCEPTANCE_DAYS"],
        placed_at=checkout.placed_at,
    )
    order.lines = [
        OrderLine(
            line_no=number,
            barcode=offer.barcode,
            name=offer.name,
            quantity=quantity,
            unit_price_kurus=offer.unit_price_kurus,
            total_kurus=amount.kurus,
            commission_kurus=split.commission.kurus,
            seller_share_kurus=split.seller_share.kurus,
        )
        for number, ((offer, quantity), amount, split) in enumerate(
            zip(wanted, totals, rules.split_lines(totals, percent), strict=True), start=1
        )
    ]
    db.session.add(order)
    ORDER.begin(order, actor=by, reason=noted("placed"))


def _next_number() -> str:
    serial = db.session.scalar(select(func.nextval("network_order_number")))
    return f"EM-{clock.today():%y}-{serial:06d}"


def paid(order: Order, *, by: Actor, because: str) -> None:
    """The money is in trust; the seller may ship."""
    ORDER.move(order, OrderState.PAID, actor=by, reason=because, paid_at=clock.now())


def cancel(order: Order, *, by: Actor, because: str) -> None:
    """The order will not be shipped. Money, if any, goes back (escrow's work)."""
    ORDER.move(order, OrderState.CANCELLED, actor=by, reason=because)


def ship_pieces(line_id: int, quantity: int) -> bool:
    """Count pieces into a parcel; False when that would be more than ordered. The database decides, so two
    servers shipping the last piece cannot both win."""
    shipped = db.session.execute(
        update(OrderLine)
        .where(
            OrderLine.id == line_id,
            OrderLine.shipped_quantity + OrderLine.cancelled_quantity + quantity <= OrderLine.quantity,
        )
        .values(shipped_quantity=OrderLine.shipped_quantity + quantity)
        .returning(OrderLine.id)
    ).scalar()
    return shipped is not None


def unship_pieces(line_id: int, quantity: int) -> None:
    """A parcel was cancelled: its pieces may go into another one."""
    db.session.execute(
        update(OrderLine).where(OrderLine.id == line_id).values(shipped_quantity=OrderLine.shipped_quantity - quantity)
    )


def withdraw_pieces(line_id: int, quantity: int) -> bool:
    """Pieces that will never be shipped; False when so many are not left."""
    left = OrderLine.quantity - OrderLine.shipped_quantity - OrderLine.cancelled_quantity
    withdrawn = db.session.execute(
        update(OrderLine)
        .where(OrderLine.id == line_id, left >= quantity)
        .values(cancelled_quantity=OrderLine.cancelled_quantity + quantity)
        .returning(OrderLine.id)
    ).scalar()
    return withdrawn is not None


def answer_pieces(line_id: int, *, accepted: int, disputed: int) -> None:
    """The buyer has looked: content with some pieces, objecting to others."""
    _count(line_id, accepted_quantity=accepted, disputed_quantity=disputed)


def settle_accepted(line_id: int, quantity: int) -> None:
    """An argument ends for the seller: the pieces count as accepted."""
    _count(line_id, disputed_quantity=-quantity, accepted_quantity=quantity)


def settle_refunded(line_id: int, quantity: int) -> None:
    """An argument ends for the buyer: the pieces' money goes back."""
    _count(line_id, disputed_quantity=-quantity, refunded_quantity=quantity)


def settle_replaced(line_id: int, quantity: int) -> None:
    """An argument ends with new pieces: they have to be shipped again."""
    _count(line_id, disputed_quantity=-quantity, shipped_quantity=-quantity, replaced_quantity=quantity)


def _count(line_id: int, **by: int) -> None:
    """Add to a line's counters; the table refuses what cannot be."""
    added = {name: getattr(OrderLine, name) + n for name, n in by.items() if n}
    if added:
        db.session.execute(update(OrderLine).where(OrderLine.id == line_id).values(**added))


FORWARD = [OrderState.PAID, OrderState.SHIPPED, OrderState.DELIVERED, OrderState.COMPLETED]


def stands_at(order: Order, reached: OrderState, *, by: Actor, because: str) -> None:
    """Bring the order to where its pieces are, step by step where there is no direct way. Ended orders stay ended."""
    while order.state != reached:
        step = reached if ORDER.allows(order.state, reached) else _next_step(order.state, reached)
        if step is None:
            return
        dated = {"completed_at": clock.now()} if step == OrderState.COMPLETED else {}
        ORDER.move(order, step, actor=by, reason=because, **dated)


def _next_step(state: str, reached: OrderState) -> OrderState | None:
    here = OrderState.PAID if state == OrderState.PARTIALLY_SHIPPED else OrderState(state)
    if here not in FORWARD or reached not in FORWARD or FORWARD.index(here) >= FORWARD.index(reached):
        return None
    return FORWARD[FORWARD.index(here) + 1]


def payout_moves(order: Order, to: PayoutStatus, *, by: Actor, because: str) -> None:
    """Note how far the seller's money is; the same again changes nothing."""
    if order.payout_status != to and PAYOUT.allows(order.payout_status, to):
        PAYOUT.move(order, to, actor=by, reason=because)


def refunded(order: Order, *, by: Actor, because: str) -> None:
    """All of the order's money has gone back to the buyer."""
    if ORDER.allows(order.state, OrderState.REFUNDED):
        ORDER.move(order, OrderState.REFUNDED, actor=by, reason=because)
