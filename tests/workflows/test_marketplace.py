"""The whole way of a marketplace's order: bought, hinted, packed, said, shipped, sent back; and every hand once."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from jobs import drain
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.sandbox.trendyol import WEBHOOK_PASSWORD, WEBHOOK_USER
from portal.stock import replay
from portal.workflows import marketplace_orders
from tests.marketplace import Street, returns
from tests.stock import CEM, TAPE, Warehouse, number, on_hand
from tests.world import SandboxControl


def test_from_the_customers_click_to_the_shelf_and_back(
    app: Flask, client: FlaskClient, sandbox: SandboxControl
) -> None:
    warehouse, street = Warehouse(), Street(sandbox)
    street.lever("rules", limits=False)
    warehouse.receive(50)
    (key,) = street.order((TAPE, 8))
    hint = street.look("webhooks")[-1]["raw"]
    for _again in range(3):
        assert (
            client.post(
                "/api/webhooks/storefronts/trendyol",
                data=hint,
                auth=(WEBHOOK_USER, WEBHOOK_PASSWORD),
                content_type="application/json",
            ).status_code
            == 200
        )
    drain.drain("inbox")
    assert on_hand(warehouse.tape) == (50, 8)
    street.pack(key, warehouse.tape, warehouse.a1, 8)
    drain.drain("provider_calls")
    assert (on_hand(warehouse.tape), street.status(key)) == ((42, 0), "Picking")
    with atomic():
        marketplace_orders.invoiced(street.ours_inside(key).id, "ABC2026000000001", by=CEM)
    drain.drain("provider_calls")
    assert street.status(key) == "Invoiced"
    for status in ("Shipped", "Delivered", "Returned"):
        street.becomes(key, status)
        street.pull()
    assert street.ours(key).state == "RETURNED"
    assert returns() == [(f"trendyol:{key}", 8, 0, "EXPECTED")]
    with atomic():
        marketplace_orders.goods_came_back(
            number_inside("SELECT id FROM storefront_return"), warehouse.b1, 8, key="back", by=CEM
        )
    assert on_hand(warehouse.tape) == (50, 0)
    assert street.compare() == "WELL"
    assert number("SELECT count(*) FROM storefront_package") == 1
    assert replay.prove().agrees


def number_inside(sql: str) -> int:
    """As `number`, inside somebody's transaction."""
    return int(db.session.scalar(text(sql)) or 0)
