"""Parcels by API: as many as the seller likes, once per key, never more than ordered."""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from portal.core.unit_of_work import atomic
from portal.orders import queries as orders_queries
from portal.orders.models import Order
from portal.shipping import queries as shipping_queries
from portal.workflows import delivery
from tests import story
from tests.cast import Cast, Machine, actor, api
from tests.world import SandboxControl


@pytest.fixture
def order(app: Flask, cast: Cast, sandbox: SandboxControl) -> Order:
    """Fatma's paid order of four tapes and two films at Deniz."""
    order_id = story.paid(app, cast, sandbox, (story.TAPE, 4), (story.FILM, 2))[0].id
    return orders_queries.any_order(order_id)


def init(machine: Machine, order: Order, key: str, items: Any = None) -> tuple[int, Any]:
    """POST …/shipments/init."""
    body = {} if items is None else {"items": [{"line_id": line, "quantity": n} for line, n in items]}
    answer = machine.client.post(
        f"/api/network/orders/{order.id}/shipments/init", json=body, headers=machine.headers(Idempotency_Key=key)
    )
    return answer.status_code, answer.get_json()


def test_an_order_goes_out_in_parts(app: Flask, cast: Cast, order: Order) -> None:
    deniz = api(app, cast.deniz)
    tape, film = order.lines
    first = init(deniz, order, "a", [(tape.id, 1)])
    assert (first[0], first[1]["sequence"], first[1]["items"]) == (201, 1, [{"line_id": tape.id, "quantity": 1}])
    assert init(deniz, order, "a", [(tape.id, 1)]) == first
    assert init(deniz, order, "a", [(tape.id, 2)])[1]["error"] == "idempotency_key_reused"
    rest = init(deniz, order, "b")[1]
    assert rest["items"] == [{"line_id": tape.id, "quantity": 3}, {"line_id": film.id, "quantity": 2}]
    assert init(deniz, order, "c")[1]["error"] == "nothing_left_to_ship"


def test_more_than_ordered_is_refused_whole(app: Flask, cast: Cast, order: Order) -> None:
    deniz = api(app, cast.deniz)
    tape, film = order.lines
    for items in ([(tape.id, 5)], [(tape.id, 3), (tape.id, 2)], [(film.id, 1), (tape.id, 9)], [(999, 1)]):
        status, answer = init(deniz, order, "x", items)
        assert (status, answer["error"]) == (409, "more_than_ordered")
    assert shipping_queries.parcels_of(order.id) == []
    assert [line.shipped_quantity for line in orders_queries.lines_of(order.id)] == [0, 0]


def test_of_many_servers_shipping_the_last_piece_one_wins(app: Flask, cast: Cast, order: Order) -> None:
    deniz = api(app, cast.deniz)
    tape = order.lines[0]
    init(deniz, order, "first", [(tape.id, 3)])
    with ThreadPoolExecutor(16) as servers:
        answers = list(
            servers.map(lambda n: contextvars.Context().run(init, deniz, order, f"last-{n}", [(tape.id, 1)]), range(16))
        )
    assert sorted(status for status, _ in answers) == [201] + [409] * 15
    assert {answer["error"] for status, answer in answers if status == 409} == {"more_than_ordered"}


def test_the_order_is_complete_only_when_every_parcel_is(app: Flask, cast: Cast, order: Order) -> None:
    deniz, (tape, _film) = api(app, cast.deniz), order.lines
    parcels = [init(deniz, order, "a", [(tape.id, 1)])[1]["id"], init(deniz, order, "b")[1]["id"]]
    states = []
    for parcel in parcels:
        with atomic():
            delivery.pack_parcel(parcel, by=actor(cast.cem))
        with atomic():
            delivery.hand_over_parcel(parcel, carrier="Elden", tracking_number="", by=actor(cast.deniz))
        states.append(orders_queries.any_order(order.id).state)
        with atomic():
            delivery.confirm_delivery(order.id, [parcel], by=actor(cast.fatma), because="teslim aldım")
        states.append(orders_queries.any_order(order.id).state)
        states.append(",".join(story.hold_states(order)))
    assert states == [
        "PARTIALLY_SHIPPED", "PARTIALLY_SHIPPED", "RELEASING,HELD,HELD,HELD,HELD,HELD",
        "SHIPPED", "COMPLETED", ",".join(["RELEASING"] * 6),
    ]  # fmt: skip
    story.drain("provider_calls")
    assert orders_queries.any_order(order.id).payout_status == "RELEASED"
