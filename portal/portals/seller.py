"""The seller's pages: prepare, hand over, and where the money is."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask import Response as FlaskResponse
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission
from portal.core import formats
from portal.core.errors import BadInput
from portal.core.i18n import noted
from portal.core.unit_of_work import atomic
from portal.core.web import choice, paged, region, search_words
from portal.despatch import queries as despatch_queries
from portal.disputes import queries as disputes_queries
from portal.escrow import queries as escrow_queries
from portal.ledger import queries as ledger_queries
from portal.orders import queries as orders_queries
from portal.orders.models import Order
from portal.orders.states import ORDER, OrderState
from portal.shipping import queries as shipping_queries
from portal.shipping.models import Shipment
from portal.shipping.services import SHIPPABLE, Piece
from portal.shipping.states import PARCEL, Parcel
from portal.workflows import consignments, delivery

bp = Blueprint("seller", __name__, url_prefix="/seller")

STATES = [state.value for state in OrderState]
TO_SHIP = [OrderState.PAID.value, OrderState.PARTIALLY_SHIPPED.value]
PARCEL_STATES = [state.value for state in Parcel]


@bp.get("/")
@requires(Permission.SALE_SEE_OWN)
def home() -> str:
    """What needs doing now, and where the money is."""
    mine = current_person().organisation_id
    return render_template(
        "seller/home.html",
        disputes=disputes_queries.counts(seller_id=mine),
        to_prepare=paged(orders_queries.orders(seller_id=mine, states=TO_SHIP)).rows[:20],
        packed=shipping_queries.first(["PACKED"], mine),
        on_the_way=shipping_queries.first(["HANDED_OVER"], mine),
        balance=ledger_queries.seller_balance(mine),
        totals=escrow_queries.hold_totals(seller_id=mine),
    )


@bp.get("/orders")
@requires(Permission.SALE_SEE_OWN)
def order_list() -> str:
    """All sales, by state."""
    mine = current_person().organisation_id
    state = choice("state", STATES)
    wanted = orders_queries.orders(seller_id=mine, states=[state] if state else None, search=search_words())
    return render_template(
        "seller/orders.html",
        orders=paged(wanted),
        counts=orders_queries.counts(seller_id=mine),
        state=state,
        machine=ORDER,
        q=search_words(),
    )


@bp.get("/orders/<int:order_id>")
@requires(Permission.SALE_SEE_OWN)
def order(order_id: int) -> str:
    """One sale: lines with the seller's share, parcels with what to do next."""
    found = orders_queries.order_of_seller(current_person().organisation_id, order_id)
    parcels = shipping_queries.parcels_of(order_id)
    ids = [parcel.id for parcel in parcels]
    return render_template(
        "seller/order.html",
        order=found,
        parcels=parcels,
        notes=despatch_queries.notes_of(ids),
        said=shipping_queries.receipt_lines(ids),
        disputes=disputes_queries.of_order(order_id),
        carriers=consignments.choices(),
        lines={line.id: line for line in found.lines},
        history=orders_queries.history("order", [order_id]),
        holds=escrow_queries.holds_of([order_id]),
        may_prepare=found.state in SHIPPABLE and any(line.to_ship for line in found.lines),
    )


@bp.post("/orders/<int:order_id>/shipments")
@requires(Permission.SHIPMENT_PREPARE)
def prepare(order_id: int) -> Response:
    """Give the packers what was counted; nothing counted means everything that is not yet in a parcel."""
    found = orders_queries.order_of_seller(current_person().organisation_id, order_id)
    pieces = _counted(found)
    with atomic():
        delivery.prepare_parcel(
            found.id, by=current_actor(), pieces=pieces, carrier_code=request.form.get("carrier_code") or "manual"
        )
    return _back(found.id, _("The packers have it."))


def _counted(order: Order) -> list[Piece] | None:
    """Fields are named q-<line>; a line that is not named stays where it is."""
    typed = {line.id: request.form.get(f"q-{line.id}", "").strip() for line in order.lines}
    pieces = []
    for line_id, text in typed.items():
        if text and not (text.isascii() and text.isdigit() and len(text) < 10):
            raise BadInput(fields={f"q-{line_id}": _("Write a whole number of pieces.")})
        if text and int(text):
            pieces.append(Piece(line_id, int(text)))
    if not pieces and any(typed.values()):
        raise BadInput(fields={"pieces": _("Choose at least one piece.")})
    return pieces or None


@bp.post("/orders/<int:order_id>/withdrawals")
@requires(Permission.SHIPMENT_PREPARE)
def withdraw(order_id: int) -> Response:
    """What can't be supplied will not be shipped; its money goes back."""
    found = orders_queries.order_of_seller(current_person().organisation_id, order_id)
    pieces = _counted(found)
    if pieces is None:
        raise BadInput(fields={"pieces": _("Choose at least one piece.")})
    because = _clean("because") or noted("the seller cannot supply it")
    with atomic():
        delivery.withdraw_pieces(found.id, pieces, by=current_actor(), because=because)
    return _back(found.id, _("Withdrawn. The money for it goes back to the buyer."))


