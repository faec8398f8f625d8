"""The buyer's pages: order, pay, confirm."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import queries as accounts_queries
from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission
from portal.core import idempotency
from portal.core.errors import BadInput
from portal.core.i18n import noted
from portal.core.unit_of_work import atomic
from portal.core.web import choice, paged, region, search_words, wants_region
from portal.despatch import queries as despatch_queries
from portal.disputes import queries as disputes_queries
from portal.escrow import queries as escrow_queries
from portal.inbox import queries as inbox_queries
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.states import ORDER, OrderState
from portal.portals import answer_form
from portal.shipping import queries as shipping_queries
from portal.shipping.states import ANSWERED, CONFIRMABLE
from portal.workflows import checkout as checkout_story
from portal.workflows import delivery, returns

bp = Blueprint("buyer", __name__, url_prefix="/buyer")

STATES = [state.value for state in OrderState]
ON_ITS_WAY = [OrderState.PARTIALLY_SHIPPED.value, OrderState.SHIPPED.value, OrderState.DELIVERED.value]


@bp.get("/")
@requires(Permission.ORDER_SEE_OWN)
def home() -> str:
    """What needs doing now: to pay, to confirm."""
    mine = current_person().organisation_id
    return render_template(
        "buyer/home.html",
        to_confirm=shipping_queries.awaiting_buyer(mine),
        to_pay=paged(orders_queries.orders(buyer_id=mine, states=[OrderState.PENDING_PAYMENT])).rows[:10],
        recent=paged(orders_queries.orders(buyer_id=mine)).rows[:10],
    )


@bp.get("/offers")
@requires(Permission.ORDER_PLACE)
def offers() -> str:
    """What can be ordered."""
    words = search_words()
    return render_template("buyer/offers.html", offers=orders_queries.offers(words), q=words)


@bp.post("/orders")
@requires(Permission.ORDER_PLACE)
def place() -> Response:
    """The basket becomes a checkout; the same form sent twice is one basket."""
    person = current_person()
    lines = _wanted_lines()
    key = request.form.get("once", "")
    with atomic():
        content = [line._asdict() for line in lines]
        answer = idempotency.first_answer(person_id=person.id, action="order form", key=key, content=content)
        if answer is None:
            placed = checkout_story.place(lines, buyer=person, by=current_actor())
            answer = {"checkout": str(placed.public_key)}
            idempotency.remember_answer(person_id=person.id, action="order form", key=key, answer=answer)
    return redirect(url_for(".checkout", public_key=answer["checkout"]), code=303)


def _wanted_lines() -> list[orders.WantedLine]:
    """Fields are named q-<offer>: the offers decide barcode and seller, nothing else is believed."""
    lines = []
    by_id = {str(offer.id): offer for offer in orders_queries.offers()}
    for name, value in request.form.items():
        offer = by_id.get(name.removeprefix("q-")) if name.startswith("q-") else None
        if offer is None or not value.strip() or value.strip() == "0":
            continue
        if not (value.strip().isascii() and value.strip().isdigit() and int(value.strip()[:9]) <= 100_000):
            raise BadInput(fields={name: _("Write a whole number of pieces, 100,000 at most.")})
        lines.append(orders.WantedLine(offer.barcode, int(value), offer.seller_organisation_id))
    if not lines:
        raise BadInput(fields={"lines": _("Choose at least one product.")})
    return lines


@bp.get("/checkouts/<uuid:public_key>")
@requires(Permission.ORDER_SEE_OWN)
def checkout(public_key: uuid.UUID) -> str:
    """A basket and how far its payment is; the region alone when htmx looks again."""
    found = orders_queries.checkout_of_buyer(current_person().organisation_id, public_key)
    payments = escrow_queries.payments_of(found.id)
    returned = bool(request.args.get("returned")) and bool(payments) and payments[0].state == "OPEN"
    waiting = returned and inbox_queries.is_thought_about(f"token:{payments[0].provider_token}")
    context: dict[str, Any] = {
        "checkout": found,
        "payment": payments[0] if payments else None,
        "waiting": waiting,
        "gave_up": returned and not waiting,
        "payable": all(order.state == OrderState.PENDING_PAYMENT for order in found.orders),
    }
    template = "buyer/_payment.html" if wants_region() else "buyer/checkout.html"
    return render_template(template, **context)


@bp.post("/checkouts/<uuid:public_key>/payment")
@requires(Permission.PAYMENT_MAKE)
def pay(public_key: uuid.UUID) -> Response:
    """On to the provider's page."""
    person = current_person()
    found = orders_queries.checkout_of_buyer(person.organisation_id, public_key)
    organisation = accounts_queries.organisation(person.organisation_id)
    ip = request.remote_addr or "127.0.0.1"
    return redirect(checkout_story.payment_page(found, person, organisation, ip=ip, by=current_actor()), code=303)


