"""What sellers and packers do with parcels."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput, Refusal
from portal.core.i18n import noted
from portal.core.state_machine import WrongMoment
from portal.orders import services as orders
from portal.orders.models import Order, OrderLine
from portal.orders.states import OrderState
from portal.shipping import rules
from portal.shipping.models import Shipment
from portal.shipping.services import carriers
from portal.shipping.states import PARCEL, Parcel

SHIPPABLE = (OrderState.PAID, OrderState.PARTIALLY_SHIPPED, OrderState.DISPUTED)


class Piece(NamedTuple):
    """So many pieces of an order line."""

    line_id: int
    quantity: int


class NotToBeShipped(Refusal):
    """The order is not paid, or already closed."""

    code = "not_to_be_shipped"


class MoreThanOrdered(Refusal):
    """More than was ordered can never be shipped."""

    code = "more_than_ordered"


class NothingLeft(Refusal):
    """Every piece is already in a parcel."""

    code = "nothing_left_to_ship"


def prepare(
    order: Order,
    lines: list[OrderLine],
    *,
    by: Actor,
    pieces: list[Piece] | None = None,
    init_key: str | None = None,
    carrier_code: str = "manual",
) -> Shipment:
    """A parcel for the packer: the named pieces, or everything not yet in a parcel; one parcel per `init_key`.

    Refuses what is not paid, what is already in parcels, and more than was ordered.
    """
    if order.state not in SHIPPABLE:
        raise NotToBeShipped(_l("Only a paid order is shipped."), state=order.state)
    wanted = pieces or [Piece(line.id, line.to_ship) for line in lines if line.to_ship]
    if not wanted:
        raise NothingLeft(_l("Every piece is already in a parcel."))
    mine = {line.id for line in lines}
    for piece in sorted(wanted):
        if piece.line_id not in mine or not orders.ship_pieces(piece.line_id, piece.quantity):
            raise MoreThanOrdered(_l("That is more than was ordered."), line_id=piece.line_id, quantity=piece.quantity)
    return _new(order, wanted, "OUT", init_key=init_key or uuid.uuid4().hex, carrier_code=carrier_code, by=by)


def call_back(order: Order, pieces: list[Piece], *, init_key: str, by: Actor) -> Shipment:
    """A parcel in the other direction: the buyer sends goods back to the seller."""
    return _new(order, pieces, "RETURN", init_key=init_key, carrier_code="manual", by=by)


def _new(order: Order, pieces: list[Piece], direction: str, *, init_key: str, carrier_code: str, by: Actor) -> Shipment:
    last = db.session.scalar(select(func.max(Shipment.sequence)).where(Shipment.order_id == order.id)) or 0
    shipment = Shipment(
        order_id=order.id,
        sequence=last + 1,
        direction=direction,
        items=[piece._asdict() for piece in pieces],
        init_key=init_key,
        carrier_code=carrier_code,
        state=Parcel.PLANNED,
    )
    db.session.add(shipment)
    PARCEL.begin(shipment, actor=by, reason=noted("prepared"))
    return shipment


def into_boxes(
    shipment: Shipment, order: Order, boxes: Sequence[Sequence[Piece]], *, keys: Sequence[str], by: Actor
) -> list[Shipment]:
    """What was prepared as one parcel goes out in several: the first box stays this parcel, the others are new ones.

    Together they hold exactly what was prepared, so the order's counts stay as they are. `keys` are the new parcels'
    own, for the boxes after the first.
    """
    if shipment.state != Parcel.PLANNED:
        raise WrongMoment(_l("This is no longer possible: the state has changed."), state=shipment.state)
    in_all = Counter[int]()
    for box in boxes:
        in_all.update(dict(box))
    assert in_all == Counter({item["line_id"]: item["quantity"] for item in shipment.items}), (
        "other goods than prepared"
    )
    shipment.items = [piece._asdict() for piece in boxes[0]]
    others = [
        _new(order, list(box), shipment.direction, init_key=key, carrier_code=shipment.carrier_code, by=by)
        for box, key in zip(boxes[1:], keys, strict=True)
    ]
    for other in others:
        other.carrier = shipment.carrier
    db.session.flush()
    return [shipment, *others]


def pack(shipment: Shipment, *, by: Actor) -> None:
    """Everything is in the box, and the box is closed."""
    PARCEL.move(shipment, Parcel.PACKED, actor=by, reason=noted("packed"))


def hand_over(shipment: Shipment, *, carrier: str, tracking_number: str, by: Actor) -> None:
    """The parcel has left the building with a carrier."""
    if not carrier.strip():
        raise BadInput(fields={"carrier": _l("Say who carries it.")})
    PARCEL.move(
        shipment,
        Parcel.HANDED_OVER,
        actor=by,
        reason=noted("handed over"),
        carrier=carrier.strip(),
        tracking_number=tracking_number.strip() or shipment.tracking_number,
        handed_over_at=clock.now(),
    )


def deliver(shipment: Shipment, order: Order, *, by: Actor, because: str) -> bool:
    """The parcel has arrived; from today the buyer's days to object are counted. False when that was known."""
    if shipment.state in (Parcel.DELIVERED, Parcel.ACCEPTED, Parcel.OBJECTED):
        return False
    today = clock.today()
    last_day = rules.last_day_to_object(today, order.acceptance_days) if shipment.direction == "OUT" else None
    PARCEL.move(shipment, Parcel.DELIVERED, actor=by, reason=because, delivered_on=today, accept_by_on=last_day)
    carriers.stop_watching(shipment)
    return True


def cancel(shipment: Shipment, *, by: Actor, because: str) -> None:
    """The parcel will not go out; its pieces may go into another one."""
    PARCEL.move(shipment, Parcel.CANCELLED, actor=by, reason=because)
    _free_pieces(shipment)


def came_back(shipment: Shipment, *, by: Actor, because: str) -> None:
    """The carrier brought it back to the sender; its pieces may go out again."""
    PARCEL.move(shipment, Parcel.RETURNED, actor=by, reason=because, accept_by_on=None)
    _free_pieces(shipment)


def give_up(shipment: Shipment, *, by: Actor, because: str) -> None:
    """The parcel is lost, and somebody takes the responsibility for saying so: its pieces may be sent again."""
    PARCEL.move(shipment, Parcel.LOST, actor=by, reason=because, attention="")
    _free_pieces(shipment)


def look_at(shipment: Shipment, why: str) -> None:
    """Somebody has to look at this parcel."""
    shipment.attention = why[:500]
    db.session.flush()


def seen(shipment: Shipment) -> None:
    """Somebody has looked."""
    shipment.attention = ""
    db.session.flush()


def label_printed(shipment: Shipment) -> int:
    """Count a print; from the second on the label says that it is a copy."""
    shipment.label_prints += 1
    db.session.flush()
    return shipment.label_prints


def _free_pieces(shipment: Shipment) -> None:
    if shipment.direction == "OUT":
        for item in shipment.items:
            orders.unship_pieces(item["line_id"], item["quantity"])
    carriers.stop_watching(shipment)
