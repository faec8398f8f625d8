"""The whole chain behind any amount: every kind of thing leads to its order, and the order leads to everything."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from flask_babel import gettext as _
from sqlalchemy import select

from portal.core.database import db
from portal.core.errors import NotFound
from portal.core.formats import account, money, percent
from portal.core.i18n import told
from portal.disputes import queries as disputes_queries
from portal.disputes.models import PieceDispute
from portal.disputes.states import PROBLEM_NAMES, Problem
from portal.escrow import queries as escrow_queries
from portal.escrow.models import EscrowHold, EscrowRefund, NetworkPayment, ProviderPayout
from portal.ledger import queries as ledger_queries
from portal.ledger.models import ACCOUNT_NAMES, ENTRY_NAMES, JournalEntry, Posting
from portal.ledger.queries import LedgerFilter, PostingRow
from portal.orders.models import Order, OrderLine
from portal.outbox import queries as outbox_queries
from portal.shipping import queries as shipping_queries
from portal.shipping.models import Shipment
from portal.workflows.provider_calls import OPERATION_NAMES


class Step(NamedTuple):
    """One link of the chain."""

    kind: str
    subject_id: int
    title: str
    text: str
    amount_kurus: int | None
    at: datetime | None
    state: str = ""


class Sums(NamedTuple):
    """released + refunded + held = paid."""

    paid: int
    held: int
    released: int
    refunded: int

    @property
    def agrees(self) -> bool:
        """Whether nothing is missing."""
        return self.held + self.released + self.refunded == self.paid


class Passport(NamedTuple):
    """The chain of one order's money, in the order in which it happened."""

    order: Order
    steps: list[Step]
    sums: Sums


# How each kind of thing finds its order.
_FINDS: dict[str, Any] = {
    "line": lambda i: select(OrderLine.order_id).where(OrderLine.id == i),
    "hold": lambda i: select(EscrowHold.order_id).where(EscrowHold.id == i),
    "refund": lambda i: select(EscrowHold.order_id).join(EscrowRefund).where(EscrowRefund.id == i),
    "payout": lambda i: select(EscrowHold.order_id).join(ProviderPayout).where(ProviderPayout.id == i),
    "shipment": lambda i: select(Shipment.order_id).where(Shipment.id == i),
    "dispute": lambda i: select(PieceDispute.order_id).where(PieceDispute.id == i),
    "posting": lambda i: select(Posting.order_id).where(Posting.id == i, Posting.order_id.is_not(None)),
    "entry": lambda i: (
        select(Posting.order_id)
        .where(Posting.entry_id == i, Posting.order_id.is_not(None))
        .order_by(Posting.id)
        .limit(1)
    ),
    "payment": lambda i: (
        select(Order.id)
        .join(NetworkPayment, NetworkPayment.checkout_id == Order.checkout_id)
        .where(NetworkPayment.id == i)
        .order_by(Order.id)
        .limit(1)
    ),
}
KINDS = ("order", *_FINDS)


def order_of(kind: str, subject_id: int) -> int:
    """The order a thing belongs to."""
    if kind not in KINDS or not 0 < subject_id < 2**63:
        raise NotFound
    order_id = subject_id if kind == "order" else db.session.scalar(_FINDS[kind](subject_id))
    if order_id is None:
        raise NotFound
    return int(order_id)


def passport_of(order: Order, *, with_split: bool) -> Passport:
    """Everything that happened to the order's money. `with_split`: whether seller share and commission are shown
    (a buyer does not see what the seller pays the platform)."""
    holds = escrow_queries.holds_of([order.id])
    ids = [hold.id for hold in holds]
    refunds, payouts = escrow_queries.refunds_of(ids), escrow_queries.payouts_of(ids)
    steps = [
        *_order_steps(order, with_split),
        *_payment_steps(order),
        *_hold_steps(holds),
        *_parcel_steps(order),
        *_refund_steps(refunds),
        *_dispute_steps(order),
    ]
    if with_split:
        steps += _call_steps(ids, refunds) + _posting_steps(order.id) + _payout_steps(payouts)
    sums = Sums(
        sum(h.amount_kurus for h in holds),
        sum(h.held_kurus for h in holds),
        sum(h.released_kurus for h in holds),
        sum(h.refunded_kurus for h in holds),
    )
    return Passport(order, steps, sums)


def _order_steps(order: Order, with_split: bool) -> list[Step]:
    placed = Step(
        "order",
        order.id,
        _("Order %(number)s", number=order.number),
        _("Placed"),
        order.total_kurus,
        order.placed_at,
        order.state,
    )
    return [placed, *[_line_step(order, line, with_split) for line in order.lines]]


