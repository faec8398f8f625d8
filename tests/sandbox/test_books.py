"""The provider's own books: they add up, whatever is refunded, approved or asked twice. Driven by our adapter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask

from portal.core.money import Money, total
from portal.core.ports import CallAnswer, Outcome
from portal.escrow.ports import CheckoutItem, CheckoutPage, CheckoutRequest, PaymentTruth, Seller
from portal.integrations.iyzico import signing
from portal.integrations.iyzico.adapter import IyzicoGateway
from portal.integrations.iyzico.client import Heard, IyzicoClient
from portal.sandbox.app import create_sandbox
from portal.sandbox.store import Store
from portal.sandbox.world import SandboxSettings, World

OURS = 1000 + 2999  # the basket: two items of two sellers
SHARES = (915, 2744)


class Outside:
    """A sandbox of its own, without a network."""

    def __init__(self, folder: Path | None = None) -> None:
        self.app: Flask = create_sandbox(SandboxSettings("k", "s", "http://box", folder=folder))
        self.world: World = self.app.extensions["world"]
        transport = httpx.WSGITransport(app=self.app.wsgi_app)
        self.client = IyzicoClient(base_url="http://box", api_key="k", secret_key="s", transport=transport)
        self.gateway = IyzicoGateway(self.client)
        self.levers = self.app.test_client()

    def sellers(self) -> list[str]:
        """Two sellers' keys."""
        rows = [Seller(f"X{n}", "Ltd.", "Şişli", "1", "TR1", "a@b.tr", "+90", "Adres") for n in (1, 2)]
        return [self.gateway.register_seller(row, key="k").reference for row in rows]

    def page(self, attempt: str = "a" * 32, *, off: int = 0, shares: tuple[int, int] = SHARES) -> CheckoutPage:
        """A page for the basket; `off` makes it not add up."""
        keys = self.sellers()
        items = [
            CheckoutItem(f"i-{n}", "Koli bandı", Money(amount), keys[n], Money(shares[n]))
            for n, amount in enumerate((1000, 2999))
        ]
        buyer = ("b-1", "Fatma Yılmaz", "f@x.tr", "+90", "1", "Adres", "İzmir", "::1", "http://shop/return")
        return self.gateway.open_checkout(CheckoutRequest(attempt, Money(OURS + off), items, *buyer))

    def paid(self, attempt: str = "a" * 32) -> tuple[str, list[str]]:
        """A paid basket: the payment's key and its items'."""
        token = self.page(attempt).token
        assert self.levers.post(f"/_sandbox/iyzico/pay/{token}").status_code == 200
        state = self.gateway.payment_by_token(token).state
        assert state
        return state.provider_payment_key, [item.provider_item_key for item in state.items]

    def refund(self, item: str, kurus: int, key: str = "r") -> CallAnswer:
        """Money goes back."""
        return self.gateway.refund(item, Money(kurus), key=key, because="ezik")

    def days(self, days: int) -> date:
        """Time passes; the day it is then."""
        self.levers.post("/_sandbox/clock", json={"advance_seconds": days * 86400})
        return date.fromisoformat(self.world.today())

    def put(self, path: str, **asked: Any) -> dict[str, Any]:
        """A change the portal itself does not make, signed like the rest."""
        body = json.dumps(asked).encode()
        headers = {"Authorization": signing.authorization("k", "s", "r", path, body)}
        told: dict[str, Any] = self.levers.put(path, data=body, headers=headers).get_json()
        return told

    def ask(self, path: str, **asked: Any) -> Heard:
        """A call the portal itself does not make."""
        return self.client.post(path, asked)


@pytest.fixture
def outside() -> Iterator[Outside]:
    """A new world."""
    box = Outside()
    yield box
    box.client.http.close()


