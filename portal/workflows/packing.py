"""Packing meets what is packed: taken in hand, scanned, short, confirmed in one transaction.

Locks: the source first (order, then parcel), then its packing task, then the goods, all at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from flask import current_app
from flask_babel import lazy_gettext as _l

from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import BadInput, NotFound, Refusal
from portal.core.i18n import noted
from portal.orders import queries as orders_queries
from portal.orders.models import Order, OrderLine
from portal.packing import queries as packing_queries
from portal.packing import services as packing
from portal.packing.models import PackingLine, PackingTask
from portal.packing.queries import BoxContent
from portal.packing.services import Goods, Heard, Said, Wanted
from portal.packing.states import Packing, Source
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.services import Piece
from portal.shipping.states import Parcel
from portal.stock import queries as stock_queries
from portal.stock import services as stock
from portal.workflows import delivery
from portal.workflows.standing import with_order

Became = dict[uuid.UUID, str]


class NothingToPack(Refusal):
    """Nobody wants it packed now: it is packed already, cancelled, or not prepared yet."""

    code = "nothing_to_pack"


class Packable(NamedTuple):
    """What a kind of source does: says what is in it, is held still, and goes on once its boxes are closed."""

    wanted: Callable[[int], Wanted]
    hold_still: Callable[[int], object]
    packed: Callable[[PackingTask, Sequence[BoxContent], Actor], Became]


def take_in_hand(source: Source, source_id: int, *, by: Actor) -> int:
    """A packer begins, or goes on where another left; the task's id. Refuses what is not to be packed now."""
    kind = _kind(source)
    kind.hold_still(source_id)
    task_id = packing.begin(kind.wanted(source_id), by=by)
    packing.join(task_id, by=by)
    return task_id


def scan(task_id: int, heard: Sequence[Heard], *, device: str, by: Actor) -> Said:
    """What a device says is decided, in its order."""
    return packing.hear(task_id, heard, device=device, by=by, known=lambda codes: stock_queries.meant(codes).keys())


def report_missing(task_id: int, line_id: int, *, there: int, shelf_id: int | None, by: Actor) -> None:
    """Less lies there than this line still wants: it is written down, and the task waits.

    `there` is what was found, in pieces; without a shelf it was looked for on all of them.
    """
    line = next((line for line in packing_queries.lines(task_id) if line.id == line_id), None)
    if line is None:
        raise NotFound
    if not 0 <= there < line.room:
        most = max(0, line.room - 1)
        raise BadInput(fields={"there": _l("From 0 to %(most)s pieces: fewer than are still wanted.", most=most)})
    packing.short(task_id, by=by, because=noted("something is not on its shelf"))
    if line.item_id is not None:
        stock.note_shortage(_shortage(task_id, line, there, shelf_id), by=by)


def confirm(task_id: int, *, by: Actor) -> list[str]:
    """Everything is in its box: goods leave their shelves, and what was packed goes on; what each box became.

    All of it or nothing. Confirmed again, the answer is the same and nothing moves. Refuses what is not complete, and
    with a `Shortage` what our books do not have (call it within `set_aside.shortages_noted`).
    """
    seen = packing_queries.task(task_id)
    kind = _kind(Source(seen.source_kind))
    kind.hold_still(seen.source_id)
    task = packing.hold(task_id)
    if task.state != Packing.PACKED:
        if task.state == Packing.DROPPED:
            raise NothingToPack(_l("This is not to be packed now."), state=task.state)
        packing.insist_complete(task)
        boxes = packing_queries.contents(task_id)
        packing.close(task, by=by)
        packing.note_became(kind.packed(task, boxes, by))
    return [box.became for box in packing_queries.boxes(task_id) if box.pieces]


def _kind(source: Source) -> Packable:
    return SOURCES[source]


def _shortage(task_id: int, line: PackingLine, there: int, shelf_id: int | None) -> stock.Shortage:
    assert line.item_id is not None
    shelf = next(
        (s for s in stock_queries.shelves_of([line.item_id]).get(line.item_id, []) if s.shelf_id == shelf_id), None
    )
    if shelf_id is not None and shelf is None:
        raise NotFound
    missing = stock.Missing(
        line.item_id, line.barcode, shelf_id, shelf.shelf if shelf else "", line.room, there
    )  # fmt: skip
    task = packing_queries.task(task_id)
    return stock.Shortage(f"packing:{task_id}", (task.source_kind, str(task.source_id)), [missing])


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
    cases: dict[int, dict[str, int]] = {}
    for case in stock_queries.case_barcodes(list(items.values())):
        cases.setdefault(case.item_id, {})[case.barcode] = case.pieces
    return [
        Goods(key, barcode, name, pieces, items.get(barcode), cases.get(items.get(barcode, 0), {}))
        for key, barcode, name, pieces in lines
    ]


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


def _shipment_packed(task: PackingTask, boxes: Sequence[BoxContent], by: Actor) -> Became:
    """The first box stays the parcel the seller prepared; each further box is a parcel of its own, packed as well."""
    shipment, order = with_order(task.source_id)
    pieces = [[Piece(int(line), count) for line, count in box.pieces.items()] for box in boxes]
    keys = [f"packing:{task.id}:{box.number}" for box in boxes[1:]]
    parcels = shipping.into_boxes(shipment, order, pieces, keys=keys, by=by)
    _hold_goods(order)
    for parcel in parcels:
        delivery.pack_parcel(parcel.id, by=by)
    return {box.id: str(parcel.id) for box, parcel in zip(boxes, parcels, strict=True)}


def _hold_goods(order: Order) -> None:
    """All goods of the order, in one call: taking them box by box could meet somebody who took them the other way."""
    kept = stock_queries.kept([line.barcode for line in orders_queries.lines_of(order.id)])
    if kept:
        stock.hold_still(kept.values())


SOURCES: dict[Source, Packable] = {
    Source.SHIPMENT: Packable(_shipment_wanted, with_order, _shipment_packed),
}
