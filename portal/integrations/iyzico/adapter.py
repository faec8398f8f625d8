"""iyzico plays the PaymentGateway, and opens its webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.core.errors import BadInput
from portal.core.money import Money
from portal.core.ports import Outcome
from portal.escrow.ports import (
    CallAnswer,
    CheckoutPage,
    CheckoutRequest,
    PaymentAnswer,
    PaymentState,
    PayoutReport,
    RefundsAnswer,
    Seller,
    WebhookHint,
)
from portal.integrations.iyzico import signing, wire
from portal.integrations.iyzico.client import Heard, IyzicoClient

CHECKOUT_FORM = "/payment/iyzipos/checkoutform"
# The order in which a retrieved checkout form is signed (facts: iyzico, answer signatures).
RETRIEVE_SIGNED = (
    "paymentStatus",
    "paymentId",
    "currency",
    "basketId",
    "conversationId",
    "paidPrice",
    "price",
    "token",
)
DETAIL_SIGNED = ("paymentId", "currency", "basketId", "conversationId", "paidPrice", "price")


class IyzicoGateway:
    """The marketplace account: holds the buyers' money until each item is approved."""

    name = "iyzico"

    def __init__(self, client: IyzicoClient) -> None:
        self.client = client

    def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Where the buyer pays. Opening a page charges nothing, so silence costs nothing."""
        heard = self.client.post(f"{CHECKOUT_FORM}/initialize/auth/ecom", wire.checkout_form(request))
        body = heard.body
        if heard.outcome is not Outcome.DONE:
            return CheckoutPage(heard.outcome, why=heard.why)
        seconds = int(body.get("tokenExpireTime") or 1800)
        return CheckoutPage(Outcome.DONE, str(body["token"]), str(body["paymentPageUrl"]), seconds)

    def payment_by_token(self, token: str) -> PaymentAnswer:
        """The truth behind a payment page."""
        heard = self.client.post(f"{CHECKOUT_FORM}/auth/ecom/detail", {"locale": "tr", "token": token})
        return self._state(heard, RETRIEVE_SIGNED)

    def payment_by_key(self, provider_payment_key: str) -> PaymentAnswer:
        """The truth about a payment by their key."""
        heard = self.client.post("/payment/detail", {"locale": "tr", "paymentId": provider_payment_key})
        return self._state(heard, DETAIL_SIGNED)

    def payment_by_attempt(self, attempt_key: str) -> PaymentAnswer:
        """The truth about a payment by our key."""
        heard = self.client.post("/payment/detail", {"locale": "tr", "paymentConversationId": attempt_key})
        return self._state(heard, DETAIL_SIGNED)

    def approve(self, provider_item_key: str, *, key: str) -> CallAnswer:
        """Let an item's money go to the seller."""
        return _answer(self.client.post("/payment/iyzipos/item/approve", _item(provider_item_key, key)))

    def disapprove(self, provider_item_key: str, *, key: str) -> CallAnswer:
        """Take an approval back, while nothing has been paid out."""
        return _answer(self.client.post("/payment/iyzipos/item/disapprove", _item(provider_item_key, key)))

    def refund(self, provider_item_key: str, amount: Money, *, key: str, because: str) -> CallAnswer:
        """Give part or all of an item back. They have no idempotency: never sent twice by a machine."""
        asked = {
            **_item(provider_item_key, key),
            "price": wire.lira(amount),
            "currency": "TRY",
            "reason": "OTHER",
            "description": because[:200],
        }
        return _answer(self.client.post("/payment/refund", asked))

    def cancel(self, provider_payment_key: str, *, key: str, because: str) -> CallAnswer:
        """Take a whole payment back, the same day."""
        asked = {"locale": "tr", "conversationId": key, "paymentId": provider_payment_key, "reason": "OTHER"}
        return _answer(self.client.post("/payment/cancel", {**asked, "description": because[:200]}))

    def refunds_of(self, provider_payment_key: str) -> RefundsAnswer:
        """Every refund and cancel they know of."""
        heard = self.client.get("/v2/reporting/payment/details", {"paymentId": provider_payment_key})
        if heard.outcome is not Outcome.DONE:
            return RefundsAnswer(heard.outcome, why=heard.why)
        facts, cancelled = wire.refund_facts(heard.body)
        return RefundsAnswer(Outcome.DONE, facts, cancelled)

    def register_seller(self, seller: Seller, *, key: str) -> CallAnswer:
        """Make a seller known. They refuse a second registration, so we look and take the key they gave."""
        heard = self.client.post("/onboarding/submerchant", wire.sub_merchant(seller, key))
        if heard.outcome in (Outcome.REFUSED, Outcome.UNKNOWN):
            asked = {"locale": "tr", "conversationId": key, "subMerchantExternalId": seller.external_key}
            known = self.client.post("/onboarding/submerchant/detail", asked)
            heard = known if known.outcome is Outcome.DONE else heard
        return _answer(heard, reference="subMerchantKey")

    def payouts_of(self, day: date) -> PayoutReport:
        """What reached bank accounts on a day."""
        heard = self.client.post("/reporting/settlement/payoutcompleted", {"locale": "tr", "date": wire.midnight(day)})
        if heard.outcome is not Outcome.DONE:
            return PayoutReport(heard.outcome, why=heard.why)
        return PayoutReport(Outcome.DONE, wire.payout_rows(heard.body, day))

    def _state(self, heard: Heard, signed: tuple[str, ...]) -> PaymentAnswer:
        if heard.outcome is not Outcome.DONE:
            return PaymentAnswer(heard.outcome, why=heard.why)
        if "signature" in heard.body and not self._genuine(heard.body, signed):
            return PaymentAnswer(Outcome.UNKNOWN, why="the answer's signature does not fit")
        state: PaymentState = wire.payment_state(heard.body)
        return PaymentAnswer(Outcome.DONE, state)

    def _genuine(self, body: dict[str, Any], signed: tuple[str, ...]) -> bool:
        ours = signing.answer_signature(self.client.secret_key, [body.get(name, "") for name in signed])
        return hmac.compare_digest(ours, str(body["signature"]))


