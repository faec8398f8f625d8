"""What people hear by mail: written down with the deed, sent after it."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_babel import force_locale, gettext

from portal.accounts import queries as accounts_queries
from portal.accounts.models import Person
from portal.disputes.models import PieceDispute
from portal.mail import services as mail
from portal.orders import queries as orders_queries
from portal.orders.models import Order
from portal.shipping import services as shipping
from portal.shipping.models import Shipment


def parcel_is_here(shipment: Shipment, order: Order) -> None:
    """The buyer hears that a parcel has arrived, with a link that answers it without signing in."""
    buyer = accounts_queries.active_person(orders_queries.placed_by(order.id))
    if buyer is None or shipment.direction != "OUT":
        return
    signed = shipping.give_link(shipment, person_id=buyer.id)
    with force_locale(buyer.language):
        subject = gettext("Your parcel is here: %(number)s / %(n)d", number=order.number, n=shipment.sequence)
        _write(
            f"delivered:{shipment.id}",
            buyer,
            subject,
            "delivered",
            about=("shipment", shipment.id),
            order=order,
            parcel=shipment,
            lines={line.id: line for line in orders_queries.lines_of(order.id)},
            url=f"{current_app.config['PORTAL_URL']}/delivery/{signed}",
        )


def something_is_wrong(dispute: PieceDispute, order: Order) -> None:
    """The seller's people hear that the buyer objects, and until when they can settle it among themselves."""
    for seller in accounts_queries.people_of(order.seller_organisation_id):
        with force_locale(seller.language):
            subject = gettext("%(number)s: the buyer objects to a delivery", number=order.number)
            _write(
                f"dispute:{dispute.id}:{seller.id}",
                seller,
                subject,
                "dispute",
                about=("dispute", dispute.id),
                order=order,
                dispute=dispute,
                line=next(line for line in orders_queries.lines_of(order.id) if line.id == dispute.order_line_id),
                url=f"{current_app.config['PORTAL_URL']}/disputes/{dispute.id}",
            )


def _write(key: str, person: Person, subject: str, template: str, *, about: tuple[str, object], **context: Any) -> None:
    mail.write(
        key,
        to=person.email,
        person_id=person.id,
        language=person.language,
        subject=subject,
        text=_page(f"mail/{template}.txt", person=person, **context),
        html=_page(f"mail/{template}.html", person=person, subject=subject, **context),
        about=about,
    )


def _page(template: str, **context: Any) -> str:
    """Without what pages know of the visitor: a letter is often written where nobody visits."""
    return current_app.jinja_env.get_template(template).render(**context)
