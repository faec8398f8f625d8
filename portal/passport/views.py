"""One click from any amount to its whole chain."""

from __future__ import annotations

from flask import Blueprint, render_template

from portal.accounts import roles
from portal.accounts.guard import current_person, requires
from portal.accounts.roles import Permission, Role
from portal.orders import queries as orders_queries
from portal.orders.models import Order
from portal.passport import queries

bp = Blueprint("passport", __name__, url_prefix="/passport")


@bp.get("/<kind>/<int:subject_id>")
@requires(Permission.MONEY_SEE, Permission.ORDER_SEE_OWN, Permission.SALE_SEE_OWN)
def show(kind: str, subject_id: int) -> str:
    """The chain, with the step you came from marked. Somebody else's does not exist."""
    order = _visible(queries.order_of(kind, subject_id))
    with_split = current_person().role != Role.BUYER
    passport = queries.passport_of(order, with_split=with_split)
    return render_template(
        "passport/show.html", passport=passport, order=order, came_from=(kind, subject_id), with_split=with_split
    )


def _visible(order_id: int) -> Order:
    person = current_person()
    if roles.may(person.role, Permission.MONEY_SEE):
        return orders_queries.any_order(order_id)
    if person.role == Role.SELLER:
        return orders_queries.order_of_seller(person.organisation_id, order_id)
    return orders_queries.order_of_buyer(person.organisation_id, order_id)