@bp.get("/orders")
@requires(Permission.ORDER_SEE_OWN)
def order_list() -> str:
    """All orders, by state."""
    mine = current_person().organisation_id
    state = choice("state", STATES)
    wanted = orders_queries.orders(buyer_id=mine, states=[state] if state else None, search=search_words())
    return render_template(
        "buyer/orders.html",
        orders=paged(wanted),
        counts=orders_queries.counts(buyer_id=mine),
        state=state,
        machine=ORDER,
        q=search_words(),
    )


@bp.get("/orders/<int:order_id>")
@requires(Permission.ORDER_SEE_OWN)
def order(order_id: int) -> str:
    """One order: lines, parcels, history."""
    found = orders_queries.order_of_buyer(current_person().organisation_id, order_id)
    parcels = shipping_queries.parcels_of(order_id)
    return render_template(
        "buyer/order.html",
        order=found,
        parcels=parcels,
        notes=despatch_queries.notes_of([p.id for p in parcels]),
        disputes=disputes_queries.of_order(order_id),
        history=orders_queries.history("order", [order_id]),
        may_cancel=found.state in (OrderState.PENDING_PAYMENT, OrderState.PAID) and not _live(parcels),
        may_confirm=any(p.state in ("HANDED_OVER", "DELIVERED") and p.direction == "OUT" for p in parcels),
    )


def _live(parcels: list[Any]) -> bool:
    return any(parcel.state != "CANCELLED" for parcel in parcels)


@bp.post("/orders/<int:order_id>/cancellation")
@requires(Permission.ORDER_CANCEL_OWN)
def cancel(order_id: int) -> Response:
    """Before a parcel is prepared, every kuruş goes back."""
    found = orders_queries.order_of_buyer(current_person().organisation_id, order_id)
    because = request.form.get("because", "").strip()[:500] or noted("the buyer cancelled")
    with atomic():
        returns.cancel_order(found.id, by=current_actor(), because=because)
    return region("", page=url_for(".order", order_id=order_id), toast=_("Cancelled. What was paid goes back."))


@bp.get("/orders/<int:order_id>/delivery")
@requires(Permission.DELIVERY_CONFIRM)
def confirmation(order_id: int) -> str:
    """The phone page: what came, until when to answer, one button."""
    found = orders_queries.order_of_buyer(current_person().organisation_id, order_id)
    parcels = [p for p in shipping_queries.parcels_of(order_id) if p.state in CONFIRMABLE and p.direction == "OUT"]
    return render_template(
        "buyer/delivery.html",
        order=found,
        parcels=parcels,
        lines={line.id: line for line in found.lines},
        said=shipping_queries.receipt_lines([p.id for p in parcels]),
        disputes=disputes_queries.of_order(order_id),
        open_parcels=[p for p in parcels if p.state not in ANSWERED],
    )


@bp.post("/orders/<int:order_id>/delivery")
@requires(Permission.DELIVERY_CONFIRM)
def confirm(order_id: int) -> Response:
    """ "Teslim aldım": all parcels on their way, or the named one."""
    found = orders_queries.order_of_buyer(current_person().organisation_id, order_id)
    named = request.form.get("shipment_id", "")
    chosen = [int(named)] if named.isascii() and named.isdigit() and len(named) < 19 else None
    with atomic():
        delivery.confirm_delivery(found.id, chosen, by=current_actor(), because=noted("the buyer confirmed"))
    return redirect(url_for(".confirmation", order_id=order_id), code=303)


@bp.get("/shipments/<int:shipment_id>/answer")
@requires(Permission.DELIVERY_CONFIRM)
def problem_form(shipment_id: int) -> str:
    """Something is missing or damaged: line by line."""
    return render_template("buyer/answer.html", errors={}, typed={}, **_parcel_page(shipment_id))


@bp.post("/shipments/<int:shipment_id>/answer")
@requires(Permission.DELIVERY_CONFIRM)
def report(shipment_id: int) -> Response | tuple[str, int]:
    """What was accepted is paid for; about the rest the seller is asked."""
    context = _parcel_page(shipment_id)
    parcel = context["parcel"]
    try:
        answered = answer_form.read(parcel)
    except BadInput as no:
        return answer_form.again(no, **context), 422
    with atomic():
        delivery.answer_line_by_line(
            parcel, answered.lines, answered.pictures, by=current_actor(), note=answered.note, via="PAGE"
        )
    return redirect(url_for(".confirmation", order_id=parcel.order_id), code=303)


def _parcel_page(shipment_id: int) -> dict[str, Any]:
    parcel = shipping_queries.parcel(shipment_id)
    order = orders_queries.order_of_buyer(current_person().organisation_id, parcel.order_id)
    return {
        "order": order,
        "parcel": parcel,
        "lines": {line.id: line for line in order.lines},
        "over": parcel.state not in ("HANDED_OVER", "DELIVERED"),
        "here": url_for(".confirmation", order_id=order.id),
        "problem_url": url_for(".problem_form", shipment_id=shipment_id),
    }
