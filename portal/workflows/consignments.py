"""Parcels and their carriers: announced, taken back, followed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.accounts import queries as accounts_queries
from portal.accounts.models import Organisation
from portal.core.actor import Actor
from portal.core.errors import BadInput
from portal.core.ports import known
from portal.orders.models import Order
from portal.outbox import services as outbox
from portal.shipping import services as shipping
from portal.shipping.models import Shipment
from portal.shipping.ports import Address, Carrier, Carriers, Consignment

MANUAL = "manual"


def choices() -> list[tuple[str, str]]:
    """The carriers a seller can choose from: code and name."""
    return [(code, found.title) for code, found in known(Carriers).by_code.items()]


def carrier(code: str) -> Carrier:
    """A carrier by its code. Refuses one we do not work with."""
    found = known(Carriers).by_code.get(code)
    if found is None:
        raise BadInput(fields={"carrier_code": _l("We do not work with this carrier.")})
    return found


def title_of(shipment: Shipment) -> str:
    """The carrier's name, where the seller does not type it himself."""
    return "" if shipment.carrier_code == MANUAL else carrier(shipment.carrier_code).title


def announce(shipment: Shipment, order: Order, *, by: Actor) -> None:
    """Tell the carrier about a packed parcel."""
    if shipment.carrier_code != MANUAL:
        _intend("create_consignment", shipment, asdict(consignment_of(shipment, order)), by)


def take_back(shipment: Shipment, *, by: Actor, again: bool = False) -> None:
    """Tell the carrier that a parcel does not come."""
    if shipment.carrier_code != MANUAL:
        _intend("cancel_consignment", shipment, {"key": shipment.key}, by, suffix=":again" if again else "")


def follow(shipment: Shipment) -> None:
    """From now on the carrier is asked where it is."""
    if shipment.carrier_code != MANUAL:
        shipping.watch(shipment)


def _intend(operation: str, shipment: Shipment, request: dict[str, Any], by: Actor, *, suffix: str = "") -> None:
    outbox.intend(
        operation,
        provider=shipment.carrier_code,
        key=f"{operation}:{shipment.id}{suffix}",
        subject=("shipment", shipment.id),
        request=request,
        by=by,
    )


def consignment_of(shipment: Shipment, order: Order) -> Consignment:
    """The parcel as a carrier wants to know it."""
    seller = accounts_queries.organisation(order.seller_organisation_id)
    buyer = accounts_queries.organisation(order.buyer_organisation_id)
    return Consignment(
        key=shipment.key,
        order_number=order.number,
        sender=_address(seller),
        receiver=_address(buyer),
        content=f"{order.number} / {shipment.sequence}",
    )


def _address(organisation: Organisation) -> Address:
    return Address(
        name=organisation.legal_title,
        address=organisation.address,
        district=organisation.district,
        city=organisation.city,
        postal_code=organisation.postal_code,
        phone=organisation.phone,
        email=organisation.email,
        tax_number=organisation.tax_number,
    )
