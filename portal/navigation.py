"""What each part finds at the top of every page."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import request
from flask_babel import lazy_gettext as _l

from portal.accounts.models import Person
from portal.accounts.roles import Role


class NavItem(NamedTuple):
    """A place to go."""

    label: Any
    url: str
    current: bool
    waiting: int | None = None


_MONEY = [
    (_l("Today"), "/finance/"),
    (_l("Orders"), "/finance/orders"),
    (_l("In trust"), "/finance/holds"),
    (_l("Disputes"), "/disputes"),
    (_l("Payouts"), "/finance/payouts"),
    (_l("Ledger"), "/finance/ledger"),
    (_l("Reports"), "/reports/"),
    (_l("Pictures"), "/media/"),
]
_MACHINES = [
    (_l("Health"), "/admin/"),
    (_l("Inbox"), "/admin/inbox"),
    (_l("Outbox"), "/admin/outbox"),
    (_l("Parcels"), "/admin/parcels"),
    (_l("Letters"), "/admin/mail"),
    (_l("Schedules"), "/admin/schedules/"),
    (_l("Audit trail"), "/admin/audit"),
]
PLACES: dict[Role, list[tuple[Any, str]]] = {
    Role.BUYER: [
        (_l("Today"), "/buyer/"),
        (_l("Products"), "/buyer/offers"),
        (_l("Orders"), "/buyer/orders"),
        (_l("Disputes"), "/disputes"),
    ],
    Role.SELLER: [
        (_l("Today"), "/seller/"),
        (_l("Sales"), "/seller/orders"),
        (_l("Parcels"), "/seller/shipments"),
        (_l("Disputes"), "/disputes"),
        (_l("Balance"), "/seller/balance"),
        (_l("Reports"), "/reports/"),
        (_l("Pictures"), "/media/"),
    ],
    Role.PACKER: [(_l("Parcels"), "/warehouse/"), (_l("Pictures"), "/media/")],
    Role.FINANCE: [*_MONEY, *_MACHINES],
    Role.BROKER: [*_MONEY, *_MACHINES],
    Role.ADMIN: [
        *_MACHINES,
        (_l("Errors"), "/admin/troubles"),
        (_l("Personal data"), "/admin/privacy/"),
        (_l("Ledger"), "/finance/ledger"),
        (_l("Reports"), "/reports/"),
        (_l("Pictures"), "/media/"),
    ],
}


def items_for(person: Person) -> list[NavItem]:
    """The places of one's part; the longest address that fits is where we are."""
    places = PLACES[Role(person.role)]
    here = max((url for _label, url in places if request.path.startswith(url)), key=len, default="")
    return [NavItem(label, url, url == here) for label, url in places]
