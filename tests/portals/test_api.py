"""The network API: the same services as the pages, once per key, and clear about what is wrong."""

from __future__ import annotations

import contextvars
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.orders.models import Checkout, Offer
from tests import story
from tests.cast import Cast, Machine, api
from tests.world import SandboxControl

BODY = {"lines": [{"barcode": story.TAPE, "quantity": 2}]}


@pytest.fixture
def fatma(app: Flask, cast: Cast) -> Machine:
    """Fatma's API client."""
    return api(app, cast.fatma)


def place(machine: Machine, key: str, body: Any = BODY) -> tuple[int, Any]:
    """POST /api/network/orders."""
    answer = machine.client.post("/api/network/orders", json=body, headers=machine.headers(Idempotency_Key=key))
    return answer.status_code, answer.get_json()


def checkouts() -> int:
    """How many baskets there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count(Checkout.id))) or 0


def test_the_same_key_and_body_is_one_basket_with_one_answer(fatma: Machine) -> None:
    first, again = place(fatma, "k1"), place(fatma, "k1")
    assert first == again
    assert first[0] == 201
    assert first[1]["total_kurus"] == 2 * 21475
    assert checkouts() == 1


def test_the_same_key_with_another_body_is_refused(fatma: Machine) -> None:
    place(fatma, "k1")
    other = {"lines": [{"barcode": story.TAPE, "quantity": 3}]}
    status, answer = place(fatma, "k1", other)
    assert (status, answer["error"]) == (422, "idempotency_key_reused")
    assert checkouts() == 1


def test_fifty_at_once_have_one_effect_and_one_answer(fatma: Machine) -> None:
    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(lambda _: contextvars.Context().run(place, fatma, "k50"), range(50)))
    assert {status for status, _ in answers} == {201}
    assert len({json.dumps(answer, sort_keys=True) for _, answer in answers}) == 1
    assert checkouts() == 1


def test_without_a_key_nothing_is_ordered(fatma: Machine) -> None:
    status, answer = place(fatma, "")
    assert (status, list(answer["fields"])) == (422, ["Idempotency-Key"])
    assert checkouts() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"barcode": "1", "quantity": 1}]}, "lines[0].barcode"),
        ({"lines": [{"barcode": story.TAPE, "quantity": 0}]}, "lines[0].quantity"),
        ({"lines": [{"barcode": story.TAPE, "quantity": "2"}]}, "lines[0].quantity"),
        ({"lines": [{"barcode": story.TAPE, "quantity": 10**30}]}, "lines[0].quantity"),
        ({"lines": [{"barcode": "\x00", "quantity": 1}]}, None),
        ({"lines": [{"barcode": story.TAPE, "quantity": 1, "price": 1}]}, "lines[0]"),
        ({}, "body"),
        ([], "body"),
    ],
)
def test_nonsense_is_named_and_changes_nothing(fatma: Machine, body: Any, field: str | None) -> None:
    status, answer = place(fatma, "k", body)
    assert status == 422
    assert field is None or field in answer["fields"]
    assert checkouts() == 0


def test_a_basket_worth_more_than_one_payment_may_carry_is_refused(cast: Cast, fatma: Machine) -> None:
    with atomic() as session:
        dear = Offer(
            seller_organisation_id=cast.deniz.organisation_id, barcode="1", name="Gemi", unit_price_kurus=10**12
        )
        session.add(dear)
    assert place(fatma, "k", {"lines": [{"barcode": "1", "quantity": 10}]})[0] == 201
    status, answer = place(fatma, "k2", {"lines": [{"barcode": "1", "quantity": 11}]})
    assert (status, answer["error"]) == (409, "order_too_big")


def test_broken_json_is_400_and_other_content_415(fatma: Machine) -> None:
    headers = fatma.headers(Idempotency_Key="k")
    broken = fatma.client.post(
        "/api/network/orders", data=b'{"lines": [', content_type="application/json", headers=headers
    )
    other = fatma.client.post("/api/network/orders", data=b"x=1", content_type="text/plain", headers=headers)
    assert (broken.status_code, other.status_code) == (400, 415)


def test_the_whole_story_by_api(app: Flask, cast: Cast, fatma: Machine, sandbox: SandboxControl) -> None:
    story.register_sellers()
    placed = place(fatma, "story")[1]
    page = fatma.client.post(placed["payment_path"], headers=fatma.headers()).get_json()["payment_page_url"]
    again = fatma.client.post(placed["payment_path"], headers=fatma.headers()).get_json()["payment_page_url"]
    assert page == again
    assert sandbox.pay(page.rsplit("/", 1)[1]) == 200
    assert story.deliver_webhook(app, sandbox.webhooks()[0]) == 200
    story.drain("inbox")
    order_id = placed["orders"][0]["id"]
    shown = fatma.client.get(f"/api/network/orders/{order_id}", headers=fatma.headers()).get_json()
    assert (shown["state"], shown["payout_status"]) == ("PAID", "NONE")
    too_early = fatma.client.post(f"/api/network/orders/{order_id}/confirm-delivery", headers=fatma.headers())
    assert (too_early.status_code, too_early.get_json()["error"]) == (409, "nothing_to_confirm")
    from portal.orders import queries

    story.shipped(queries.any_order(order_id), cast)
    done = fatma.client.post(f"/api/network/orders/{order_id}/confirm-delivery", headers=fatma.headers()).get_json()
    assert (done["state"], done["payout_status"], done["shipments"][0]["state"]) == (
        "COMPLETED", "INITIATED", "ACCEPTED",
    )  # fmt: skip
    story.drain("provider_calls")
    shown = fatma.client.get(f"/api/network/orders/{order_id}", headers=fatma.headers()).get_json()
    assert shown["payout_status"] == "RELEASED"


def test_cron_needs_its_secret(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/api/cron/payout-reconciliation").status_code == 401
    assert client.post("/api/cron/payout-reconciliation", headers={"X-Cron-Secret": "ç"}).status_code == 401
    answer = client.get("/api/cron/payout-reconciliation", headers={"X-Cron-Secret": "c" * 40})
    assert answer.status_code == 200
    assert answer.get_json()["run"] == 1


def test_a_flood_is_told_when_to_come_back(fatma: Machine) -> None:
    statuses = []
    for _ in range(40):
        answer = fatma.client.post("/api/network/orders/1/confirm-delivery", headers=fatma.headers())
        statuses.append(answer.status_code)
    assert statuses[-1] == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.get_json()["error"] == "too_many"