@bp.get("/shipments")
@requires(Permission.SALE_SEE_OWN)
def shipment_list() -> str:
    """All parcels, by state, with what to do next."""
    mine = current_person().organisation_id
    state = choice("state", PARCEL_STATES)
    wanted = shipping_queries.parcels_of_seller(mine, states=[state] if state else None, search=search_words())
    rows = paged(wanted, row=shipping_queries.ParcelRow)
    return render_template(
        "seller/shipments.html",
        rows=rows,
        notes=despatch_queries.notes_of([row.shipment.id for row in rows.rows]),
        counts=shipping_queries.counts_of_seller(mine),
        state=state,
        machine=PARCEL,
        q=search_words(),
    )


@bp.get("/shipments/<int:shipment_id>")
@requires(Permission.SALE_SEE_OWN)
def shipment(shipment_id: int) -> str:
    """One parcel: where it is, in the carrier's own words, its despatch note and what the buyer said."""
    parcel, order = _mine(shipment_id)
    return render_template(
        "seller/shipment.html",
        parcel=parcel,
        order=order,
        lines={line.id: line for line in order.lines},
        scans=shipping_queries.scans_of(shipment_id),
        watch=shipping_queries.watch_of(shipment_id),
        note=despatch_queries.notes_of([shipment_id]).get(shipment_id),
        said=shipping_queries.receipt_lines([shipment_id]).get(shipment_id, []),
        receipt=shipping_queries.receipt_of(shipment_id),
        disputes=[d for d in disputes_queries.of_order(order.id) if d.shipment_id == shipment_id],
        history=orders_queries.history("shipment", [shipment_id]),
    )


@bp.get("/shipments/<int:shipment_id>/despatch.xml")
@requires(Permission.SALE_SEE_OWN)
def despatch_note(shipment_id: int) -> FlaskResponse:
    """The e-despatch note as it was written (UBL-TR)."""
    parcel, _order = _mine(shipment_id)
    note = despatch_queries.note_with_text(parcel.id)
    named = {"Content-Disposition": f'attachment; filename="{note.number}.xml"'}
    return FlaskResponse(note.ubl, mimetype="application/xml", headers=named)


@bp.post("/shipments/<int:shipment_id>/despatch")
@requires(Permission.SHIPMENT_PREPARE)
def despatch_again(shipment_id: int) -> Response:
    """The papers once more, after what was wrong has been mended."""
    parcel, _order = _mine(shipment_id)
    with atomic():
        delivery.papers_again(parcel.id, by=current_actor())
    return region("", page=url_for(".shipment", shipment_id=shipment_id), toast=_("The papers are sent again."))


@bp.post("/shipments/<int:shipment_id>/loss")
@requires(Permission.SHIPMENT_PREPARE)
def lost(shipment_id: int) -> Response:
    """The parcel is given up; its pieces are to be sent again."""
    parcel, order = _mine(shipment_id)
    because = _clean("because") or noted("the seller gives the parcel up as lost")
    with atomic():
        delivery.parcel_lost(parcel.id, by=current_actor(), because=because)
    return _back(order.id, _("Given up. The pieces can go into another parcel."))


@bp.post("/shipments/<int:shipment_id>/hand-over")
@requires(Permission.SHIPMENT_PREPARE)
def hand_over(shipment_id: int) -> Response:
    """The carrier has it."""
    parcel, order = _mine(shipment_id)
    carrier, tracking = _clean("carrier"), _clean("tracking_number")
    with atomic():
        delivery.hand_over_parcel(parcel.id, carrier=carrier, tracking_number=tracking, by=current_actor())
    return _back(order.id, _("Handed over. The buyer can follow it now."))


@bp.post("/shipments/<int:shipment_id>/delivery")
@requires(Permission.SHIPMENT_DELIVER)
def delivered(shipment_id: int) -> Response:
    """The buyer has it; the days to object begin."""
    parcel, order = _mine(shipment_id)
    with atomic():
        delivery.parcel_delivered(parcel.id, by=current_actor(), because=noted("the seller says it was delivered"))
    return _back(order.id, _("Delivered. The buyer is asked to confirm."))


@bp.post("/shipments/<int:shipment_id>/cancellation")
@requires(Permission.SHIPMENT_PREPARE)
def cancel(shipment_id: int) -> Response:
    """The parcel does not go out; its pieces are free again."""
    parcel, order = _mine(shipment_id)
    because = _clean("because") or noted("the seller took it back")
    with atomic():
        delivery.cancel_parcel(parcel.id, by=current_actor(), because=because)
    return _back(order.id, _("The parcel was cancelled."))


@bp.get("/balance")
@requires(Permission.BALANCE_SEE_OWN)
def balance() -> str:
    """What we owe the seller, row by row, on any day; and what is still held, and why."""
    mine = current_person().organisation_id
    try:
        as_of = formats.read_day(request.args["as_of"], "as_of") if request.args.get("as_of") else None
    except BadInput:
        as_of = None
    return render_template(
        "seller/balance.html",
        balance=ledger_queries.seller_balance(mine, as_of=as_of),
        as_of=as_of,
        rows=paged(ledger_queries.seller_rows(mine, as_of=as_of)),
        held=escrow_queries.waiting_of_seller(mine),
    )


def _mine(shipment_id: int) -> tuple[Shipment, Order]:
    parcel = shipping_queries.parcel(shipment_id)
    return parcel, orders_queries.order_of_seller(current_person().organisation_id, parcel.order_id)


def _clean(name: str) -> str:
    return request.form.get(name, "").strip()[:120]


def _back(order_id: int, toast: str) -> Response:
    return region("", page=url_for(".order", order_id=order_id), toast=toast)