class IyzicoWebhooks:
    """Checks V3 signatures. Nothing outside the signature is believed, not even their own event id."""

    def __init__(self, secret_key: str) -> None:
        self.secret_key = secret_key

    def open(self, headers: dict[str, str], body: bytes) -> WebhookHint | None:
        """The hint inside; None when the signature does not fit. Refuses what is not an event at all."""
        fields = _fields(body)
        event = fields["iyziEventType"]
        conversation, status = fields["paymentConversationId"], fields["status"]
        token, payment = fields["token"], fields["iyziPaymentId"] if fields["token"] else fields["paymentId"]
        parts = [event, payment, token, conversation, status] if token else [event, payment, conversation, status]
        given = {name.lower(): value for name, value in headers.items()}.get("x-iyz-signature-v3", "")
        ours = signing.webhook_signature(self.secret_key, *parts)
        if not hmac.compare_digest(ours.encode(), given.strip().lower().encode("utf-8", "replace")):
            return None
        name = f"token:{token}" if token else f"payment:{payment}"
        digest = hashlib.sha256("|".join([event, name, conversation, status]).encode()).hexdigest()
        return WebhookHint(event_type=f"{event} {status}", dedupe_key=digest, aggregate_key=name)


def _fields(body: bytes) -> dict[str, str]:
    try:
        content = json.loads(body.decode("utf-8"), parse_float=str)
    except (ValueError, RecursionError):
        raise BadInput(_l("The request could not be understood.")) from None
    if not isinstance(content, dict):
        raise BadInput(_l("The request could not be understood."))
    names = ("iyziEventType", "paymentConversationId", "status", "token", "iyziPaymentId", "paymentId")
    return {name: _short_text(content.get(name)) for name in names}


def _short_text(value: Any) -> str:
    """Their ids come as text or as numbers; anything else, or anything long or unprintable, is no id."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInput(_l("The request could not be understood."))
    if isinstance(value, int) and abs(value) >= 10**30:
        raise BadInput(_l("The request could not be understood."))
    text = str(value)
    if len(text) > 200 or not text.isascii() or not (text.isprintable()):
        raise BadInput(_l("The request could not be understood."))
    return text


def _item(provider_item_key: str, key: str) -> dict[str, str]:
    return {"locale": "tr", "conversationId": key, "paymentTransactionId": provider_item_key}


def _answer(heard: Heard, reference: str = "paymentTransactionId") -> CallAnswer:
    body = heard.body
    return CallAnswer(heard.outcome, str(body.get(reference) or ""), heard.why, str(body.get("errorCode") or ""))
