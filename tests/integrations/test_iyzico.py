"""The adapter: signatures to the letter, three outcomes, and nothing believed that is not signed."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.core.money import Money
from portal.core.ports import Outcome, port
from portal.escrow import queries as escrow_queries
from portal.escrow.ports import PaymentGateway, PaymentTruth, Seller
from portal.integrations.iyzico import signing
from portal.integrations.iyzico.adapter import IyzicoGateway, IyzicoWebhooks
from portal.integrations.iyzico.client import IyzicoClient
from portal.sandbox.iyzico import signing as their_signing
from tests import story
from tests.cast import Cast
from tests.world import SandboxControl

SECRET = "sandbox-testSecret"


def test_requests_are_signed_as_documented() -> None:
    body = b'{"locale":"tr","conversationId":"c-1","paymentTransactionId":"27206433"}'
    assert signing.request_signature(SECRET, "1700000000000abc", "/payment/iyzipos/item/approve", body) == (
        "46d6f69aadf126249cacb0183f558f33112f0ea87ac18f0fbed90fb21bd8c574"
    )
    assert signing.request_signature(SECRET, "1700000000000abc", "/v2/reporting/payment/details", b"") == (
        "8125b2e841890e882f9fdeb486bf593d1369c14608a90884764fc4b4c1113371"
    )


def test_answers_and_webhooks_are_signed_as_documented() -> None:
    from decimal import Decimal

    values = ["SUCCESS", 22416035, "TRY", "B67832", "123456789", Decimal("10.50"), Decimal("10.00"), "tok-1"]
    known = "489bba864a5b559cf68179205180482baeeeaa05a56f1e5b1926c5297cd1c8d9"
    assert signing.answer_signature(SECRET, values) == known
    assert their_signing.of_answer(SECRET, *values) == known
    direct = ("PAYMENT_API", "22416035", "c-1", "SUCCESS")
    known = "02b770467aed97c23d5e61c7989afdd7d6f19885faee0c3a9770e98cc91911ce"
    assert signing.webhook_signature(SECRET, *direct) == their_signing.of_webhook(SECRET, *direct) == known
    page = ("CHECKOUT_FORM_AUTH", "22416035", "tok-1", "c-1", "SUCCESS")
    known = "7453ae3faa926165578fcae3a824ad6b67ec3672362d6f9a6b95ceafd1acf356"
    assert signing.webhook_signature(SECRET, *page) == their_signing.of_webhook(SECRET, *page) == known


def test_a_direct_webhook_is_read_too() -> None:
    body = b'{"paymentConversationId":"c-1","paymentId":22416035,"status":"SUCCESS","iyziEventType":"PAYMENT_API"}'
    signature = signing.webhook_signature(SECRET, "PAYMENT_API", "22416035", "c-1", "SUCCESS")
    hint = IyzicoWebhooks(SECRET).open({"x-iyz-signature-v3": signature.upper()}, body)
    assert hint
    assert hint.aggregate_key == "payment:22416035"
    assert IyzicoWebhooks("other").open({"X-IYZ-SIGNATURE-V3": signature}, body) is None


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("slow", Outcome.UNKNOWN), ("timeout_before_effect", Outcome.UNKNOWN), ("timeout_after_effect", Outcome.UNKNOWN),
        ("error_500", Outcome.UNKNOWN), ("error_500_after_effect", Outcome.UNKNOWN), ("malformed", Outcome.UNKNOWN),
        ("refuse", Outcome.REFUSED),
    ],
)  # fmt: skip
def test_every_mishap_has_its_outcome(
    app: Flask, cast: Cast, sandbox: SandboxControl, mode: str, outcome: Outcome
) -> None:
    order = story.paid(app, cast, sandbox)[0]
    item = escrow_queries.holds_of([order.id])[0].provider_item_key
    sandbox.fault("approve", mode, seconds=2)
    answer = port(PaymentGateway).approve(item, key="k")
    assert answer.outcome is outcome
    done = mode in ("slow", "timeout_after_effect", "error_500_after_effect", "malformed")
    assert bool(sandbox.effects("approve")) is done
    truth = port(PaymentGateway).payment_by_key(payment_key(order.checkout_id))
    assert truth.state
    assert truth.state.truth is PaymentTruth.PAID
    assert truth.state.items[0].approved is done


def payment_key(checkout_id: int) -> str:
    """The provider's key of the paid payment."""
    key = escrow_queries.payments_of(checkout_id)[0].provider_payment_key
    assert key
    return key


