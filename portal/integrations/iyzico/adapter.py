"""iyzico plays the PaymentGateway, and opens its webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _l

from portal.core.errors import BadInput, UnknownWords
from portal.core.money import Money
from portal.core.ports import CallAnswer, Outcome
from portal.escrow.ports import (
    CheckoutPage,
    CheckoutRequest,
    PaymentAnswer,
    PayoutReport,
    RefundsAnswer,
    Seller,
    WebhookHint,
)
from portal.integrations.iyzico import signing, wire
from portal.integrations.iyzico.client import Heard, IyzicoClient

T = TypeVar("T")


class IyzicoGateway:
    """The marketplace account: holds the buyers' money until each item is approved."""

    name = "iyzico"

    def __init__(self, client: IyzicoClient) -> None:
        self.client = client

    def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Where the buyer pays. Opening a page charges nothing, so silence costs nothing."""
        heard = self._post(
            f"{wire.CHECKOUT_FORM}/initialize/auth/ecom", wire.checkout_form(request), wire.OPENED_SIGNED
        )
        if heard.outcome is not Outcome.DONE:
            return CheckoutPage(heard.outcome, why=heard.why)
        try:
            return _understood(wire.opened_page, heard.body)
        except UnknownWords as words:
            return CheckoutPage(Outcome.UNKNOWN, why=str(words))

    def payment_by_token(self, token: str) -> PaymentAnswer:
        """The truth behind a payment page."""
        asked = {"locale": "tr", "token": token}
        return _state(self._post(f"{wire.CHECKOUT_FORM}/auth/ecom/detail", asked, wire.RETRIEVED_SIGNED))

    def payment_by_key(self, provider_payment_key: str) -> PaymentAnswer:
        """The truth about a payment by their key."""
        asked = {"locale": "tr", "paymentId": provider_payment_key}
        return _state(self._post("/payment/detail", asked, wire.DETAIL_SIGNED))

    def payment_by_attempt(self, attempt_key: str) -> PaymentAnswer:
        """The truth about a payment by our key."""
        asked = {"locale": "tr", "paymentConversationId": attempt_key}
        return _state(self._post("/payment/detail", asked, wire.DETAIL_SIGNED))

    def approve(self, provider_item_key: str, *, key: str) -> CallAnswer:
        """Let an item's money go to the seller."""
        return _answer(self._post("/payment/iyzipos/item/approve", wire.item(provider_item_key, key)))

    def disapprove(self, provider_item_key: str, *, key: str) -> CallAnswer:
        """Take an approval back, while nothing has been paid out."""
        return _answer(self._post("/payment/iyzipos/item/disapprove", wire.item(provider_item_key, key)))

    def refund(self, provider_item_key: str, amount: Money, *, key: str, because: str) -> CallAnswer:
        """Give part or all of an item back. They have no idempotency: never sent twice by a machine."""
        asked = wire.refund(provider_item_key, amount, key, because)
        return _answer(self._post("/payment/refund", asked, wire.REFUND_SIGNED))

    def cancel(self, provider_payment_key: str, *, key: str, because: str) -> CallAnswer:
        """Take a whole payment back, the same day."""
        asked = wire.cancel(provider_payment_key, key, because)
        return _answer(self._post("/payment/cancel", asked), reference="paymentId")

    def refunds_of(self, provider_payment_key: str) -> RefundsAnswer:
        """Every refund and cancel they know of."""
        heard = self.client.get("/v2/reporting/payment/details", {"paymentId": provider_payment_key})
        if heard.outcome is not Outcome.DONE:
            return RefundsAnswer(heard.outcome, why=heard.why)
        facts, cancelled = _understood(wire.refund_facts, heard.body)
        return RefundsAnswer(Outcome.DONE, facts, cancelled)

    def register_seller(self, seller: Seller, *, key: str) -> CallAnswer:
        """Make a seller known. They refuse a second registration, so we look and take the key they gave."""
        answer = _registered(self._post("/onboarding/submerchant", wire.sub_merchant(seller, key)))
        if answer.outcome in (Outcome.REFUSED, Outcome.UNKNOWN):
            known = _registered(self._post("/onboarding/submerchant/detail", wire.known_seller(seller, key)))
            return known if known.outcome is Outcome.DONE else answer
        return answer

    def payouts_of(self, day: date) -> PayoutReport:
        """What reached bank accounts on a day."""
        asked = {"locale": "tr", "date": wire.midnight(day)}
        heard = self._post("/reporting/settlement/payoutcompleted", asked)
        if heard.outcome is not Outcome.DONE:
            return PayoutReport(heard.outcome, why=heard.why)
        return PayoutReport(Outcome.DONE, _understood(lambda body: wire.payout_rows(body, day), heard.body))

    def _post(self, path: str, asked: dict[str, Any], signed: tuple[str, ...] = ()) -> Heard:
        """Where answers are signed, one that is not theirs tells nothing: it may have been done."""
        heard = self.client.post(path, asked)
        claims_to_be_theirs = heard.outcome is Outcome.DONE and signed and "signature" in heard.body
        if claims_to_be_theirs and not self._genuine(heard.body, signed):
            return Heard(Outcome.UNKNOWN, {}, "the answer's signature does not fit")
        return heard

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
    return {name: _short_text(content.get(name)) for name in wire.WEBHOOK_FIELDS}


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


def _state(heard: Heard) -> PaymentAnswer:
    # A declined card may come inside a failure envelope (unsure): it is still the truth about the payment.
    told = heard.outcome is Outcome.REFUSED and "paymentStatus" in heard.body
    if heard.outcome is not Outcome.DONE and not told:
        return PaymentAnswer(heard.outcome, why=heard.why)
    return PaymentAnswer(Outcome.DONE, _understood(wire.payment_state, heard.body))


def _understood(read: Callable[[dict[str, Any]], T], body: dict[str, Any]) -> T:
    """Their words in ours; what does not read as documented is kept for a person to look at."""
    try:
        return read(body)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as trouble:
        raise UnknownWords("iyzico", {"trouble": repr(trouble), **body}) from trouble


def _registered(heard: Heard) -> CallAnswer:
    """A success without a key leaves us without the seller's name at theirs: not known yet."""
    answer = _answer(heard, reference="subMerchantKey")
    if answer.outcome is Outcome.DONE and not answer.reference:
        return CallAnswer(Outcome.UNKNOWN, why="registered, but they named no key")
    return answer


def _answer(heard: Heard, reference: str = "paymentTransactionId") -> CallAnswer:
    body = heard.body
    return CallAnswer(heard.outcome, str(body.get(reference) or ""), heard.why, str(body.get("errorCode") or ""))
