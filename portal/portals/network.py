"""The network API (spec §1): what the pages do, for machines, through the same services."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response, request
from flask_babel import lazy_gettext as _l

from portal.accounts import queries as accounts_queries
from portal.accounts.guard import current_actor, current_person, requires
from portal.accounts.roles import Permission, Role
from portal.core import idempotency
from portal.core.api import answers, reply
from portal.core.errors import BadInput
from portal.core.i18n import noted
from portal.core.limits import limited
from portal.core.unit_of_work import atomic
from portal.disputes import queries as disputes_queries
from portal.disputes.models import PieceDispute
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Checkout, Order
from portal.shipping import queries as shipping_queries
from portal.shipping.models import Shipment
from portal.shipping.services import LineAnswer, Piece
from portal.workflows import checkout as checkout_story
from portal.workflows import delivery, returns

bp = Blueprint("network", __name__, url_prefix="/api/network")

Quantity = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Pieces = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Barcode = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class LineWanted(msgspec.Struct, forbid_unknown_fields=True):
    """So many pieces of a barcode; `seller_id` only where several sellers offer it."""

    barcode: Barcode
    quantity: Quantity
    seller_id: Id | None = None


class PlaceOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A basket."""

    lines: Annotated[list[LineWanted], msgspec.Meta(min_length=1, max_length=200)]


class LineView(msgspec.Struct):
    """A line of an order; amounts in kuruş."""

    id: int
    line_no: int
    barcode: str
    name: str
    quantity: int
    unit_price_kurus: int
    total_kurus: int
    shipped_quantity: int
    accepted_quantity: int
    disputed_quantity: int
    refunded_quantity: int
    cancelled_quantity: int


class ParcelView(msgspec.Struct):
    """A parcel; dates are Istanbul days."""

    id: int
    sequence: int
    state: str
    carrier: str
    tracking_number: str
    direction: str
    carrier_status: str | None
    delivery_note_uuid: str | None
    items: list[dict[str, int]]
    delivered_on: str | None
    accept_by_on: str | None
    accepted_at: str | None


class OrderView(msgspec.Struct):
    """An order; amounts in kuruş, instants UTC."""

    id: int
    number: str
    state: str
    payout_status: str
    currency: str
    total_kurus: int
    seller_id: int
    buyer_id: int
    checkout: str
    placed_at: str
    paid_at: str | None
    completed_at: str | None
    lines: list[LineView]
    shipments: list[ParcelView]


class OrderBrief(msgspec.Struct):
    """An order as the answer to placing it."""

    id: int
    number: str
    state: str
    seller_id: int
    total_kurus: int


class OrderPlaced(msgspec.Struct):
    """The basket's checkout and its orders, one per seller; pay it at `payment_path`."""

    checkout: str
    total_kurus: int
    currency: str
    payment_path: str
    orders: list[OrderBrief]


class PaymentPage(msgspec.Struct):
    """Where the basket is paid."""

    checkout: str
    payment_page_url: str


class PiecesWanted(msgspec.Struct, forbid_unknown_fields=True):
    """So many pieces of an order line."""

    line_id: Id
    quantity: Quantity


class InitShipment(msgspec.Struct, forbid_unknown_fields=True):
    """What goes into the parcel; nothing named means everything that is not in a parcel yet."""

    items: Annotated[list[PiecesWanted], msgspec.Meta(min_length=1, max_length=200)] | None = None
    carrier: Annotated[str, msgspec.Meta(max_length=20)] = "manual"


class LineAnswered(msgspec.Struct, forbid_unknown_fields=True):
    """What the buyer says of one line in a parcel: pieces, which add up to what is in it."""

    line_id: Id
    accepted: Pieces
    damaged: Pieces = 0
    missing: Pieces = 0


class ParcelAnswered(msgspec.Struct, forbid_unknown_fields=True):
    """One parcel, line by line."""

    shipment_id: Id
    lines: Annotated[list[LineAnswered], msgspec.Meta(min_length=1, max_length=200)]
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ConfirmDelivery(msgspec.Struct, forbid_unknown_fields=True):
    """Parcels that are complete (none named: all that are on their way), or parcels line by line; not both."""

    shipment_ids: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=500)] | None = None
    parcels: Annotated[list[ParcelAnswered], msgspec.Meta(min_length=1, max_length=100)] | None = None


