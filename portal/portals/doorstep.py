"""The page behind the link in the letter: a parcel is answered without signing in, on a phone, in one tap."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from portal.accounts import queries as accounts_queries
from portal.accounts.guard import open_to_the_world
from portal.core.actor import Actor
from portal.core.errors import BadInput, NotFound
from portal.core.i18n import noted
from portal.core.limits import limited
from portal.core.unit_of_work import atomic
from portal.orders import queries as orders_queries
from portal.portals import answer_form
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.models import DeliveryLink
from portal.shipping.states import ANSWERED
from portal.workflows import delivery

bp = Blueprint("doorstep", __name__, url_prefix="/delivery")
BECAUSE = noted("answered by the link in the letter")


@bp.get("/<signed>")
@open_to_the_world("the link is signed, runs out and works once")
@limited("60/minute")
def show(signed: str) -> str:
    """What came, until when to answer, one button. Looking spends nothing: letters are looked at by machines too."""
    return render_template("doorstep/show.html", **_context(signed))


@bp.post("/<signed>")
@open_to_the_world("the link is signed, runs out and works once")
@limited("20/minute")
def confirm(signed: str) -> Response:
    """Everything is there."""
    link, by = _opened(signed)
    with atomic():
        shipping.use_link(link)
        parcel = shipping_queries.parcel(link.shipment_id)
        delivery.confirm_delivery(parcel.order_id, [parcel.id], by=by, because=BECAUSE, via="LINK")
    return redirect(url_for(".show", signed=signed), code=303)


@bp.get("/<signed>/problem")
@open_to_the_world("the link is signed, runs out and works once")
@limited("60/minute")
def problem_form(signed: str) -> str:
    """Something is missing or damaged."""
    return render_template("buyer/answer.html", errors={}, typed={}, **_context(signed))


@bp.post("/<signed>/problem")
@open_to_the_world("the link is signed, runs out and works once")
@limited("20/minute")
def report(signed: str) -> Response | tuple[str, int]:
    """Line by line."""
    link, by = _opened(signed)
    parcel = shipping_queries.parcel(link.shipment_id)
    try:
        answered = answer_form.read(parcel)
    except BadInput as no:
        return answer_form.again(no, **_context(signed)), 422
    with atomic():
        shipping.use_link(link)
        delivery.answer_line_by_line(parcel, answered.lines, answered.pictures, by=by, note=answered.note, via="LINK")
    return redirect(url_for(".show", signed=signed), code=303)


def _opened(signed: str) -> tuple[DeliveryLink, Actor]:
    link = shipping.open_link(signed)
    person = accounts_queries.active_person(link.person_id)
    if person is None:
        raise NotFound
    g.language = person.language
    return link, Actor(person.full_name, person.id)


def _context(signed: str) -> dict[str, Any]:
    link, _by = _opened(signed)
    parcel = shipping_queries.parcel(link.shipment_id)
    order = orders_queries.any_order(parcel.order_id)
    return {
        "order": order,
        "parcel": parcel,
        "lines": {line.id: line for line in order.lines},
        "said": shipping.answered(parcel) if parcel.state in ANSWERED else [],
        "over": shipping.is_over(link),
        "here": url_for(".show", signed=signed),
        "problem_url": url_for(".problem_form", signed=signed),
    }
