"""A parcel on its way: prepared, packed, handed over, delivered, answered line by line, and the money follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import current_app
from flask_babel import lazy_gettext as _l
from loguru import logger

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.errors import NotFound, Refusal
from portal.core.i18n import noted
from portal.core.unit_of_work import atomic
from portal.disputes import queries as disputes_queries
from portal.disputes import services as disputes
from portal.disputes.models import PieceDispute
from portal.disputes.pictures import Picture
from portal.disputes.states import Problem
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Order
from portal.packing import services as packing
from portal.packing.states import Source as Packs
from portal.shipping import queries as shipping_queries
from portal.shipping import services as shipping
from portal.shipping.models import Shipment
from portal.shipping.services import LineAnswer
from portal.shipping.states import CONFIRMABLE, Parcel
from portal.stock.services import Pick
from portal.workflows import arguments, consignments, despatch, letters, money, set_aside
from portal.workflows.standing import order_follows, with_order

Answers = Mapping[int, Sequence[LineAnswer] | None]


class NothingToConfirm(Refusal):
    """No parcel of this order is on its way or delivered."""

    code = "nothing_to_confirm"


def prepare_parcel(
    order_id: int,
    *,
    by: Actor,
    pieces: list[shipping.Piece] | None = None,
    init_key: str | None = None,
    carrier_code: str = "manual",
) -> Shipment:
    """The seller gives an order, or some pieces of it, to the packers."""
    order = orders_queries.hold_still(order_id)
    title = consignments.carrier(carrier_code).title
    shipment = shipping.prepare(
        order, orders_queries.lines_of(order_id), by=by, pieces=pieces, init_key=init_key, carrier_code=carrier_code
    )
    if carrier_code != consignments.MANUAL:
        shipment.carrier = title
    return shipment


def pack_parcel(shipment_id: int, *, by: Actor, picks: Sequence[Pick] = ()) -> Shipment:
    """The packer has checked and closed the box: its goods leave their shelves, and its carrier is told.

    Refuses with a `Shortage` what is not there; call it within `set_aside.shortages_noted`.
    """
    shipment, order = _going_out(shipment_id)
    packing.drop_source(Packs.SHIPMENT, shipment_id, by=by, because=noted("packed without scanning"))
    pack_held([shipment], order, by=by, picks=picks)
    return shipment


def pack_held(parcels: Sequence[Shipment], order: Order, *, by: Actor, picks: Sequence[Pick] = ()) -> None:
    """As above, where order and parcels are held already: all of these boxes, or none."""
    for parcel in parcels:
        shipping.pack(parcel, by=by)
        consignments.announce(parcel, order, by=by)
    set_aside.take_and_follow(parcels, order, picks=picks, by=by)


def hand_over_parcel(shipment_id: int, *, carrier: str, tracking_number: str, by: Actor) -> Shipment:
    """The parcel leaves, with its despatch note; the order is shipped when no piece is left behind."""
    shipment, order = with_order(shipment_id)
    shipping.hand_over(
        shipment, carrier=consignments.title_of(shipment) or carrier, tracking_number=tracking_number, by=by
    )
    consignments.follow(shipment)
    despatch.issue(shipment, order, by=by)
    order_follows(order, by=by, because=noted("handed over"))
    return shipment


def papers_again(shipment_id: int, *, by: Actor) -> None:
    """The despatch note is written anew and sent, after what was lacking has been mended."""
    shipment, order = _going_out(shipment_id)
    despatch.issue_again(shipment, order, by=by)


def cancel_parcel(shipment_id: int, *, by: Actor, because: str) -> Shipment:
    """The parcel does not go out; its pieces are free for another."""
    shipment, order = _going_out(shipment_id)
    announced = shipment.state == Parcel.PACKED
    shipping.cancel(shipment, by=by, because=because)
    packing.drop_source(Packs.SHIPMENT, shipment_id, by=by, because=because)
    if announced:
        consignments.take_back(shipment, by=by)
    order_follows(order, by=by, because=because)
    set_aside.put_back(shipment, order, by=by, because=because)
    set_aside.follow(order, by=by, because=because)
    return shipment


def parcel_delivered(shipment_id: int, *, by: Actor, because: str) -> Shipment:
    """The buyer has the parcel and the days to object begin; or the seller has his goods back."""
    shipment, order = with_order(shipment_id)
    delivered(shipment, order, by=by, because=because)
    return shipment


def delivered(shipment: Shipment, order: Order, *, by: Actor, because: str) -> None:
    """As above, where parcel and order are locked already."""
    if not shipping.deliver(shipment, order, by=by, because=because):
        return
    if shipment.direction == "RETURN":
        arguments.goods_are_back(shipment.id, order, by=by)
    letters.parcel_is_here(shipment, order)
    order_follows(order, by=by, because=noted("delivered"))
    if shipment.direction == "RETURN":
        set_aside.returned(shipment, order, by=by, because=arguments.GOODS_ARE_BACK)


def goods_sent_back(shipment_id: int, *, carrier: str, tracking_number: str, by: Actor) -> Shipment:
    """The buyer has given a return parcel to somebody who brings it to the seller."""
    shipment, _order = with_order(shipment_id)
    if shipment.state == Parcel.PLANNED:
        shipping.pack(shipment, by=by)
    shipping.hand_over(shipment, carrier=carrier, tracking_number=tracking_number, by=by)
    return shipment


def _going_out(shipment_id: int) -> tuple[Shipment, Order]:
    """A parcel of the seller's. What the buyer sends back is the buyer's to pack and to send."""
    shipment, order = with_order(shipment_id)
    if shipment.direction != "OUT":
        raise NotFound
    return shipment, order


def parcel_lost(shipment_id: int, *, by: Actor, because: str) -> Shipment:
    """The seller gives a parcel up; its pieces are to be sent again, or their money given back."""
    shipment, order = _going_out(shipment_id)
    shipping.give_up(shipment, by=by, because=because)
    order_follows(order, by=by, because=because)
    set_aside.follow(order, by=by, because=because)
    return shipment


def withdraw_pieces(order_id: int, pieces: list[shipping.Piece], *, by: Actor, because: str) -> Order:
    """The seller can't supply some pieces: they will never be shipped, and their money goes back."""
    order = orders_queries.hold_still(order_id)
    if order.state not in shipping.SHIPPABLE:
        raise shipping.NotToBeShipped(_l("Only a paid order is shipped."), state=order.state)
    mine = {line.id for line in orders_queries.lines_of(order_id)}
    for piece in sorted(pieces):
        if piece.line_id not in mine or not orders.withdraw_pieces(piece.line_id, piece.quantity):
            raise shipping.MoreThanOrdered(_l("That is more than is left to ship."), line_id=piece.line_id)
    order_follows(order, by=by, because=because)
    money.follow_pieces(order, by=by, because=because)
    set_aside.follow(order, by=by, because=because)
    return order


