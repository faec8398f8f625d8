"""Finance's pages: what is in trust, what left, what needs a person."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.core import formats
from portal.core.errors import BadInput
from portal.core.money import Money
from portal.core.unit_of_work import atomic
from portal.core.web import choice, paged, region, search_words
from portal.disputes import queries as disputes_queries
from portal.escrow import queries as escrow_queries
from portal.escrow import rules
from portal.escrow.states import HOLD, Hold
from portal.inbox import queries as inbox_queries
from portal.ledger import queries as ledger_queries
from portal.ledger.queries import LedgerFilter, PostingRow
from portal.orders import queries as orders_queries
from portal.orders.states import ORDER, OrderState
from portal.outbox import queries as outbox_queries
from portal.passport import queries as passport_queries
from portal.shipping import queries as shipping_queries
from portal.workflows import payouts, returns

bp = Blueprint("finance", __name__, url_prefix="/finance")

STATES = [state.value for state in OrderState]
HOLD_STATES = [state.value for state in Hold]


@bp.get("/")
@requires(Permission.MONEY_SEE)
def home() -> str:
    """Money in trust, and what needs a person."""
    return render_template(
        "finance/home.html",
        totals=escrow_queries.hold_totals(),
        balances=ledger_queries.balances(),
        inbox=inbox_queries.counts(),
        waiting_for_a_person=outbox_queries.waiting_for_a_person(),
        not_released=len(orders_queries.with_money_to_follow(1000)),
        disputes=disputes_queries.counts(),
        runs=escrow_queries.last_reconciliations(5),
    )


@bp.post("/reconciliations")
@requires(Permission.RECONCILE)
def reconcile() -> Response:
    """Ask the provider now."""
    found = payouts.reconcile(by=current_actor())
    repaired = found.get("releases_found", 0) + found.get("payments_found", 0) + found.get("paid_out", 0)
    return region("", page=url_for(".home"), toast=_("Asked. %(n)d things were brought up to date.", n=repaired))


@bp.get("/orders")
@requires(Permission.MONEY_SEE)
def order_list() -> str:
    """Every order, by state."""
    state = choice("state", STATES)
    return render_template(
        "finance/orders.html",
        orders=paged(orders_queries.orders(states=[state] if state else None, search=search_words())),
        counts=orders_queries.counts(),
        state=state,
        machine=ORDER,
        q=search_words(),
    )


@bp.get("/orders/<int:order_id>")
@requires(Permission.MONEY_SEE)
def order(order_id: int) -> str:
    """Everything about one order's money."""
    found = orders_queries.any_order(order_id)
    holds = escrow_queries.holds_of([order_id])
    return render_template(
        "finance/order.html",
        order=found,
        holds=holds,
        lines={line.id: line for line in found.lines},
        refunds=escrow_queries.refunds_of([hold.id for hold in holds]),
        payments=escrow_queries.payments_of(found.checkout_id),
        parcels=shipping_queries.parcels_of(order_id),
        disputes=disputes_queries.of_order(order_id),
        history=orders_queries.history("order", [order_id]) + orders_queries.history("payout", [order_id]),
    )


@bp.get("/holds")
@requires(Permission.MONEY_SEE)
def holds() -> str:
    """Money we hold for others, oldest first: the list the accountant opens in the morning."""
    state = choice("state", HOLD_STATES)
    return render_template(
        "finance/holds.html",
        rows=paged(escrow_queries.held_rows(states=[state] if state else None), row=escrow_queries.HeldRow),
        counts=escrow_queries.hold_counts(),
        totals=escrow_queries.hold_totals(),
        state=state,
        machine=HOLD,
    )


@bp.get("/holds/<int:hold_id>/refund")
@requires(Permission.REFUND_ASK)
def refund_form(hold_id: int) -> str:
    """How much goes back, and who gives how much of it."""
    return render_template("finance/refund.html", **_refund_context(hold_id, request.args.get("amount", "")))


@bp.post("/holds/<int:hold_id>/refund")
@requires(Permission.REFUND_ASK)
def refund(hold_id: int) -> Response | tuple[str, int]:
    """Give money back. What cannot be read is asked again, with what was typed."""
    escrow_queries.hold(hold_id)
    typed, because = request.form.get("amount", ""), request.form.get("because", "")[:500]
    try:
        amount = formats.read_lira(typed)
        with atomic():
            asked = returns.refund(hold_id, amount, by=current_actor(), because=because)
    except BadInput as wrong:
        context = _refund_context(hold_id, typed) | {"errors": wrong.fields, "because": because}
        return render_template("finance/refund.html", **context), 422
    toast = _("%(amount)s is on its way back.", amount=formats.money(asked.amount_kurus))
    order_id = escrow_queries.hold(hold_id).order_id
    return region("", page=url_for(".order", order_id=order_id), toast=toast)


def _refund_context(hold_id: int, typed: str) -> dict[str, Any]:
    hold = escrow_queries.hold(hold_id)
    return {
        "hold": hold,
        "order": orders_queries.any_order(hold.order_id),
        "typed": typed,
        "left": hold.amount_kurus - hold.refunded_kurus,
        "preview": _preview(hold, typed),
        "errors": {},
        "because": "",
    }


def _preview(hold: Any, typed: str) -> rules.RefundParts | None:
    try:
        amount = formats.read_lira(typed)
    except BadInput:
        return None
    if not 0 < amount.kurus <= hold.amount_kurus - hold.refunded_kurus:
        return None
    return rules.refund_parts(
        amount,
        amount=Money(hold.amount_kurus),
        seller_share=Money(hold.seller_share_kurus),
        refunded=Money(hold.refunded_kurus),
        refunded_seller=Money(hold.refunded_seller_kurus),
    )


@bp.get("/payouts")
@requires(Permission.PAYOUT_SEE)
def payout_list() -> str:
    """Releases: asked for, approved, and when the bank got them."""
    state = choice("state", ["RELEASING", "RELEASED", "HELD", "REFUNDED"])
    return render_template(
        "finance/payouts.html",
        rows=paged(escrow_queries.payout_rows(states=[state] if state else None), row=escrow_queries.PayoutRow),
        state=state,
        states=["RELEASING", "RELEASED"],
        machine=HOLD,
    )


@bp.get("/ledger")
@requires(Permission.LEDGER_SEE)
def ledger() -> str:
    """The trial balance as of a day, and the postings behind it."""
    wrong = {}
    try:
        until = formats.read_day(request.args["until"], "until") if request.args.get("until") else None
    except BadInput as unreadable:
        until, wrong = None, unreadable.fields
    number = request.args.get("order", "")
    wanted = LedgerFilter(
        account=search_words("account") or None,
        order_id=int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None,
        until_on=until,
    )
    return render_template(
        "finance/ledger.html",
        balances=ledger_queries.balances(as_of=until),
        rows=paged(ledger_queries.postings(wanted), row=PostingRow),
        filter=wanted,
        errors=wrong,
    )


@bp.get("/ledger/entries/<int:entry_id>")
@requires(Permission.LEDGER_SEE)
def entry(entry_id: int) -> str:
    """One entry with its postings."""
    found = passport_queries.entry_of(entry_id)
    rows = ledger_queries.rows_of(ledger_queries.postings(LedgerFilter(entry_id=entry_id)))
    return render_template("finance/entry.html", entry=found, rows=rows)
