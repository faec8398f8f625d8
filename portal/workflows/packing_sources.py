"""What can be packed, and what becomes of it: parcels sellers prepared, and packages marketplaces sold."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from flask import current_app
from flask_babel import lazy_gettext as _l

from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.i18n import noted
from portal.marketplace import queries as marketplace_queries
from portal.marketplace import services as marketplace
from portal.marketplace.models import StorefrontLine, StorefrontPackage
from portal.marketplace.states import TO_PACK
from portal.orders import queries as orders_queries
from portal.orders.models import Order, OrderLine
from portal.packing import services as packing
from portal.packing.models import PackingTask
from portal.packing.queries import BoxContent
from portal.packing.services import Goods, Wanted
from portal.packing.states import Source
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.models import Shipment
from portal.shipping.services import Piece
from portal.shipping.states import Parcel
from portal.stock import queries as stock_queries
from portal.stock import services as stock
from portal.workflows import delivery, marketplace_orders
from portal.workflows.marketplace_stock import source_of
from portal.workflows.standing import with_order

Became = dict[uuid.UUID, str]


class NothingToPack(Refusal):
    """Nobody wants it packed now: it is packed already, cancelled, or not prepared yet."""

    code = "nothing_to_pack"


class NotKept(Refusal):
    """A marketplace sold a thing our stock does not know: somebody has to add it to the stock first."""

    code = "not_kept"


class Packable(NamedTuple):
    """What a kind of source does: says what is in it, is held still, and goes on once its boxes are closed.

    `packed` notes what each box became before it holds the goods: they are held last and for as short as can be.
    """

    wanted: Callable[[int], Wanted]
    hold_still: Callable[[int], Any]
    packed: Callable[[Any, PackingTask, Sequence[BoxContent], Actor], Became]  # begins with what `hold_still` answered


# Parcels a seller prepared ----------------------------------------------------------------------------------


def ship_by(order: Order) -> date | None:
    """The day a paid order should leave: so many days after the payment (Istanbul days)."""
    if order.paid_at is None:
        return None
    return clock.day_of(order.paid_at) + timedelta(days=int(current_app.config["SHIP_WITHIN_DAYS"]))


def goods_of(lines: Sequence[tuple[str, str, str, int]]) -> list[Goods]:
    """Lines (the source's own key, barcode, name, pieces) with what our stock knows of them."""
    meant = stock_queries.meant([barcode for _key, barcode, _name, _pieces in lines])
    items = {barcode: item_id for barcode, (item_id, pieces) in meant.items() if pieces == 1}
    cases = _cases(list(items.values()))
    return [
        Goods(key, barcode, name, pieces, items.get(barcode), cases.get(items.get(barcode, 0), {}))
        for key, barcode, name, pieces in lines
    ]


def _cases(item_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Barcodes on cases and the pieces in them, by item."""
    found: dict[int, dict[str, int]] = {}
    for case in stock_queries.case_barcodes(item_ids):
        found.setdefault(case.item_id, {})[case.barcode] = case.pieces
    return found


def _shipment_wanted(shipment_id: int) -> Wanted:
    shipment = shipping_queries.parcel(shipment_id)
    if shipment.direction != "OUT":
        raise NotFound
    if shipment.state != Parcel.PLANNED:
        raise NothingToPack(_l("This is not to be packed now."), state=shipment.state)
    order = orders_queries.any_order(shipment.order_id)
    lines = {line.id: line for line in order.lines}
    return Wanted(
        source=Source.SHIPMENT,
        source_id=shipment.id,
        number=f"{order.number} / {shipment.sequence}",
        barcode=shipment.key,
        receiver=f"{order.buyer.name}, {order.buyer.city}",
        goods=goods_of([_of_line(lines[item["line_id"]], item["quantity"]) for item in shipment.items]),
        seller_organisation_id=order.seller_organisation_id,
        ship_by_on=ship_by(order),
    )


def _of_line(line: OrderLine, quantity: int) -> tuple[str, str, str, int]:
    return str(line.id), line.barcode, line.name, quantity


def _shipment_packed(held: tuple[Shipment, Order], task: PackingTask, boxes: Sequence[BoxContent], by: Actor) -> Became:
    """The first box stays the parcel the seller prepared; each further box is a parcel of its own, packed as well."""
    shipment, order = held
    pieces = [[Piece(int(line), count) for line, count in box.pieces.items()] for box in boxes]
    keys = [f"packing:{task.id}:{box.number}" for box in boxes[1:]]
    parcels = shipping.into_boxes(shipment, order, pieces, keys=keys, by=by)
    if shipment.direction != "OUT":
        raise NotFound
    became = {box.id: str(parcel.id) for box, parcel in zip(boxes, parcels, strict=True)}
    packing.note_became(became)
    delivery.pack_held(parcels, order, by=by)
    return became


# Packages marketplaces sold -----------------------------------------------------------------------------------


def _package_wanted(package_id: int) -> Wanted:
    """Everything in it is ours: a thing our stock does not know has to be made known first."""
    package = marketplace_queries.package(package_id)
    if package.state not in TO_PACK or package.superseded or package.packed_at is not None:
        raise NothingToPack(_l("This is not to be packed now."), state=package.state)
    lines = [line for line in marketplace_queries.lines_of([package_id])[package_id] if line.quantity]
    unknown = [line.barcode for line in lines if line.item_id is None]
    if unknown or not lines:
        raise NotKept(_l("Our stock does not know: %(barcodes)s", barcodes=", ".join(unknown)), barcodes=unknown)
    return Wanted(
        source=Source.STOREFRONT,
        source_id=package.id,
        number=f"{marketplace_orders.title_of(package.storefront)} {package.order_number}",
        barcode=package.cargo_tracking_number or package.package_key,
        receiver=", ".join(filter(None, (package.customer_name, package.city))),
        goods=_package_goods(lines),
        ship_by_on=clock.day_of(package.ship_by) if package.ship_by else None,
    )


def _package_goods(lines: Sequence[StorefrontLine]) -> list[Goods]:
    """Counted in pieces of our items, whatever the marketplace's barcode stands for."""
    items = stock_queries.barcodes_of([line.item_id for line in lines if line.item_id is not None])
    cases = _cases(list(items))
    return [
        Goods(str(line.id), items[line.item_id], line.name, line.pieces, line.item_id, cases.get(line.item_id, {}))
        for line in lines
        if line.item_id is not None
    ]


def _package_packed(package: StorefrontPackage, _task: PackingTask, boxes: Sequence[BoxContent], by: Actor) -> Became:
    """Its goods leave their shelves, it is *Picking*, and where there are several boxes, the marketplace splits it."""
    marketplace_orders.insist_to_be_packed(package)
    became = {box.id: package.package_key for box in boxes}
    packing.note_became(became)
    lines = {str(line.id): line for line in marketplace_queries.lines_of([package.id])[package.id]}
    goods: dict[int, int] = {}
    for line in lines.values():
        if line.item_id is not None and line.pieces_to_take:
            goods[line.item_id] = goods.get(line.item_id, 0) + line.pieces_to_take
    if goods:
        key = f"package:{package.id}"
        stock.take_wherever(goods, source=source_of(package), key=key, by=by, because=noted("packed"))
    marketplace_orders.held_is_packed(package, by=by)
    if len(boxes) > 1:
        marketplace_orders.split(package.id, _in_their_numbers(lines, boxes), by=by)
    return became


def _in_their_numbers(lines: dict[str, StorefrontLine], boxes: Sequence[BoxContent]) -> dict[int, list[int]]:
    """Per line, what is in each box, in what the marketplace sells: pieces, or whole cases."""
    parcels: dict[int, list[int]] = {}
    for key, line in lines.items():
        counts = [box.pieces.get(key, 0) for box in boxes]
        each = line.pieces_each or 1
        if any(count % each for count in counts):
            raise BadInput(_l("%(name)s is sold in cases of %(pieces)s: a case stays in one parcel.", name=line.name, pieces=each))  # fmt: skip
        if sum(counts):
            parcels[line.id] = [count // each for count in counts]
    return parcels


SOURCES: dict[Source, Packable] = {
    Source.SHIPMENT: Packable(_shipment_wanted, with_order, _shipment_packed),
    Source.STOREFRONT: Packable(_package_wanted, marketplace.hold_package, _package_packed),
}