def confirm_delivery(
    order_id: int,
    shipment_ids: Sequence[int] | None = None,
    *,
    by: Actor,
    because: str,
    via: str = "PAGE",
    answers: Answers | None = None,
    note: str = "",
) -> list[Shipment]:
    """The buyer says "teslim aldım": these parcels, or all that are on their way, complete or line by line.

    Exactly the accepted money's release is asked for; about the rest a dispute begins. Said again, it answers the
    same and changes nothing; another answer to the same parcel is refused.
    """
    order = orders_queries.hold_still(order_id)
    meant = _meant(order_id, list(answers) if answers else shipment_ids)
    for parcel in meant:
        shipping.deliver(parcel, order, by=by, because=because)
        said = shipping.answer(parcel, (answers or {}).get(parcel.id), by=by, because=because, via=via, note=note)
        for dispute in _begin_disputes(parcel, said, by=by, note=note):
            letters.something_is_wrong(dispute, order)
    order_follows(order, by=by, because=because)
    money.follow_pieces(order, by=by, because=because)
    return meant


def answer_line_by_line(
    parcel: Shipment,
    answers: Sequence[LineAnswer],
    pictures: Mapping[int, Sequence[Picture]],
    *,
    by: Actor,
    note: str,
    via: str,
) -> None:
    """The buyer's answer to one parcel with pictures of what is wrong; a picture belongs to its line's dispute."""
    because = noted("the buyer answered line by line")
    confirm_delivery(parcel.order_id, by=by, because=because, via=via, answers={parcel.id: list(answers)}, note=note)
    for dispute in disputes_queries.of_parcel(parcel.id):
        for number, picture in enumerate(pictures.get(dispute.order_line_id, ())):
            disputes.add_photo(dispute, picture, count=number, by=by)


def _meant(order_id: int, shipment_ids: Sequence[int] | None) -> list[Shipment]:
    parcels = [p for p in shipping_queries.parcels_of(order_id, lock=True) if p.direction == "OUT"]
    if shipment_ids is not None:
        if not set(shipment_ids) <= {parcel.id for parcel in parcels}:
            raise NotFound
        parcels = [parcel for parcel in parcels if parcel.id in set(shipment_ids)]
    meant = [parcel for parcel in parcels if parcel.state in CONFIRMABLE]
    if not meant or (shipment_ids is not None and len(meant) != len(parcels)):
        raise NothingToConfirm(_l("No parcel of this order is on its way yet."))
    return meant


def _begin_disputes(parcel: Shipment, said: Sequence[LineAnswer], *, by: Actor, note: str) -> list[PieceDispute]:
    lines = {line.id: line for line in orders_queries.lines_of(parcel.order_id)}
    days = int(current_app.config["DISPUTE_DAYS"])
    opened = []
    for answer in said:
        for problem, pieces in ((Problem.DAMAGED, answer.damaged), (Problem.MISSING, answer.missing)):
            if pieces:
                dispute = disputes.open_dispute(
                    lines[answer.line_id], shipment_id=parcel.id, problem=problem, pieces=pieces, days=days, by=by
                )
                if note.strip():
                    disputes.say(dispute, note, role="buyer", by=by)
                opened.append(dispute)
    return opened


def accept_undisputed(limit: int = 500) -> int:
    """Delivered parcels nobody objected to in the agreed days count as accepted. Returns how many."""
    with atomic():
        silent = [(s.order_id, s.id) for s in shipping_queries.silent_since(clock.today(), limit)]
    return sum(_accept_silence(order_id, shipment_id) for order_id, shipment_id in silent)


def _accept_silence(order_id: int, shipment_id: int) -> bool:
    """One parcel by itself: one that cannot be accepted must not hold up all the others."""
    because = noted("nobody objected in the agreed days")
    try:
        with atomic():
            confirm_delivery(order_id, [shipment_id], by=SYSTEM, because=because, via="SILENCE")
    except Refusal as no:
        logger.error("parcel {} could not be accepted: {}", shipment_id, no.code)
        return False
    return True
