"""Payout reconciliation: ask the provider what is true, repair what we missed, pay nothing twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from flask import current_app
from loguru import logger
from sqlalchemy import select

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.errors import UnknownWords
from portal.core.i18n import noted
from portal.core.ports import Outcome, port
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.escrow import services as escrow
from portal.escrow.models import EscrowHold, NetworkPayment, Reconciliation
from portal.escrow.ports import PaidOut, PaymentGateway, PaymentState, PayoutReport
from portal.escrow.services import Discrepancy
from portal.escrow.states import Hold, Payment
from portal.orders import queries as orders_queries
from portal.outbox import queries as outbox_queries
from portal.outbox import services as outbox
from portal.workflows import checkout, money

# The provider's reports may lag; a few days back are read again every time (each row counts once).
LOOK_BACK_DAYS = 3
# What a run found, on screens.
FINDING_NAMES = {
    "payments_asked": noted("payments asked about"),
    "payments_found": noted("lost payments found"),
    "orders_checked": noted("orders checked"),
    "releases_found": noted("releases found"),
    "releases_asked_again": noted("releases asked for again"),
    "still_open": noted("still open"),
    "paid_out": noted("payouts booked"),
    "unanswered": noted("unanswered"),
    "odd": noted("to be looked at"),
}
SILENCE = timedelta(minutes=2)


def reconcile(*, by: Actor) -> dict[str, Any]:
    """One run. Returns the findings: how many were asked, repaired, still open, paid out, and what stayed odd.
    Two runs at once do no harm: every repair is a step that can only be taken once.
    """
    with atomic():
        run = Reconciliation(started_by=by.name, started_at=clock.now(), findings={})
        db.session.add(run)
    found: Counter[str] = Counter()
    find_lost_payments(found)
    repair_releases(found)
    book_payouts(found)
    with atomic():
        run = db.session.get_one(Reconciliation, run.id)
        run.finished_at = clock.now()
        run.findings = dict(found)
    return {"run": run.id, **found}


def find_lost_payments(found: Counter[str], *, silent_for: timedelta = SILENCE) -> None:
    """Payments whose page was shown a while ago and of which no webhook came: ask."""
    with atomic():
        waiting = [(p.id, p.provider_token or "") for p in escrow_queries.payments_waiting(silent_for)]
    for payment_id, token in waiting:
        found["payments_asked"] += 1
        try:
            answer = port(PaymentGateway).payment_by_token(token)
            with atomic():
                if answer.state is None:
                    found["unanswered"] += 1
                else:
                    found["payments_found"] += _learned(payment_id, answer.state)
        except (UnknownWords, Discrepancy) as odd:
            logger.error("payment {}: {}", payment_id, odd)
            found["odd"] += 1


def _learned(payment_id: int, state: PaymentState) -> bool:
    """Whether the answer taught us something. A page nobody can pay on any more is closed, so that we stop asking."""
    result = checkout.learn(state)
    payment = escrow_queries.payment_for_update(payment_id)
    if isinstance(result, checkout.Waiting):
        return False
    if result.what == checkout.NOT_PAID_YET and payment.state == Payment.OPEN and escrow_queries.page_is_over(payment):
        escrow.expire(payment, because=noted("the payment page ran out"))
    return result.what not in (checkout.NOT_PAID_YET, "nothing new")


def repair_releases(found: Counter[str], limit: int = 1000) -> None:
    """Orders whose money should have moved and has not: see at the provider, note what is done, ask again for what is not."""
    with atomic():
        order_ids = orders_queries.with_money_to_follow(limit)
    for order_id in order_ids:
        found["orders_checked"] += 1
        with atomic():
            holds = [h for h in escrow_queries.holds_of([order_id]) if h.state in (Hold.HELD, Hold.RELEASING)]
            keys = set(db.session.scalars(_payment_keys([h.id for h in holds])))
        approved = _approved_items(keys, found)
        with atomic():
            _repair(order_id, approved, found)


def _payment_keys(hold_ids: list[int]) -> Any:
    return (
        select(NetworkPayment.provider_payment_key)
        .join(EscrowHold, EscrowHold.payment_id == NetworkPayment.id)
        .where(EscrowHold.id.in_(hold_ids))
        .distinct()
    )


def _approved_items(payment_keys: set[str], found: Counter[str]) -> set[str]:
    approved: set[str] = set()
    for key in payment_keys:
        try:
            answer = port(PaymentGateway).payment_by_key(key)
        except UnknownWords as words:
            logger.error("payment {}: {}", key, words)
            found["odd"] += 1
            continue
        if answer.state is None:
            found["unanswered"] += 1
            continue
        approved |= {item.provider_item_key for item in answer.state.items if item.approved}
    return approved


def _repair(order_id: int, approved: set[str], found: Counter[str]) -> None:
    order = orders_queries.hold_still(order_id)
    for hold in escrow_queries.holds_of([order_id]):
        if hold.state == Hold.RELEASING and hold.provider_item_key in approved:
            # The intent that did it will find the hold released and settle itself when it asks.
            escrow.released(escrow_queries.hold_for_update(hold.id), order.seller_organisation_id)
            found["releases_found"] += 1
        elif hold.state == Hold.RELEASING:
            for intent in outbox_queries.intents_about("hold", [str(hold.id)]):
                outbox.ask_soon(intent)
    found["releases_asked_again"] += money.follow_pieces(order, by=SYSTEM, because=noted("reconciliation"))
    money.payout_follows(order, because=noted("reconciliation"))
    found["still_open"] += order.state == "COMPLETED" and order.payout_status != "RELEASED"


def book_payouts(found: Counter[str]) -> None:
    """Read the provider's payout reports of the last days and book what reached a bank account."""
    for back in range(LOOK_BACK_DAYS + 1):
        day = clock.today() - timedelta(days=back)
        try:
            report = port(PaymentGateway).payouts_of(day)
        except UnknownWords as words:
            logger.error("payout report of {}: {}", day, words)
            found["odd"] += 1
            continue
        if report.outcome is not Outcome.DONE:
            found["unanswered"] += 1
            continue
        _book(report, found)


def _book(report: PayoutReport, found: Counter[str]) -> None:
    provider = current_app.config["PAYMENT_PROVIDER"]
    for row in report.rows:
        try:
            with atomic():
                found["paid_out"] += _book_row(provider, row)
        except Discrepancy as odd:
            logger.error("payout: {}", odd)
            found["odd"] += 1


def _book_row(provider: str, row: PaidOut) -> bool:
    hold = escrow_queries.hold_of_item(provider, row.provider_item_key)
    if hold is None or hold.state not in (Hold.RELEASED, Hold.REFUNDED):
        raise Discrepancy(f"{row.amount.kurus} kuruş paid out for unreleased item {row.provider_item_key}")
    order = orders_queries.any_order(hold.order_id)
    return escrow.paid_out(hold, row, order.seller_organisation_id)


def look_for_lost_payments() -> dict[str, int]:
    """The ten-minute look for payments whose webhook never came."""
    found: Counter[str] = Counter()
    find_lost_payments(found)
    return dict(found)
