"""A marketplace package's label: its cargo barcode and whom it is for. Only for what was checked piece by piece.

Their own common label comes only for some carriers (Trendyol Express and Aras, where Trendyol pays); the tracking number
as Code 128 with name and address is what every carrier of theirs scans.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l

from portal.accounts import queries as accounts_queries
from portal.core.errors import Refusal
from portal.marketplace import queries as marketplace_queries
from portal.marketplace import services as marketplace
from portal.marketplace.models import StorefrontPackage
from portal.marketplace.states import ON_THEIR_WAY
from portal.shipping.labels import Label, fits
from portal.workflows.labels import NotPackedYet
from portal.workflows.marketplace_orders import title_of


class NoCargoBarcode(Refusal):
    """The marketplace has not given the package a tracking number that can be printed."""

    code = "no_cargo_barcode"


class LabelsComeLater(Refusal):
    """The package was split: the marketplace makes a package, with a barcode of its own, of each box."""

    code = "labels_come_later"


def goes_out(package: StorefrontPackage) -> list[StorefrontPackage]:
    """The packages that stand for it now: itself, or what the marketplace made of it, as far as we know them."""
    found = marketplace_queries.successors_of(package) if package.superseded else [package]
    return [one for one in found if has_label(one)]


def has_label(package: StorefrontPackage) -> bool:
    """Packed, not split again, and its barcode is known."""
    return _checked(package) and not package.superseded and fits(package.cargo_tracking_number)


def labels_of(package_ids: Sequence[int], *, sender_id: int) -> list[Label]:
    """The labels of some packages, in the order in which they were chosen; each print is counted.

    Refuses what is not packed yet, was split, or has no tracking number. `sender_id`: whose warehouse it leaves.
    """
    return [_label(package_id, sender_id) for package_id in dict.fromkeys(package_ids)]


def _checked(package: StorefrontPackage) -> bool:
    """Our packers confirmed it, or the one it was split from; and nobody cancelled it since."""
    return package.packed_at is not None and package.state in ON_THEIR_WAY


def _label(package_id: int, sender_id: int) -> Label:
    package = marketplace.hold_package(package_id)
    if package.superseded:
        raise LabelsComeLater(
            _l("It was split: each part gets a label of its own, as soon as the marketplace names it.")
        )
    if not _checked(package):
        raise NotPackedYet(_l("The label comes when the package is packed."), package_id=package_id)
    if not fits(package.cargo_tracking_number):
        raise NoCargoBarcode(_l("The marketplace has not given this package a tracking number yet."))
    sender = accounts_queries.organisation(sender_id)
    lines = marketplace_queries.lines_of([package_id])[package_id]
    return Label(
        key=package.cargo_tracking_number,
        carrier=package.cargo_provider or title_of(package.storefront),
        order_number=package.order_number,
        parcel="1",
        sender_name=f"{sender.name} · {title_of(package.storefront)}",
        sender_city=sender.city,
        receiver_name=package.customer_name,
        receiver_address=package.address,
        receiver_district=package.district,
        receiver_city=package.city,
        receiver_postal_code=package.postal_code,
        receiver_phone="",
        content_lines=tuple((line.name, line.quantity) for line in lines if line.quantity),
        copy=marketplace.label_printed(package) > 1,
    )
