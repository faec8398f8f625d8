"""A parcel's label: who carries what from whom to whom."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l

from portal.accounts import queries as accounts_queries
from portal.core.errors import Refusal
from portal.orders import queries as orders_queries
from portal.shipping import labels as drawing
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.labels import Label
from portal.shipping.states import Parcel
from portal.workflows import consignments

pdf = drawing.pdf


class NotPackedYet(Refusal):
    """Nobody has checked yet what is in the box."""

    code = "not_packed_yet"


def zpl(labels: Sequence[Label]) -> str:
    """For a label printer, one after the other."""
    return "\n".join(drawing.zpl(label) for label in labels)


def labels_of(shipment_ids: Sequence[int], *, seller_id: int | None = None) -> list[Label]:
    """The labels of some parcels, in the order in which they were chosen; each print is counted.

    With `seller_id`, another seller's parcel does not exist. For packers a box has no label before it is packed: a
    label on a box is the sign that somebody has checked what is in it.
    """
    return [_label(shipment_id, seller_id) for shipment_id in dict.fromkeys(shipment_ids)]


def _label(shipment_id: int, seller_id: int | None) -> Label:
    found = shipping_queries.parcel(shipment_id)
    if seller_id is None:
        order = orders_queries.any_order(found.order_id)
    else:
        order = orders_queries.order_of_seller(seller_id, found.order_id)
    shipment = shipping_queries.parcel_for_update(shipment_id)
    if seller_id is None and shipment.state == Parcel.PLANNED:
        raise NotPackedYet(_l("The label comes when the parcel is packed."), shipment_id=shipment_id)
    prints = shipping.label_printed(shipment)
    buyer, seller = (
        accounts_queries.organisation(i) for i in (order.buyer_organisation_id, order.seller_organisation_id)
    )
    sender, receiver = (buyer, seller) if shipment.direction == "RETURN" else (seller, buyer)
    names = {line.id: line.name for line in order.lines}
    return Label(
        key=shipment.key,
        carrier=shipment.carrier or consignments.carrier(shipment.carrier_code).title,
        order_number=order.number,
        parcel=str(shipment.sequence),
        sender_name=sender.name,
        sender_city=sender.city,
        receiver_name=receiver.legal_title,
        receiver_address=receiver.address,
        receiver_district=receiver.district,
        receiver_city=receiver.city,
        receiver_postal_code=receiver.postal_code,
        receiver_phone=receiver.phone,
        content_lines=tuple((names[item["line_id"]], item["quantity"]) for item in shipment.items),
        copy=prints > 1,
        direction=shipment.direction,
    )
