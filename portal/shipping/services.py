"""What sellers, packers and buyers do with parcels. The order is locked by the caller: one story at a time."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.errors import BadInput, Refusal
from portal.core.i18n import noted
from portal.orders import services as orders
from portal.orders.models import Order, OrderLine
from portal.orders.states import OrderState
from portal.shipping import rules
from portal.shipping.models import Shipment
from portal.shipping.states import PARCEL, Parcel


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
    order: Order, lines: list[OrderLine], *, by: Actor, pieces: list[Piece] | None = None, init_key: str | None = None
) -> Shipment:
    """A parcel for the packer: the named pieces, or everything not yet in a parcel; one parcel per `init_key`.

    Refuses what is not paid, what is already in parcels, and more than was ordered.
    """
    if order.state not in (OrderState.PAID, OrderState.PARTIALLY_SHIPPED):
        raise NotToBeShipped(_l("Only a paid order is shipped."), state=order.state)
    wanted = pieces or [Piece(x.id, x.quantity - x.shipped_quantity) for x in lines if x.quantity > x.shipped_quantity]
    if not wanted:
        raise NothingLeft(_l("Every piece is already in a parcel."))
    mine = {line.id for line in lines}
    for piece in sorted(wanted):
        if piece.line_id not in mine or not orders.ship_pieces(piece.line_id, piece.quantity):
            raise MoreThanOrdered(_l("That is more than was ordered."), line_id=piece.line_id, quantity=piece.quantity)
    last = db.session.scalar(select(func.max(Shipment.sequence)).where(Shipment.order_id == order.id)) or 0
    shipment = Shipment(
        order_id=order.id,
        sequence=last + 1,
        items=[piece._asdict() for piece in wanted],
        init_key=init_key or uuid.uuid4().hex,
        state=Parcel.PLANNED,
    )
    db.session.add(shipment)
    PARCEL.begin(shipment, actor=by, reason=noted("prepared"))
    return shipment


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
        tracking_number=tracking_number.strip(),
        handed_over_at=clock.now(),
    )


def deliver(shipment: Shipment, order: Order, *, by: Actor, because: str) -> None:
    """The buyer has the parcel; from today the days to object are counted. Known already: nothing changes."""
    if shipment.state in (Parcel.DELIVERED, Parcel.ACCEPTED):
        return
    today = clock.today()
    PARCEL.move(
        shipment,
        Parcel.DELIVERED,
        actor=by,
        reason=because,
        delivered_on=today,
        accept_by_on=rules.last_day_to_object(today, order.acceptance_days),
    )


def accept(shipment: Shipment, *, by: Actor, because: str) -> bool:
    """The buyer is content, or has been silent long enough. Accepted already: False, and nothing changes."""
    if shipment.state == Parcel.ACCEPTED:
        return False
    PARCEL.move(shipment, Parcel.ACCEPTED, actor=by, reason=because, accepted_at=clock.now(), accepted_by=by.name)
    for item in shipment.items:
        orders.accept_pieces(item["line_id"], item["quantity"])
    return True


def cancel(shipment: Shipment, *, by: Actor, because: str) -> None:
    """The parcel will not go out; its pieces may go into another one."""
    PARCEL.move(shipment, Parcel.CANCELLED, actor=by, reason=because)
    for item in shipment.items:
        orders.unship_pieces(item["line_id"], item["quantity"])
