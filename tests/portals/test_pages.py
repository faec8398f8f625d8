"""Every page, for the one it is made for, when there is something to show."""

from __future__ import annotations

import pytest
from flask import Flask

from jobs import schedule as jobs
from portal.core.money import Money
from portal.core.unit_of_work import atomic
from portal.escrow import queries as escrow_queries
from portal.orders import queries as orders_queries
from portal.workflows import returns
from tests import story
from tests.cast import Cast, actor, sign_in
from tests.world import SandboxControl

PAGES = {
    "fatma": ["/buyer/", "/buyer/offers", "/buyer/offers?q=koli", "/buyer/orders", "/buyer/orders?state=COMPLETED&page=7",
              "/buyer/orders/{order}", "/buyer/orders/{order}/delivery", "/buyer/checkouts/{checkout}",
              "/passport/order/{order}", "/passport/line/{line}", "/passport/hold/{hold}"],
    "deniz": ["/seller/", "/seller/orders", "/seller/orders/{order}", "/seller/balance", "/seller/balance?as_of=01.01.2020",
              "/seller/balance?as_of=nonsense", "/passport/order/{order}", "/passport/posting/{posting}"],
    "cem": ["/warehouse/", "/warehouse/?state=HANDED_OVER", "/warehouse/shipments/{shipment}"],
    "ayse": ["/finance/", "/finance/orders", "/finance/orders/{order}", "/finance/holds", "/finance/holds/{hold}/refund",
             "/finance/holds/{hold}/refund?amount=10,50", "/finance/payouts", "/finance/ledger", "/finance/ledger?until=21.11.2026&account=escrow",
             "/finance/ledger?until=x", "/finance/ledger/entries/1", "/passport/payment/{payment}", "/passport/entry/1",
             "/passport/refund/{refund}", "/passport/shipment/{shipment}"],
    "burak": ["/reports/", "/reports/stock", "/reports/daily_operations?period=last_month", "/media/", "/admin/mail",
              "/finance/", "/admin/inbox", "/admin/outbox"],
    "gul": ["/admin/schedules/", "/admin/schedules/1", "/admin/mail/1", "/admin/troubles", "/admin/privacy/", "/reports/payouts", "/support",
            "/admin/", "/admin/inbox", "/admin/inbox/1", "/admin/outbox", "/admin/outbox?person=1", "/admin/outbox/1", "/admin/audit", "/admin/audit?q=signed"],
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", ["tr", "en"])
def test_every_page_shows_itself(app: Flask, cast: Cast, sandbox: SandboxControl, name: str, language: str) -> None:
    order = story.completed(app, cast, sandbox)
    hold = escrow_queries.holds_of([order.id])[0]
    with atomic():
        refund = returns.refund(hold.id, Money(1000), by=actor(cast.ayse), because="bir koli ezik")
    story.drain("provider_calls")
    order = orders_queries.any_order(order.id)
    names = {
        "order": order.id, "checkout": order.checkout.public_key, "line": order.lines[0].id, "hold": hold.id,
        "posting": 1, "payment": hold.payment_id, "refund": refund.id, "shipment": 1,
    }  # fmt: skip
    jobs.tick(app)
    browser = sign_in(app, getattr(cast, name))
    browser.post("/preferences/language", language=language)
    for page in PAGES[name]:
        status, text = browser.get(page.format(**names))
        assert status == 200, (page, text[-600:])
        assert f'<html lang="{language}"' in text
