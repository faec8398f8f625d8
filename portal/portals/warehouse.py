"""The packer's pages: big targets, one thing at a time."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.core.web import choice, paged, region
from portal.orders import queries as orders_queries
from portal.shipping import queries as shipping_queries
from portal.shipping.states import PARCEL
from portal.stock import lists as stock_lists
from portal.workflows import delivery, set_aside

bp = Blueprint("warehouse", __name__, url_prefix="/warehouse")

STATES = ["PLANNED", "PACKED", "HANDED_OVER"]


@bp.get("/")
@requires(Permission.PACKING_SEE)
def home() -> str:
    """Parcels to pack, packed, and gone."""
    state = choice("state", STATES, "PLANNED")
    return render_template(
        "warehouse/home.html",
        parcels=paged(shipping_queries.parcels(states=[state]), row=shipping_queries.ParcelRow),
        counts=shipping_queries.counts(),
        state=state,
        states=STATES,
        machine=PARCEL,
        needs=stock_lists.needs(str(current_app.config["RETURNS_SHELF"])),
    )


@bp.get("/shipments/<int:shipment_id>")
@requires(Permission.PACKING_SEE)
def parcel(shipment_id: int) -> str:
    """What goes into the box."""
    found = shipping_queries.parcel(shipment_id)
    order = orders_queries.any_order(found.order_id)
    return render_template(
        "warehouse/parcel.html", parcel=found, order=order, lines={line.id: line for line in order.lines}
    )


@bp.post("/shipments/<int:shipment_id>/packing")
@requires(Permission.SHIPMENT_PACK)
def pack(shipment_id: int) -> Response:
    """Every piece is ticked, and the box is closed."""
    found = shipping_queries.parcel(shipment_id)
    missing = [item for item in found.items if f"line-{item['line_id']}" not in request.form]
    if missing:
        raise BadInput(fields={"lines": _("Tick every line that is in the box.")})
    by = current_actor()
    with set_aside.shortages_noted(by=by), atomic():
        delivery.pack_parcel(shipment_id, by=by)
    return region("", page=url_for(".parcel", shipment_id=shipment_id), toast=_("Packed."))


@bp.post("/shipments/<int:shipment_id>/hand-over")
@requires(Permission.SHIPMENT_PACK)
def hand_over(shipment_id: int) -> Response:
    """The carrier has it."""
    carrier, tracking = (request.form.get(n, "").strip()[:120] for n in ("carrier", "tracking_number"))
    with atomic():
        delivery.hand_over_parcel(shipment_id, carrier=carrier, tracking_number=tracking, by=current_actor())
    return redirect(url_for(".home"), code=303)
