"""A link by which a parcel is answered without signing in: signed, it runs out, and it works once."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app
from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import update

from portal.core import clock
from portal.core.database import db
from portal.core.errors import NotFound, Refusal
from portal.shipping.models import DeliveryLink, Shipment

DAYS = 14


class LinkIsOver(Refusal):
    """The link has run out or was used."""

    status = 410
    code = "link_is_over"

    def __init__(self) -> None:
        super().__init__(_l("This link has run out or was already used. Please sign in to see the order."))


def give_link(shipment: Shipment, *, person_id: int) -> str:
    """A new link for one person and one parcel, as the text that goes into the address."""
    link = DeliveryLink(shipment_id=shipment.id, person_id=person_id, expires_at=clock.now() + timedelta(days=DAYS))
    db.session.add(link)
    db.session.flush()
    return str(_signer().dumps(link.id))


def open_link(signed: str) -> DeliveryLink:
    """The link behind the text, whether or not it still works. A text that is not ours does not exist."""
    try:
        link_id = _signer().loads(signed)
    except BadSignature:
        raise NotFound from None
    found = db.session.get(DeliveryLink, link_id, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def is_over(link: DeliveryLink) -> bool:
    """Whether it has run out or was used."""
    return link.used_at is not None or link.expires_at <= clock.now()


def use_link(link: DeliveryLink) -> None:
    """Spend it: of two taps at once, one gets through."""
    spent = db.session.execute(
        update(DeliveryLink)
        .where(DeliveryLink.id == link.id, DeliveryLink.used_at.is_(None), DeliveryLink.expires_at > clock.now())
        .values(used_at=clock.now())
        .returning(DeliveryLink.id)
    ).scalar()
    if spent is None:
        raise LinkIsOver


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="delivery-link")
