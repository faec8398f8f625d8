"""The warehouse and our own orders: goods are set aside when ordered, taken with the parcel, put back, let go.

Everything here is level-triggered: what an order wants is counted from its lines and parcels, and exactly that is set
aside. Said twice, it changes nothing. A barcode the warehouse does not keep is the seller's own affair.

Locks: orders first, money next, goods last and all at once; so nobody waits in a circle, and a busy barcode is held
only for the last steps of a story.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, Text, cast, or_, select

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import db
from portal.core.errors import Refusal
from portal.core.i18n import noted
from portal.core.state_machine import WrongMoment
from portal.core.unit_of_work import atomic
from portal.orders import queries as orders_queries
from portal.orders.models import Order, OrderLine
from portal.orders.states import OrderState
from portal.shipping import queries as shipping_queries
from portal.shipping.models import Shipment
from portal.shipping.states import Parcel
from portal.stock import queries as stock_queries
from portal.stock import services as stock
from portal.stock.models import Reservation, StockItem, StockMovement
from portal.stock.services import Pick, Source, Wish
from portal.workflows.standing import with_order

KIND = "order"
CAUGHT_UP_AT_A_TIME = 500
NOTHING_MORE_TO_SHIP = (OrderState.CANCELLED, OrderState.REFUNDED, OrderState.COMPLETED)


class NotInTheWarehouse(Refusal):
    """Less is free than the basket wants; nothing of it was set aside."""

    code = "not_enough_stock"


def source_of(order_id: int) -> Source:
    """An order as the stock knows it."""
    return Source(KIND, str(order_id))


def key_of(shipment_id: int) -> str:
    """The seal of a parcel: its goods leave the shelves once."""
    return f"shipment:{shipment_id}"


def for_payment(unpaid: Sequence[Order], *, by: Actor) -> None:
    """The goods of an unpaid basket are set aside for some minutes, counted anew each time it is about to be paid.

    Refuses, with everything that is missing, where less is free than the basket wants.
    """
    until = clock.now() + timedelta(minutes=int(current_app.config["RESERVATION_MINUTES"]))
    lines = {order.id: orders_queries.lines_of(order.id) for order in unpaid}
    kept = _held([line for found in lines.values() for line in found])
    missing = []
    for order_id, found in lines.items():
        for line in found:
            if line.barcode not in kept:
                continue
            wish = Wish(kept[line.barcode], line.quantity, str(line.id))
            try:
                stock.keep([wish], source_of(order_id), by=by, because=noted("ordered"), expires_at=until)
            except stock.NotEnoughStock as no:
                missing.append({"barcode": line.barcode, "name": line.name, "wanted": line.quantity, "free": no.free})
    if missing:
        named = ", ".join(f"{m['name']}: {m['free']}/{m['wanted']}" for m in missing)
        raise NotInTheWarehouse(_l("Not enough is left (free/wanted): %(missing)s", missing=named), missing=missing)


def follow(*followed: Order, by: Actor, because: str) -> None:
    """Exactly what these orders still want is set aside: called after everything that changes what they want.

    They are locked by the caller, and paid or ended. They have been paid, so nothing is refused here: what is not
    there is promised all the same, and the item then shows as oversold.
    """
    lines = {order.id: orders_queries.lines_of(order.id) for order in followed}
    kept = _held([line for found in lines.values() for line in found])
    for order in followed:
        _follow(order, _wanted(order, lines[order.id]), lines[order.id], kept, by=by, because=because)


def take_for_parcel(shipment_id: int, picks: Sequence[Pick], *, by: Actor) -> list[StockMovement]:
    """A parcel's goods leave the shelves: all of them or none, once per parcel whoever says so how often.

    `picks` says from which shelves, for all or some of the pieces, or for none: the rest comes from wherever it lies.
    Answers the movements, the same for every repeat; none where the warehouse keeps nothing of it. Refuses with a
    `Shortage` (see `shortages_noted`), and a parcel that is not to be packed any more.
    """
    shipment, order = with_order(shipment_id)
    known = stock_queries.movements_of_act(key_of(shipment_id))
    if known:
        return known
    if shipment.direction != "OUT" or shipment.state not in (Parcel.PLANNED, Parcel.PACKED):
        raise WrongMoment(_l("This is no longer possible: the state has changed."), state=shipment.state)
    lines = orders_queries.lines_of(order.id)
    return _take(shipment, lines, _held(lines), picks, by=by)


def take_and_follow(parcels: Sequence[Shipment], order: Order, *, picks: Sequence[Pick] = (), by: Actor) -> None:
    """The goods of these parcels leave the shelves, and the order keeps what it still wants: `take_for_parcel` and
    `follow` where order and parcels are held, all goods of the order held at once."""
    lines = orders_queries.lines_of(order.id)
    wanted = _wanted(order, lines)  # asked before the goods are held: others want them, and wait
    kept = _held(lines)
    for parcel in parcels:
        _take(parcel, lines, kept, picks, by=by)
    _follow(order, wanted, lines, kept, by=by, because=noted("packed"))


@contextmanager
def shortages_noted(*, by: Actor) -> Iterator[None]:
    """Around a unit of work that takes goods: what was missing is written down after it was rolled back."""
    try:
        yield
    except stock.Shortage as short:
        with atomic():
            stock.note_shortage(short, by=by)
        raise


def put_back(shipment: Shipment, order: Order, *, by: Actor, because: str, from_the_road: bool = False) -> None:
    """A packed parcel does not go out, or came back: its goods lie on their shelves again.

    From the road they go to the shelf for returns first, until somebody has looked.
    """
    taken = stock_queries.movements_of_act(key_of(shipment.id))
    if not taken:
        return
    shelf_id = _returns_shelf() if from_the_road else None
    _held(orders_queries.lines_of(order.id))
    for out in sorted(taken, key=lambda m: (m.item_id, m.shelf_id)):
        key = f"{key_of(shipment.id)}:back:{out.shelf_id}:{out.item_id}"
        _back(order, out.item_id, shelf_id or out.shelf_id, -out.pieces, key=key, by=by, because=because)


def returned(shipment: Shipment, order: Order, *, by: Actor, because: str) -> None:
    """A return parcel is here: what we had sent lies on the shelf for returns, until somebody has looked."""
    lines = orders_queries.lines_of(order.id)
    if not stock_queries.kept([line.barcode for line in lines]):
        return
    shelf_id = _returns_shelf()
    goods = _goods(shipment, lines, _held(lines))
    for item_id, pieces in sorted(goods.items()):
        key = f"{key_of(shipment.id)}:back:{item_id}"
        _back(order, item_id, shelf_id, pieces, key=key, by=by, because=because)


def let_go_unpaid() -> int:
    """What was set aside for baskets nobody paid in time is free again. Returns how many promises ran out."""
    in_all = 0
    while True:
        with atomic():
            ran_out = stock.expire(clock.now())
        in_all += ran_out
        if not ran_out:
            return in_all


def catch_up() -> int:
    """Orders paid before the warehouse began to keep their goods: from now on these are set aside. Returns how many."""
    with atomic():
        behind = list(db.session.scalars(_nothing_set_aside()))
    for order_id in behind:
        with atomic():
            follow(orders_queries.hold_still(order_id), by=SYSTEM, because=noted("the warehouse keeps it now"))
    return len(behind)


def look_after() -> dict[str, int]:
    """Once a minute: what was set aside for nobody is let go, what was not set aside is."""
    return {"let_go": let_go_unpaid(), "caught_up": catch_up()}


def _nothing_set_aside() -> Select[Any]:
    planned = select(Shipment.id).where(
        Shipment.order_id == Order.id, Shipment.direction == "OUT", Shipment.state == Parcel.PLANNED
    )
    promised = select(Reservation.id).where(
        Reservation.source_kind == KIND,
        Reservation.source_key == cast(OrderLine.order_id, Text),
        Reservation.line_key == cast(OrderLine.id, Text),
    )
    to_ship = OrderLine.shipped_quantity + OrderLine.cancelled_quantity < OrderLine.quantity
    return (
        select(OrderLine.order_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(StockItem, StockItem.barcode == OrderLine.barcode)
        .where(Order.state.not_in((OrderState.PENDING_PAYMENT, *NOTHING_MORE_TO_SHIP)))
        .where(or_(to_ship, planned.exists()), ~promised.exists())
        .distinct()
        .limit(CAUGHT_UP_AT_A_TIME)
    )


def _wanted(order: Order, lines: Sequence[OrderLine]) -> Counter[int]:
    """Pieces per line that still have to leave a shelf: not in a parcel yet, or in one that is not packed."""
    wanted = Counter[int]()
    if order.state not in NOTHING_MORE_TO_SHIP:
        wanted.update({line.id: line.to_ship for line in lines})
    for parcel in shipping_queries.parcels_of(order.id):
        if parcel.direction == "OUT" and parcel.state == Parcel.PLANNED:
            wanted.update({item["line_id"]: item["quantity"] for item in parcel.items})
    return wanted


def _follow(
    order: Order,
    wanted: Counter[int],
    lines: Sequence[OrderLine],
    kept: dict[str, int],
    *,
    by: Actor,
    because: str,
) -> None:
    """What of this order we keep, which is held, is set aside as far as it is still wanted."""
    wishes = [Wish(kept[line.barcode], wanted[line.id], str(line.id)) for line in lines if line.barcode in kept]
    if wishes:
        stock.keep(wishes, source_of(order.id), by=by, because=because, even_if_short=True, held=True)


def _take(
    shipment: Shipment, lines: Sequence[OrderLine], kept: dict[str, int], picks: Sequence[Pick], *, by: Actor
) -> list[StockMovement]:
    goods = _goods(shipment, lines, kept)
    if not goods and not picks:
        return []
    source, key = source_of(shipment.order_id), key_of(shipment.id)
    return stock.take_wherever(goods, picks=picks, source=source, key=key, by=by, because=noted("packed"), held=True)


def _goods(shipment: Shipment, lines: Sequence[OrderLine], kept: dict[str, int]) -> Counter[int]:
    """What is in a parcel, in pieces of the items we keep."""
    barcodes = {line.id: line.barcode for line in lines}
    goods = Counter[int]()
    for item in shipment.items:
        barcode = barcodes[item["line_id"]]
        if barcode in kept:
            goods[kept[barcode]] += item["quantity"]
    return goods


def _held(lines: Sequence[OrderLine]) -> dict[str, int]:
    """Which of these lines' barcodes we keep; their items are locked, all at once."""
    return stock.hold_barcodes([line.barcode for line in lines])


def _back(order: Order, item_id: int, shelf_id: int, pieces: int, *, key: str, by: Actor, because: str) -> None:
    """Never more than the order has out: what was sent before we kept the item did not come from our shelves."""
    if stock_queries.movements_of_act(key):
        return
    part = min(pieces, stock_queries.out_for(source_of(order.id)).get(item_id, 0))
    if part > 0:
        stock.give_back(item_id, shelf_id, part, source=source_of(order.id), key=key, by=by, because=because)


def _returns_shelf() -> int:
    return stock.shelf_for(str(current_app.config["RETURNS_SHELF"])).id