def _line_step(order: Order, line: OrderLine, with_split: bool) -> Step:
    text = _("%(n)d pieces", n=line.quantity) + f" × {money(line.unit_price_kurus)}"
    if with_split:
        text += " · " + _(
            "seller %(seller)s, commission %(commission)s (%(percent)s of the order, shared by largest remainder)",
            seller=money(line.seller_share_kurus),
            commission=money(line.commission_kurus),
            percent=percent(order.commission_percent),
        )
    return Step("line", line.id, line.name, text, line.total_kurus, order.placed_at)


def _payment_steps(order: Order) -> list[Step]:
    return [
        Step(
            "payment",
            payment.id,
            _("Payment at %(provider)s", provider=payment.provider),
            _("The whole basket; the provider calls it %(key)s", key=payment.provider_payment_key or "–"),
            payment.amount_kurus,
            payment.paid_at or payment.opened_at,
            payment.state,
        )
        for payment in reversed(escrow_queries.payments_of(order.checkout_id))
    ]


def _hold_steps(holds: list[EscrowHold]) -> list[Step]:
    return [
        Step(
            "hold",
            hold.id,
            _("In trust"),
            _("%(n)d pieces; the provider's item %(key)s", n=hold.pieces, key=hold.provider_item_key),
            hold.amount_kurus,
            hold.recorded_at,
            hold.state,
        )
        for hold in holds
    ]


def _parcel_steps(order: Order) -> list[Step]:
    return [
        Step(
            "shipment",
            parcel.id,
            _("Parcel %(n)d", n=parcel.sequence),
            _("Accepted by %(who)s", who=parcel.accepted_by) if parcel.accepted_by else parcel.carrier,
            None,
            parcel.accepted_at or parcel.handed_over_at or parcel.created_at,
            parcel.state,
        )
        for parcel in shipping_queries.parcels_of(order.id)
    ]


def _refund_steps(refunds: list[EscrowRefund]) -> list[Step]:
    return [
        Step("refund", r.id, _("Refund"), r.because, r.amount_kurus, r.settled_at or r.requested_at, r.state)
        for r in refunds
    ]


def _dispute_steps(order: Order) -> list[Step]:
    names = {line.id: line.name for line in order.lines}
    return [
        Step(
            "dispute",
            dispute.id,
            f"{PROBLEM_NAMES[Problem(dispute.problem)]}: {names[dispute.order_line_id]}",
            told(dispute.because) if dispute.because else _("%(n)d pieces", n=dispute.pieces),
            dispute.amount_kurus,
            dispute.settled_at or dispute.opened_at,
            dispute.state,
        )
        for dispute in disputes_queries.of_order(order.id)
    ]


def _call_steps(hold_ids: list[int], refunds: list[EscrowRefund]) -> list[Step]:
    intents = outbox_queries.intents_about("hold", [str(i) for i in hold_ids])
    intents += outbox_queries.intents_about("refund", [str(r.id) for r in refunds])
    return [
        Step(
            "intent",
            intent.id,
            _(
                "Asked of %(provider)s: %(what)s",
                provider=intent.provider,
                what=told(OPERATION_NAMES[intent.operation]),
            ),
            told(intent.last_note),
            None,
            intent.settled_at or intent.created_at,
            intent.state,
        )
        for intent in intents
    ]


def _posting_steps(order_id: int) -> list[Step]:
    rows: list[PostingRow] = ledger_queries.rows_of(ledger_queries.postings(LedgerFilter(order_id=order_id)))
    return [
        Step(
            "posting",
            row.id,
            f"{account(row.debit_name, ACCOUNT_NAMES)} → {account(row.credit_name, ACCOUNT_NAMES)}",
            f"{told(ENTRY_NAMES.get(row.kind, row.kind))}: {told(row.because)}",
            row.amount_kurus,
            row.recorded_at,
        )
        for row in reversed(rows)
    ]


def _payout_steps(payouts: list[ProviderPayout]) -> list[Step]:
    return [
        Step(
            "payout",
            payout.id,
            _("Paid to the seller's bank") if payout.receiver == "SELLER" else _("Paid to the platform's bank"),
            f"{payout.paid_on:%d.%m.%Y}",
            payout.amount_kurus,
            payout.recorded_at,
        )
        for payout in payouts
    ]


def entry_of(entry_id: int) -> JournalEntry:
    """One journal entry."""
    found = db.session.get(JournalEntry, entry_id) if 0 < entry_id < 2**63 else None
    if found is None:
        raise NotFound
    return found
