"""Arguments about pieces, as buyer, seller and finance see them: one page for all three, each with what he may do."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission, Role
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.core.web import choice, paged, region
from portal.disputes import queries as disputes_queries
from portal.disputes import services as disputes
from portal.disputes.pictures import redrawn
from portal.disputes.queries import DisputeRow
from portal.disputes.states import DISPUTE, UNSETTLED, Dispute, Resolution
from portal.orders import queries as orders_queries
from portal.shipping import queries as shipping_queries
from portal.workflows import arguments, delivery

bp = Blueprint("disputes", __name__, url_prefix="/disputes")
STATES = [state.value for state in Dispute]


@bp.get("")
@requires(Permission.DISPUTE_SEE)
def dispute_list() -> str:
    """The most urgent first."""
    state = choice("state", STATES)
    mine = _mine()
    return render_template(
        "disputes/list.html",
        rows=paged(disputes_queries.disputes(states=[state] if state else None, **mine), row=DisputeRow),
        counts=disputes_queries.counts(**mine),
        state=state,
        machine=DISPUTE,
    )


@bp.get("/<int:dispute_id>")
@requires(Permission.DISPUTE_SEE)
def show(dispute_id: int) -> str:
    """What is wrong, what was said, and the ways to end it."""
    row = disputes_queries.dispute(dispute_id, **_mine())
    dispute = row.dispute
    role = Role(current_person().role)
    parcel = shipping_queries.parcel(dispute.shipment_id)
    coming_back = shipping_queries.parcel(dispute.return_shipment_id) if dispute.return_shipment_id else None
    return render_template(
        "disputes/show.html",
        row=row,
        dispute=dispute,
        parcel=parcel,
        coming_back=coming_back,
        conversation=disputes_queries.conversation(dispute_id),
        photos=disputes_queries.photos(dispute_id),
        history=orders_queries.history("dispute", [dispute_id]),
        role=role,
        ways=_ways(role, dispute.offer, dispute.state),
        open=dispute.state in UNSETTLED,
        order_url=_order_url(role, dispute.order_id),
    )


def _ways(role: Role, offer: str, state: str) -> list[Resolution]:
    """The ways this part may end it, in the order in which they are offered."""
    if state not in UNSETTLED:
        return []
    may = arguments.MAY_END_WITH.get(role, set())
    agreed = role != Role.BUYER or offer == Resolution.REPLACEMENT
    return [way for way in Resolution if way in may and (way != Resolution.REPLACEMENT or agreed)]


@bp.post("/<int:dispute_id>/messages")
@requires(Permission.DISPUTE_TALK)
def say(dispute_id: int) -> AnyResponse:
    """One more sentence, and pictures."""
    dispute = disputes_queries.dispute(dispute_id, **_mine()).dispute
    pictures = [redrawn(content) for file in request.files.getlist("photo")[:4] if (content := file.read())]
    body = request.form.get("body", "")
    with atomic():
        already = len(disputes_queries.photos(dispute_id))
        for number, picture in enumerate(pictures):
            disputes.add_photo(dispute, picture, count=already + number, by=current_actor())
        if body.strip() or not pictures:
            disputes.say(dispute, body, role=current_person().role, by=current_actor())
    return _back(dispute_id, _("Written down."))


@bp.post("/<int:dispute_id>/offer")
@requires(Permission.SHIPMENT_PREPARE)
def offer(dispute_id: int) -> AnyResponse:
    """The seller would send new pieces."""
    disputes_queries.dispute(dispute_id, **_mine())
    with atomic():
        arguments.offer_replacement(dispute_id, by=current_actor())
    return _back(dispute_id, _("The buyer is asked whether new pieces will do."))


@bp.post("/<int:dispute_id>/resolution")
@requires(Permission.DISPUTE_SETTLE)
def settle(dispute_id: int) -> AnyResponse:
    """It is over."""
    disputes_queries.dispute(dispute_id, **_mine())
    wanted = request.form.get("resolution", "")
    if wanted not in list(Resolution):
        raise BadInput(fields={"resolution": _("Choose how it ends.")})
    role, resolution = Role(current_person().role), Resolution(wanted)
    because = request.form.get("because", "").strip()
    if role != Role.FINANCE:
        because = because or str(arguments.REASONS[resolution])
    with atomic():
        arguments.settle(
            dispute_id,
            resolution,
            role=role,
            by=current_actor(),
            because=because,
            goods_come_back=request.form.get("goods_come_back") == "1",
        )
    return _back(dispute_id, _("Written down."))


@bp.post("/<int:dispute_id>/return")
@requires(Permission.DISPUTE_TALK)
def goods_on_the_road(dispute_id: int) -> AnyResponse:
    """The buyer has sent the goods back; or the seller has received them."""
    dispute = disputes_queries.dispute(dispute_id, **_mine()).dispute
    role = Role(current_person().role)
    if dispute.return_shipment_id is None:
        raise BadInput(_("Nothing is to be sent back."))
    with atomic():
        if role == Role.BUYER:
            carrier = request.form.get("carrier", "").strip()[:120]
            number = request.form.get("tracking_number", "").strip()[:120]
            delivery.goods_sent_back(
                dispute.return_shipment_id, carrier=carrier, tracking_number=number, by=current_actor()
            )
        else:
            delivery.parcel_delivered(dispute.return_shipment_id, by=current_actor(), because=arguments.GOODS_ARE_BACK)
    return _back(dispute_id, _("Written down."))


@bp.get("/<int:dispute_id>/photos/<int:photo_id>")
@requires(Permission.DISPUTE_SEE)
def photo(dispute_id: int, photo_id: int) -> Response:
    """One picture, written by us."""
    disputes_queries.dispute(dispute_id, **_mine())
    return Response(disputes_queries.photo(dispute_id, photo_id).jpeg, mimetype="image/jpeg")


def _mine() -> dict[str, Any]:
    """Buyer and seller see their own; the platform's people see all."""
    person = current_person()
    match Role(person.role):
        case Role.BUYER:
            return {"buyer_id": person.organisation_id}
        case Role.SELLER:
            return {"seller_id": person.organisation_id}
    return {}


def _order_url(role: Role, order_id: int) -> str:
    match role:
        case Role.BUYER | Role.SELLER:
            return url_for(f"{role}.order", order_id=order_id)
    return url_for("finance.order", order_id=order_id)


def _back(dispute_id: int, toast: str) -> AnyResponse:
    return region("", page=url_for(".show", dispute_id=dispute_id), toast=toast)