class DisputeView(msgspec.Struct):
    """An argument about pieces; the amount in kuruş stays in trust until it is settled."""

    id: int
    shipment_id: int
    line_id: int
    problem: str
    pieces: int
    amount_kurus: int
    state: str
    resolution: str | None
    answer_by_on: str


class DeliveryConfirmed(msgspec.Struct):
    """Where order, payout, parcels and disputes stand after the confirmation."""

    order_id: int
    state: str
    payout_status: str
    shipments: list[ParcelView]
    disputes: list[DisputeView]


class CancelOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Why the order is cancelled."""

    because: Reason


@bp.post("/orders")
@requires(Permission.ORDER_PLACE)
@limited("60/minute")
@answers(201, OrderPlaced, body=PlaceOrder, summary="Place an order", idempotent=True)
def place_order(body: PlaceOrder) -> Response:
    """One basket, one order per seller. The same Idempotency-Key answers the same orders."""
    person = current_person()
    key = request.headers.get("Idempotency-Key", "")
    with atomic():
        answer = idempotency.first_answer(
            person_id=person.id, action="place order", key=key, content=msgspec.to_builtins(body)
        )
        if answer is None:
            lines = [orders.WantedLine(line.barcode, line.quantity, line.seller_id) for line in body.lines]
            answer = msgspec.to_builtins(_placed(checkout_story.place(lines, buyer=person, by=current_actor())))
            idempotency.remember_answer(person_id=person.id, action="place order", key=key, answer=answer)
    return reply(answer, 201)


@bp.get("/orders/<int:order_id>")
@requires(Permission.ORDER_SEE_OWN, Permission.SALE_SEE_OWN)
@answers(200, OrderView, summary="One order of yours")
def show_order(order_id: int) -> Response:
    """A buyer sees his orders, a seller his sales; anything else does not exist."""
    return reply(_view(_own_order(order_id)))


@bp.post("/checkouts/<uuid:public_key>/payment")
@requires(Permission.PAYMENT_MAKE)
@limited("20/minute")
@answers(200, PaymentPage, summary="Get the payment page of a basket")
def pay(public_key: uuid.UUID) -> Response:
    """The provider's page where this basket is paid; asked again, the same page as long as it lives."""
    person = current_person()
    checkout = orders_queries.checkout_of_buyer(person.organisation_id, public_key)
    organisation = accounts_queries.organisation(person.organisation_id)
    url = checkout_story.payment_page(
        checkout, person, organisation, ip=request.remote_addr or "127.0.0.1", by=current_actor()
    )
    return reply(PaymentPage(str(public_key), url))


@bp.post("/orders/<int:order_id>/shipments/init")
@requires(Permission.SHIPMENT_PREPARE)
@limited("60/minute", by="order_id")
@answers(201, ParcelView, body=InitShipment, summary="Begin a parcel", body_optional=True, idempotent=True)
def init_shipment(order_id: int, body: InitShipment) -> Response:
    """A parcel of some or all pieces. The same Idempotency-Key answers the same parcel; more than ordered is refused."""
    person = current_person()
    sale = orders_queries.order_of_seller(person.organisation_id, order_id)
    key = request.headers.get("Idempotency-Key", "")
    content = {"order": sale.id, **msgspec.to_builtins(body)}
    with atomic():
        answer = idempotency.first_answer(person_id=person.id, action="init shipment", key=key, content=content)
        if answer is None:
            parcel = delivery.prepare_parcel(
                sale.id,
                by=current_actor(),
                pieces=_pieces(body),
                init_key=f"{person.id}:{key}",
                carrier_code=body.carrier,
            )
            answer = msgspec.to_builtins(_parcel(parcel))
            idempotency.remember_answer(person_id=person.id, action="init shipment", key=key, answer=answer)
    return reply(answer, 201)


def _pieces(body: InitShipment) -> list[Piece] | None:
    """The same line named twice is one wish for both."""
    if body.items is None:
        return None
    wanted: Counter[int] = Counter()
    for item in body.items:
        wanted[item.line_id] += item.quantity
    return [Piece(line_id, quantity) for line_id, quantity in wanted.items()]