def test_what_comes_in_goes_out_to_the_last_kurus(outside: Outside) -> None:
    payment, items = outside.paid()
    for kurus in (333, 334, 1):
        assert outside.refund(items[1], kurus).outcome is Outcome.DONE
    for item in items:
        assert outside.gateway.approve(item, key="k").outcome is Outcome.DONE
    rows = outside.gateway.payouts_of(outside.days(1)).rows
    state = outside.gateway.payment_by_key(payment).state
    assert state
    assert total([row.amount for row in rows]) + state.provider_fee + Money(668) == Money(OURS)
    sellers = [row.amount.kurus for row in rows if row.seller_key]
    # One sum of all parts, rounded down once: three parts rounded one by one would have come to a kuruş less.
    assert sellers == [915, 2744 - 2744 * 668 // 2999]


def test_money_leaves_on_its_day_and_only_then(outside: Outside) -> None:
    _payment, items = outside.paid()
    today = date.fromisoformat(outside.world.today())
    outside.gateway.approve(items[0], key="k")
    assert outside.gateway.payouts_of(today).rows == ()
    assert outside.gateway.payouts_of(today + timedelta(days=1)).rows == ()  # nobody knows tomorrow's payouts today
    outside.days(3)
    paid = [outside.gateway.payouts_of(today + timedelta(days=n)).rows for n in range(4)]
    assert [len(rows) for rows in paid] == [0, 2, 0, 0]
    assert {row.provider_item_key for row in paid[1]} == {items[0]}


def test_what_is_refunded_later_does_not_change_what_was_paid_out(outside: Outside) -> None:
    payment, items = outside.paid()
    outside.gateway.approve(items[0], key="k")
    day = outside.days(1)
    before = outside.gateway.payouts_of(day).rows
    assert outside.refund(items[0], 1000).outcome is Outcome.DONE
    outside.days(1)
    assert outside.gateway.payouts_of(day).rows == before
    heard = outside.client.get("/v2/reporting/payment/details", {"paymentId": payment})
    assert heard.body["payments"][0]["itemTransactions"][0]["refunds"][0]["isAfterSettlement"] is True
    assert outside.gateway.disapprove(items[0], key="k").outcome is Outcome.REFUSED


def test_never_more_is_refunded_than_was_paid(outside: Outside) -> None:
    payment, items = outside.paid()
    outcomes = [
        outside.refund(items[0], kurus, key).outcome for kurus, key in ((600, "a"), (401, "b"), (400, "c"), (1, "d"))
    ]
    assert outcomes == [Outcome.DONE, Outcome.REFUSED, Outcome.DONE, Outcome.REFUSED]
    known = outside.gateway.refunds_of(payment)
    assert [(fact.our_key, fact.amount.kurus) for fact in known.refunds] == [("a", 600), ("c", 400)]
    assert outside.gateway.approve(items[0], key="k").outcome is Outcome.REFUSED
    assert outside.gateway.cancel(payment, key="k", because="x").outcome is Outcome.REFUSED


def test_the_same_refund_twice_is_two_refunds(outside: Outside) -> None:
    """They have no idempotency: a careless caller pays twice, and the effects show it."""
    _payment, items = outside.paid()
    for _ in range(2):
        outside.refund(items[0], 100, "same")
        outside.gateway.approve(items[1], key="same")
    effects = outside.levers.get("/_sandbox/iyzico/effects").get_json()["effects"]
    counts = {(row["operation"], row["key"]): row["count"] for row in effects}
    assert counts[("refund", "same")] == counts[("approve", items[1])] == 2


def test_an_approval_can_be_taken_back_before_the_payout(outside: Outside) -> None:
    payment, items = outside.paid()
    outside.gateway.approve(items[0], key="k")
    assert outside.gateway.disapprove(items[0], key="k").outcome is Outcome.DONE
    state = outside.gateway.payment_by_key(payment).state
    assert state
    assert not any(item.approved for item in state.items)
    assert outside.gateway.payouts_of(outside.days(1)).rows == ()


def test_a_payment_is_cancelled_whole_and_on_its_own_day(outside: Outside) -> None:
    today, _items = outside.paid()
    yesterday, _items = outside.paid("b" * 32)
    assert outside.gateway.cancel(today, key="c-1", because="x").outcome is Outcome.DONE
    assert outside.gateway.refunds_of(today).cancelled
    assert outside.gateway.cancel(today, key="c-1", because="x").outcome is Outcome.REFUSED
    outside.days(1)
    assert outside.gateway.cancel(yesterday, key="c-2", because="x").outcome is Outcome.REFUSED


def test_a_form_is_paid_once(outside: Outside) -> None:
    token = outside.page().token
    assert outside.gateway.payment_by_attempt("a" * 32).outcome is Outcome.REFUSED
    answers = [outside.levers.post(f"/_sandbox/iyzico/pay/{token}").status_code for _ in range(2)]
    assert answers == [200, 409]
    by_attempt = outside.gateway.payment_by_attempt("a" * 32).state
    assert by_attempt
    assert (by_attempt.truth, by_attempt.paid) == (PaymentTruth.PAID, Money(OURS))


def test_a_declined_card_may_be_tried_again(outside: Outside) -> None:
    token = outside.page().token
    outside.levers.post(f"/_sandbox/iyzico/pay/{token}", json={"result": "failure"})
    declined = outside.gateway.payment_by_token(token).state
    outside.levers.post(f"/_sandbox/iyzico/pay/{token}", json={"result": "success"})
    paid = outside.gateway.payment_by_token(token).state
    assert declined
    assert paid
    assert (declined.truth, paid.truth) == (PaymentTruth.FAILED, PaymentTruth.PAID)


def test_a_basket_that_does_not_add_up_gets_no_page(outside: Outside) -> None:
    assert outside.page(off=1).outcome is Outcome.REFUSED
    assert outside.page(shares=(1001, 1)).outcome is Outcome.REFUSED
    assert outside.page(shares=(1000, 2999)).outcome is Outcome.DONE


@pytest.mark.parametrize(
    "asked", [{}, {"price": "ten"}, {"paymentTransactionId": [], "price": "1"}, {"basketItems": [7]}]
)
def test_half_a_question_is_refused_not_crashed(outside: Outside, asked: dict[str, Any]) -> None:
    for path in ("/payment/refund", "/payment/cancel", "/payment/iyzipos/item/approve", "/onboarding/submerchant"):
        assert outside.ask(path, **asked).outcome is Outcome.REFUSED
    assert outside.ask("/payment/iyzipos/checkoutform/initialize/auth/ecom", **asked).outcome is Outcome.REFUSED


def test_a_sellers_share_can_be_changed_while_the_money_is_held(outside: Outside) -> None:
    payment, items = outside.paid()
    for price, status in (("9.00", "success"), ("10.01", "failure"), ("-1", "failure")):
        told = outside.put("/payment/item", paymentTransactionId=items[0], subMerchantPrice=price)
        assert told["status"] == status
    outside.gateway.approve(items[0], key="k")
    told = outside.put("/payment/item", paymentTransactionId=items[0], subMerchantPrice="8.00")
    assert told["status"] == "failure"
    state = outside.gateway.payment_by_key(payment).state
    assert state
    assert state.items[0].seller_share == Money(900)


def test_a_seller_changes_banks_and_stays_the_same_seller(outside: Outside) -> None:
    key = outside.sellers()[0]
    told = outside.put("/onboarding/submerchant", subMerchantKey=key, iban="TR2", subMerchantExternalId="X9")
    assert told["subMerchantKey"] == key
    known = outside.ask("/onboarding/submerchant/detail", subMerchantExternalId="X1").body
    assert (known["iban"], known["subMerchantKey"]) == ("TR2", key)
    assert outside.put("/onboarding/submerchant", subMerchantKey="nobody", iban="TR2")["status"] == "failure"


def test_the_days_journal_names_everything(outside: Outside) -> None:
    _payment, items = outside.paid()
    outside.refund(items[0], 7)
    cancelled, _items = outside.paid("b" * 32)
    outside.gateway.cancel(cancelled, key="c", because="x")
    heard = outside.client.get(
        "/v2/reporting/payment/transactions", {"transactionDate": outside.world.today(), "page": "1"}
    )
    told = sorted((row["transactionType"], str(row["price"])) for row in heard.body["transactions"])
    assert told == [("CANCEL", "39.99"), ("PAYMENT", "39.99"), ("PAYMENT", "39.99"), ("REFUND", "0.07")]


def test_a_webhook_mishap_waits_for_a_webhook(outside: Outside) -> None:
    """Planned for everything, it is not used up by a call that sends no webhook."""
    outside.levers.post("/_sandbox/faults", json={"provider": "iyzico", "operation": "*", "mode": "lost_webhook"})
    outside.paid()
    assert outside.levers.get("/_sandbox/iyzico/webhooks").get_json() == []
    assert outside.levers.get("/_sandbox/faults").get_json() == []


def test_every_nth_call_and_no_other(outside: Outside) -> None:
    _payment, items = outside.paid()
    plan = {"provider": "iyzico", "operation": "refund", "mode": "refuse", "times": 2, "every": 3}
    outside.levers.post("/_sandbox/faults", json=plan)
    outcomes = [outside.refund(items[0], 1, str(n)).outcome is Outcome.REFUSED for n in range(9)]
    assert outcomes == [False, False, True, False, False, True, False, False, False]


def test_the_pages_for_people_work_without_script(outside: Outside) -> None:
    token = outside.page().token
    page = outside.levers.get(f"/pay/{token}").get_data(as_text=True)
    assert "SANDBOX" in page
    assert "39,99 ₺" in page
    declined = outside.levers.post(f"/pay/{token}", data={"result": "failure"}).get_data(as_text=True)
    assert "Kart reddedildi" in declined
    back = outside.levers.post(f"/pay/{token}", data={"result": "success"}).get_data(as_text=True)
    assert 'action="http://shop/return"' in back
    assert f'value="{token}"' in back
    assert "Mağazaya dön" in back
    assert outside.levers.post(f"/pay/{token}", data={"result": "success"}).status_code == 409
    home = outside.levers.get("/").get_data(as_text=True)
    assert "39,99 ₺" in home
    assert outside.levers.get("/pay/nobody").status_code == 404


def test_a_restarted_world_knows_what_it_knew(tmp_path: Path) -> None:
    before = Outside(tmp_path)
    payment, items = before.paid()
    before.paid("b" * 32)
    before.gateway.approve(items[0], key="k")
    day = before.days(1)
    after = Outside(tmp_path)
    assert after.gateway.payouts_of(day) == before.gateway.payouts_of(day)
    assert after.gateway.payment_by_key(payment) == before.gateway.payment_by_key(payment)
    # Oldest first, although the oldest was written last.
    assert [row["id"] for row in after.world.store.all("item")][:2] == items


def test_a_new_world_gives_no_old_numbers(tmp_path: Path) -> None:
    box = Outside(tmp_path)
    first, _items = box.paid()
    box.levers.post("/_sandbox/reset")
    assert Store(tmp_path).all("payment") == []
    second, _items = box.paid()
    assert int(second) > int(first)
