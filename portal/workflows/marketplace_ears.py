"""Whether storefronts still tell us what happens: they switch a webhook off when we were away for too long."""

from __future__ import annotations

from flask import current_app
from loguru import logger

from portal.core.ports import port
from portal.core.unit_of_work import atomic
from portal.marketplace import services as marketplace
from portal.marketplace.ports import Ear, Storefronts


def keep_listening(storefront: str) -> Ear | None:
    """Once an hour, with the comparison. Nothing where a storefront sends no messages.

    Messages are hints: while they did not come, the packages were read every five minutes all the same.
    """
    webhooks = port(Storefronts).webhooks.get(storefront)
    if webhooks is None:
        return None
    said = webhooks.keep_on(f"{current_app.config['PORTAL_URL']}/api/webhooks/storefronts/{storefront}")
    if said.ear is not Ear.ON:
        logger.warning("{}: messages {} {}", storefront, said.ear.value, said.why)
    with atomic():
        marketplace.note_ear(storefront, said)
    return said.ear