@bp.post("/orders/<int:order_id>/confirm-delivery")
@requires(Permission.DELIVERY_CONFIRM)
@limited("30/minute", by="order_id")
@answers(200, DeliveryConfirmed, body=ConfirmDelivery, summary="Confirm delivery", body_optional=True)
def confirm_delivery(order_id: int, body: ConfirmDelivery) -> Response:
    """ "Teslim aldım": exactly what is accepted is released, about the rest a dispute begins. Said again, the same."""
    mine = orders_queries.order_of_buyer(current_person().organisation_id, order_id)
    if body.shipment_ids is not None and body.parcels is not None:
        raise BadInput(fields={"parcels": _l("Name complete parcels or parcels line by line, not both.")})
    because = noted("the buyer confirmed")
    with atomic():
        if body.parcels is None:
            delivery.confirm_delivery(mine.id, body.shipment_ids, by=current_actor(), because=because, via="API")
        for parcel in body.parcels or ():
            delivery.confirm_delivery(
                mine.id,
                by=current_actor(),
                because=because,
                via="API",
                answers={parcel.shipment_id: _answers(parcel)},
                note=parcel.note,
            )
    order = orders_queries.any_order(order_id)
    parcels = [_parcel(p) for p in shipping_queries.parcels_of(order_id)]
    disputes = [_dispute(d) for d in disputes_queries.of_order(order_id)]
    return reply(DeliveryConfirmed(order.id, order.state, order.payout_status, parcels, disputes))


def _answers(parcel: ParcelAnswered) -> list[LineAnswer]:
    return [LineAnswer(line.line_id, line.accepted, line.damaged, line.missing) for line in parcel.lines]


def _dispute(dispute: PieceDispute) -> DisputeView:
    return DisputeView(
        dispute.id,
        dispute.shipment_id,
        dispute.order_line_id,
        dispute.problem,
        dispute.pieces,
        dispute.amount_kurus,
        dispute.state,
        dispute.resolution,
        dispute.answer_by_on.isoformat(),
    )


@bp.post("/orders/<int:order_id>/cancel")
@requires(Permission.ORDER_CANCEL_OWN)
@limited("30/minute", by="order_id")
@answers(200, OrderView, body=CancelOrder, summary="Cancel an order before it ships")
def cancel_order(order_id: int, body: CancelOrder) -> Response:
    """Before a parcel is prepared, every kuruş goes back."""
    mine = orders_queries.order_of_buyer(current_person().organisation_id, order_id)
    if not body.because.strip():
        raise BadInput(fields={"because": "…"})
    with atomic():
        returns.cancel_order(mine.id, by=current_actor(), because=body.because)
    return reply(_view(orders_queries.any_order(order_id)))


def _own_order(order_id: int) -> Order:
    person = current_person()
    if person.role == Role.SELLER:
        return orders_queries.order_of_seller(person.organisation_id, order_id)
    return orders_queries.order_of_buyer(person.organisation_id, order_id)


def _placed(checkout: Checkout) -> OrderPlaced:
    brief = [OrderBrief(o.id, o.number, o.state, o.seller_organisation_id, o.total_kurus) for o in checkout.orders]
    path = f"/api/network/checkouts/{checkout.public_key}/payment"
    return OrderPlaced(str(checkout.public_key), checkout.total_kurus, "TRY", path, brief)


def _view(order: Order) -> OrderView:
    return OrderView(
        id=order.id,
        number=order.number,
        state=order.state,
        payout_status=order.payout_status,
        currency=order.currency,
        total_kurus=order.total_kurus,
        seller_id=order.seller_organisation_id,
        buyer_id=order.buyer_organisation_id,
        checkout=str(order.checkout.public_key),
        placed_at=order.placed_at.isoformat(),
        paid_at=_iso(order.paid_at),
        completed_at=_iso(order.completed_at),
        lines=[
            LineView(
                x.id,
                x.line_no,
                x.barcode,
                x.name,
                x.quantity,
                x.unit_price_kurus,
                x.total_kurus,
                x.shipped_quantity,
                x.accepted_quantity,
                x.disputed_quantity,
                x.refunded_quantity,
                x.cancelled_quantity,
            )
            for x in order.lines
        ],
        shipments=[_parcel(p) for p in shipping_queries.parcels_of(order.id)],
    )


def _parcel(parcel: Shipment) -> ParcelView:
    return ParcelView(
        parcel.id,
        parcel.sequence,
        parcel.state,
        parcel.carrier,
        parcel.tracking_number,
        parcel.direction,
        parcel.carrier_status,
        None if parcel.delivery_note_uuid is None else str(parcel.delivery_note_uuid),
        parcel.items,
        _iso(parcel.delivered_on),
        _iso(parcel.accept_by_on),
        _iso(parcel.accepted_at),
    )


def _iso(moment: Any) -> str | None:
    return None if moment is None else str(moment.isoformat())