def test_a_door_that_is_shut_was_certainly_not_passed(app: Flask) -> None:
    nobody = IyzicoGateway(IyzicoClient(base_url="http://127.0.0.1:9", api_key="k", secret_key=SECRET))
    assert nobody.approve("1", key="k").outcome is Outcome.NOT_SENT
    assert nobody.payment_by_token("t").outcome is Outcome.NOT_SENT


def test_a_wrong_secret_is_refused_by_the_other_side(app: Flask, sandbox: SandboxControl) -> None:
    for api_key, secret, code in (("sandbox-testApiKey", "wrong", "1000"), ("wrong", SECRET, "1001")):
        gateway = IyzicoGateway(IyzicoClient(base_url=sandbox.url, api_key=api_key, secret_key=secret))
        answer = gateway.approve("1", key="k")
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, code)


def test_an_answer_somebody_tampered_with_is_not_believed(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    import httpx

    def tampering(request: httpx.Request) -> httpx.Response:
        answer = httpx.Client().send(
            httpx.Request(request.method, request.url, content=request.content, headers=request.headers)
        )
        return httpx.Response(200, content=answer.content.replace(b"214", b"213"))

    client = IyzicoClient(
        base_url=sandbox.url, api_key="sandbox-testApiKey", secret_key=SECRET, transport=httpx.MockTransport(tampering)
    )
    answer = IyzicoGateway(client).payment_by_key(payment_key(order.checkout_id))
    assert (answer.outcome, answer.state) == (Outcome.UNKNOWN, None)


def test_registering_a_seller_again_answers_the_same_key(app: Flask, sandbox: SandboxControl) -> None:
    seller = Seller(
        "X1", "Ltd.", "Şişli", "3130557669", "TR330006100519786457841326", "a@b.tr", "+905320000000", "Adres"
    )
    gateway = port(PaymentGateway)
    first, again = gateway.register_seller(seller, key="1"), gateway.register_seller(seller, key="2")
    assert first.outcome is again.outcome is Outcome.DONE
    assert first.reference == again.reference != ""
    sandbox.fault("submerchant", "timeout_after_effect", seconds=2)
    late = gateway.register_seller(
        Seller("X2", "Ltd.", "Şişli", "3130557669", "TR330006100519786457841326", "a@b.tr", "+905320000000", "Adres"),
        key="3",
    )
    assert late.outcome is Outcome.DONE
    assert sandbox.effects("submerchant") == {"X1": 1, "X2": 1}


def test_refunds_are_told_with_our_own_key(app: Flask, cast: Cast, sandbox: SandboxControl) -> None:
    order = story.paid(app, cast, sandbox)[0]
    hold = escrow_queries.holds_of([order.id])[0]
    gateway = port(PaymentGateway)
    assert gateway.refund(hold.provider_item_key, Money(150), key="refund:77", because="ezik").outcome is Outcome.DONE
    facts = gateway.refunds_of(payment_key(order.checkout_id))
    assert [(f.our_key, f.amount.kurus, f.succeeded) for f in facts.refunds] == [("refund:77", 150, True)]
    assert facts.cancelled is False
    too_much = gateway.refund(hold.provider_item_key, Money(85_900), key="refund:78", because="ezik")
    assert too_much.outcome is Outcome.REFUSED
    with_books = app.extensions["ports"]
    assert with_books
