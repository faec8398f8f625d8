"""Messages are hints: checked, kept, and the package is read again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from jobs import drain, sweep
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.sandbox.trendyol import WEBHOOK_PASSWORD, WEBHOOK_USER
from portal.workflows import marketplace_jobs, webhooks
from tests.marketplace import Street
from tests.stock import TAPE, Warehouse, number, on_hand

DOOR = "/api/webhooks/storefronts/trendyol"


def send(client: FlaskClient, body: Any, **more: Any) -> int:
    """As Trendyol sends."""
    more = {"auth": (WEBHOOK_USER, WEBHOOK_PASSWORD), "content_type": "application/json", **more}
    return client.post(DOOR, data=body if isinstance(body, str | bytes) else json.dumps(body), **more).status_code


def newest(street: Street) -> str:
    """Their last message, as it would come."""
    return str(street.look("webhooks")[-1]["raw"])


def handle() -> None:
    while webhooks.handle_next():
        pass


def test_a_hint_brings_the_package(client: FlaskClient, street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8))
    assert send(client, newest(street)) == 200
    handle()
    assert street.ours(key).state == "CREATED"
    assert on_hand(warehouse.tape) == (50, 8)
    assert number("SELECT count(*) FROM event_inbox WHERE topic = 'orders' AND state = 'APPLIED'") == 1


def test_the_same_hint_again_is_not_a_second_one(client: FlaskClient, street: Street, warehouse: Warehouse) -> None:
    street.order((TAPE, 8))
    for _again in range(3):
        assert send(client, newest(street)) == 200
    handle()
    assert number("SELECT count(*) FROM event_inbox") == 1
    assert on_hand(warehouse.tape) == (50, 8)


def test_what_a_message_claims_is_not_believed(client: FlaskClient, street: Street, warehouse: Warehouse) -> None:
    (key,) = street.order((TAPE, 8))
    lie = json.loads(newest(street))
    lie["content"][0] |= {"status": "Cancelled", "lastModifiedDate": lie["content"][0]["lastModifiedDate"] + 1}
    assert send(client, lie) == 200
    handle()
    assert street.ours(key).state == "CREATED"
    assert on_hand(warehouse.tape) == (50, 8)


def test_a_hint_after_the_pull_asks_nobody(client: FlaskClient, street: Street) -> None:
    street.order((TAPE, 8))
    assert send(client, newest(street)) == 200
    street.pull()
    before = street.look("calls")
    handle()
    assert street.look("calls") == before
    assert number("SELECT count(*) FROM event_inbox WHERE state = 'APPLIED'") == 1


def test_a_hint_about_a_partial_cancellation_leaves_no_moment_in_between(
    client: FlaskClient, street: Street, warehouse: Warehouse
) -> None:
    (key,) = street.order((TAPE, 5))
    street.pull()
    street.cancels(key, (TAPE, 2))
    ended = next(row for row in street.look("webhooks") if row["body"]["content"][0]["status"] == "Cancelled")
    assert send(client, ended["raw"]) == 200
    handle()
    assert on_hand(warehouse.tape) == (50, 5), "freed together with what the successor takes over"
    street.work()
    assert on_hand(warehouse.tape) == (50, 3)


@pytest.mark.parametrize(
    "more", [{"auth": ("trendyol", "wrong")}, {"auth": None}, {"headers": {"x-api-key": "x"}, "auth": None}]
)
def test_a_stranger_is_turned_away_without_a_row(client: FlaskClient, street: Street, more: dict[str, Any]) -> None:
    street.order()
    assert send(client, newest(street), **more) == 401
    assert number("SELECT count(*) FROM event_inbox") == 0


@pytest.mark.parametrize("body", ["", "null", "[]", '{"content": []}', '{"content": [{}]}', "{", "\x00", '{"a": NaN}'])
def test_nonsense_from_the_right_sender_is_refused_without_a_row(
    client: FlaskClient, street: Street, body: str
) -> None:
    assert 400 <= send(client, body) < 500
    assert number("SELECT count(*) FROM event_inbox") == 0


def test_nobody_listens_for_storefronts_we_do_not_have(client: FlaskClient, street: Street) -> None:
    assert client.post("/api/webhooks/storefronts/nobody", json={}).status_code == 404


def test_a_hint_about_a_package_they_do_not_show_yet_waits(client: FlaskClient, street: Street) -> None:
    street.order((TAPE, 8))
    ghost = json.loads(newest(street))
    ghost["content"][0]["shipmentPackageId"] = 42
    assert send(client, ghost) == 200
    handle()
    assert number("SELECT count(*) FROM event_inbox WHERE state = 'WAITING'") == 1


def test_silence_leaves_the_hint_waiting(client: FlaskClient, street: Street) -> None:
    street.order((TAPE, 8))
    assert send(client, newest(street)) == 200
    street.sandbox.fault("orders", "error_500", provider="trendyol")
    handle()
    assert number("SELECT count(*) FROM event_inbox WHERE state = 'WAITING'") == 1


def test_the_clock_outside_may_ask_with_its_secret_only(client: FlaskClient, street: Street, app: Flask) -> None:
    street.order((TAPE, 8))
    assert client.post("/api/cron/marketplace-orders").status_code == 401
    answer = client.post("/api/cron/marketplace-orders", headers={"X-Cron-Secret": app.config["CRON_SECRET"]})
    assert answer.status_code == 200
    assert answer.json["storefronts"] >= 1
    drain.drain("storefront_orders")
    assert number("SELECT count(*) FROM storefront_package") == 1


def test_the_timetable_and_the_sweeper_read_when_nobody_hints(street: Street, app: Flask) -> None:
    street.order((TAPE, 8))
    marketplace_jobs.ask_everybody()
    long_due()
    assert "storefront_orders" in sweep.sweep(app)
    assert number("SELECT count(*) FROM storefront_package") == 1
    marketplace_jobs.compare_everybody()
    long_due()
    assert "storefront_orders" in sweep.sweep(app)
    assert number("SELECT count(*) FROM storefront_gap_check WHERE storefront = 'trendyol'") == 1
    assert "storefront_orders" not in sweep.sweep(app)


def long_due() -> None:
    """Their wake-ups were lost a minute ago."""
    minute = "now() - interval '1 minute'"
    with atomic():
        db.session.execute(text(f"UPDATE storefront_sync SET pull_due_at = {minute} WHERE pull_due_at IS NOT NULL"))
        db.session.execute(text(f"UPDATE storefront_sync SET gaps_due_at = {minute} WHERE gaps_due_at IS NOT NULL"))
