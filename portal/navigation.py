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


class NavGroup(NamedTuple):
    """Places under one heading that opens; `current` when we are at one of them."""

    label: Any
    places: list[NavItem]
    current: bool


Place = tuple[Any, str]
_TODAY = (_l("Today"), "/finance/")
_COMMISSION = (_l("Sales commission"), "/admin/commission/")
_AGING = (_l("Aging"), "/finance/aging")
_DISPUTES = (_l("Disputes"), "/disputes")
_LEDGER = (_l("Ledger"), "/finance/ledger")
_REPORTS = (_l("Reports"), "/reports/")
_PICTURES = (_l("Pictures"), "/media/")
_MONEY = (
    _l("Money"),
    [
        (_l("Orders"), "/finance/orders"),
        (_l("In trust"), "/finance/holds"),
        (_l("Payouts"), "/finance/payouts"),
        _LEDGER,
    ],
)
_MACHINES = [
    (_l("Health"), "/admin/"),
    (_l("Inbox"), "/admin/inbox"),
    (_l("Outbox"), "/admin/outbox"),
    (_l("Parcels"), "/admin/parcels"),
    (_l("Letters"), "/admin/mail"),
    (_l("Schedules"), "/admin/schedules/"),
    (_l("Audit trail"), "/admin/audit"),
]
_RUNNING = (_l("Operations"), _MACHINES)
_STOCK = (_l("Stock"), "/warehouse/items")
_MARKETPLACES = (_l("Marketplaces"), "/warehouse/marketplace")
_STOREFRONT_STOCK = (_l("Storefront stock"), "/warehouse/push/")
_STOCKROOM = [
    _STOCK,
    (_l("Goods in"), "/warehouse/receipt"),
    (_l("Counting"), "/warehouse/count"),
    (_l("Moving"), "/warehouse/transfer"),
    (_l("Shelves"), "/warehouse/shelves"),
]
# What each part does all day stands in the open, the rest under a heading.
PLACES: dict[Role, list[Place | tuple[Any, list[Place]]]] = {
    Role.BUYER: [
        (_l("Today"), "/buyer/"),
        (_l("Products"), "/buyer/offers"),
        (_l("Orders"), "/buyer/orders"),
        _DISPUTES,
    ],
    Role.SELLER: [
        (_l("Today"), "/seller/"),
        (_l("Sales"), "/seller/orders"),
        (_l("Parcels"), "/seller/shipments"),
        _DISPUTES,
        (_l("Balance"), "/seller/balance"),
        _REPORTS,
        _PICTURES,
    ],
    Role.PACKER: [
        (_l("Packing"), "/packing/"),
        (_l("Parcels"), "/warehouse/"),
        (_l("Stockroom"), _STOCKROOM),
        _MARKETPLACES,
        _STOREFRONT_STOCK,
        _PICTURES,
    ],
    Role.FINANCE: [
        _TODAY,
        _MONEY,
        _DISPUTES,
        _COMMISSION,
        _AGING,
        _REPORTS,
        (_l("Warehouse"), [_STOCK, _MARKETPLACES, _PICTURES]),
        _RUNNING,
    ],
    Role.BROKER: [
        _TODAY,
        (_l("My commission"), "/commission/"),
        _MONEY,
        _DISPUTES,
        _COMMISSION,
        _AGING,
        _REPORTS,
        (_l("Warehouse"), [_STOCK, _PICTURES]),
        _RUNNING,
    ],
    Role.ADMIN: [
        *_MACHINES[:3],
        (
            _l("Operations"),
            [*_MACHINES[3:], (_l("Errors"), "/admin/troubles"), (_l("Personal data"), "/admin/privacy/")],
        ),
        (_l("Money"), [_LEDGER, _COMMISSION, _AGING]),
        (_l("Warehouse"), [*_STOCKROOM, _MARKETPLACES, _STOREFRONT_STOCK, _PICTURES]),
        _REPORTS,
    ],
}


def items_for(person: Person) -> list[NavItem | NavGroup]:
    """The places of one's part; the longest address that fits is where we are."""
    places = PLACES[Role(person.role)]
    urls = [
        url for _label, inside in places for url in ([inside] if isinstance(inside, str) else dict(inside).values())
    ]
    here = max((url for url in urls if request.path.startswith(url)), key=len, default="")
    return [_shown(label, inside, here) for label, inside in places]


def _shown(label: Any, inside: str | list[Place], here: str) -> NavItem | NavGroup:
    if isinstance(inside, str):
        return NavItem(label, inside, inside == here)
    items = [NavItem(name, url, url == here) for name, url in inside]
    return NavGroup(label, items, any(item.current for item in items))
