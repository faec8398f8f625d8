"""Bring an order to where a test needs it, through the same services the portal uses."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask

from jobs.drain import STEPS
from portal.accounts import queries as accounts_queries
from portal.core import clock
from portal.core.unit_of_work import atomic
from portal.disputes import queries as disputes_queries
from portal.disputes.models import PieceDispute
from portal.escrow import queries as escrow_queries
from portal.orders import queries as orders_queries
from portal.orders import services as orders
from portal.orders.models import Checkout, Order
from portal.shipping.models import Shipment
from portal.shipping.services import LineAnswer, Piece
from portal.workflows import checkout as checkout_story
from portal.workflows import delivery
from tests.cast import Cast, actor
from tests.world import SandboxControl

TAPE, FILM, PAPER = "8690000000035", "8690000000028", "8690000000110"
MANY = 10_000


def drain(topic: str) -> int:
    """Work a table empty, here and now. Returns the steps taken."""
    steps = 0
    while STEPS[topic]():
        steps += 1
        assert steps < MANY
    return steps


def register_sellers() -> None:
    """The provider gets to know the sellers."""
    drain("provider_calls")


def place(cast: Cast, *lines: tuple[str, int]) -> Checkout:
    """Fatma orders; one roll of tape unless told otherwise."""
    wanted = [orders.WantedLine(barcode, quantity) for barcode, quantity in lines or ((TAPE, 1),)]
    with atomic():
        buyer = accounts_queries.active_person(cast.fatma.id)
        assert buyer
        return checkout_story.place(wanted, buyer=buyer, by=actor(cast.fatma))


def open_page(cast: Cast, checkout: Checkout) -> str:
    """Fatma goes to the payment page; its token."""
    register_sellers()
    found = orders_queries.checkout_of_buyer(cast.fatma.organisation_id, checkout.public_key)
    organisation = accounts_queries.organisation(cast.fatma.organisation_id)
    url = checkout_story.payment_page(found, cast.fatma, organisation, ip="127.0.0.1", by=actor(cast.fatma))
    return url.rsplit("/", 1)[1]


def deliver_webhook(app: Flask, webhook: dict[str, Any], **headers: str) -> int:
    """The notification reaches the portal; the HTTP status of our answer."""
    answer = app.test_client().post(
        "/api/webhooks/payments/iyzico",
        data=json.dumps(webhook["body"]),
        content_type="application/json",
        headers={"X-IYZ-SIGNATURE-V3": webhook["signature"], **headers},
    )
    return answer.status_code


def paid(app: Flask, cast: Cast, sandbox: SandboxControl, *lines: tuple[str, int]) -> list[Order]:
    """Ordered, paid, announced, applied: the money is in trust."""
    checkout = place(cast, *lines)
    token = open_page(cast, checkout)
    assert sandbox.pay(token) == 200
    assert deliver_webhook(app, sandbox.webhooks()[-1]) == 200
    drain("inbox")
    return fresh(checkout)


def fresh(checkout: Checkout) -> list[Order]:
    """The orders as they are now."""
    clock_free = orders_queries.checkout(checkout.id).orders
    return [orders_queries.any_order(order.id) for order in clock_free]


def shipped(
    order: Order, cast: Cast, *, pieces: list[tuple[int, int]] | None = None, carrier: str = "manual"
) -> Shipment:
    """Prepared by the seller (all pieces, or some), packed by Cem, handed over."""
    wanted = [Piece(*piece) for piece in pieces] if pieces else None
    with atomic():
        parcel = delivery.prepare_parcel(order.id, by=actor(cast.deniz), pieces=wanted, carrier_code=carrier)
    with atomic():
        delivery.pack_parcel(parcel.id, by=actor(cast.cem))
    with atomic():
        delivery.hand_over_parcel(parcel.id, carrier="Elden", tracking_number="T1", by=actor(cast.deniz))
    return parcel


def objected(
    order: Order, cast: Cast, *, pieces: list[tuple[int, int]] | None = None, damaged: int = 1, missing: int = 0
) -> PieceDispute:
    """And the buyer objects to some pieces of the parcel's first line; the first dispute."""
    parcel = shipped(order, cast, pieces=pieces)
    item = parcel.items[0]
    said = [LineAnswer(item["line_id"], item["quantity"] - damaged - missing, damaged, missing)]
    said += [LineAnswer(other["line_id"], other["quantity"]) for other in parcel.items[1:]]
    with atomic():
        delivery.answer_line_by_line(parcel, said, {}, by=actor(cast.fatma), note="köşesi ezik", via="PAGE")
    return disputes_queries.of_parcel(parcel.id)[0]


def delivered(order: Order, cast: Cast, *, pieces: list[tuple[int, int]] | None = None) -> Shipment:
    """And in the buyer's hands."""
    parcel = shipped(order, cast, pieces=pieces)
    with atomic():
        delivery.parcel_delivered(parcel.id, by=actor(cast.deniz), because="brought by hand")
    return parcel


def confirmed(order: Order, cast: Cast, *, pieces: list[tuple[int, int]] | None = None) -> Shipment:
    """And confirmed: the release is asked for, not yet sent."""
    parcel = delivered(order, cast, pieces=pieces)
    with atomic():
        delivery.confirm_delivery(order.id, None, by=actor(cast.fatma), because="teslim aldım")
    return parcel


def completed(app: Flask, cast: Cast, sandbox: SandboxControl, *lines: tuple[str, int]) -> Order:
    """The whole story of one order: the money is with the seller."""
    order = paid(app, cast, sandbox, *lines)[0]
    confirmed(order, cast)
    drain("provider_calls")
    return orders_queries.any_order(order.id)


def days_pass(days: int, sandbox: SandboxControl) -> None:
    """Time passes, here and at the provider."""
    with atomic():
        clock.move_to(int(clock.shift().total_seconds()) + days * 86400)
    sandbox.advance(days)


def hold_states(order: Order) -> list[str]:
    """The states of an order's holds."""
    return [hold.state for hold in escrow_queries.holds_of([order.id])]
