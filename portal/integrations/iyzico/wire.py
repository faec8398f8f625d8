"""iyzico's words and ours: the only file that spells their fields (facts: iyzico, 21.11.2026)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.core.clock import ISTANBUL
from portal.core.errors import UnknownWords
from portal.core.money import Money, from_lira
from portal.core.ports import Outcome
from portal.escrow.ports import (
    CheckoutItem,
    CheckoutPage,
    CheckoutRequest,
    PaidItem,
    PaidOut,
    PaymentState,
    PaymentTruth,
    RefundFact,
    Seller,
)

CHECKOUT_FORM = "/payment/iyzipos/checkoutform"
# The fields an answer's signature covers, in the documented order.
OPENED_SIGNED = ("conversationId", "token")
RETRIEVED_SIGNED = (
    "paymentStatus", "paymentId", "currency", "basketId", "conversationId", "paidPrice", "price", "token",
)  # fmt: skip
DETAIL_SIGNED = ("paymentId", "currency", "basketId", "conversationId", "paidPrice", "price")
REFUND_SIGNED = ("paymentId", "price", "currency", "conversationId")
WEBHOOK_FIELDS = ("iyziEventType", "paymentConversationId", "status", "token", "iyziPaymentId", "paymentId")

ITEM_WAITS, ITEM_APPROVED, ITEM_REVIEWED, ITEM_REJECTED = 1, 2, 0, -1
# Their payment words that mean "not decided yet".
UNDECIDED = {
    "INIT_THREEDS", "CALLBACK_THREEDS", "BKM_POS_SELECTED", "INIT_APM", "INIT_BANK_TRANSFER", "INIT_CREDIT",
    "PENDING_CREDIT", "INIT_CONTACTLESS",
}  # fmt: skip


def lira(amount: Money) -> str:
    """10.50, as they like it."""
    return str(amount.as_decimal())


def checkout_form(request: CheckoutRequest) -> dict[str, Any]:
    """The basket, for their payment page."""
    name, _, surname = request.buyer_name.rpartition(" ")
    address = {
        "address": request.buyer_address,
        "contactName": request.buyer_name,
        "city": request.buyer_city,
        "country": "Turkey",
    }
    return {
        "locale": request.language,
        "conversationId": request.attempt_key,
        "price": lira(request.total),
        "paidPrice": lira(request.total),
        "currency": "TRY",
        "basketId": request.attempt_key,
        "paymentGroup": "PRODUCT",
        "callbackUrl": request.callback_url,
        "enabledInstallments": [1],
        "buyer": {
            "id": request.buyer_key,
            "name": name or surname,
            "surname": surname,
            "identityNumber": request.buyer_tax_number,
            "email": request.buyer_email,
            "gsmNumber": request.buyer_phone,
            "registrationAddress": request.buyer_address,
            "city": request.buyer_city,
            "country": "Turkey",
            "ip": request.buyer_ip,
        },
        "shippingAddress": address,
        "billingAddress": address,
        "basketItems": [_basket_item(wanted) for wanted in request.items],
    }


def _basket_item(wanted: CheckoutItem) -> dict[str, str]:
    return {
        "id": wanted.item_key,
        "name": wanted.name,
        "category1": "B2B",
        "itemType": "PHYSICAL",
        "price": lira(wanted.amount),
        "subMerchantKey": wanted.seller_key,
        "subMerchantPrice": lira(wanted.seller_share),
    }


def opened_page(body: dict[str, Any]) -> CheckoutPage:
    """Where the buyer pays; KeyError or ValueError when they did not say."""
    seconds = int(body.get("tokenExpireTime") or 1800)
    return CheckoutPage(Outcome.DONE, str(body["token"]), str(body["paymentPageUrl"]), seconds)


def item(provider_item_key: str, key: str) -> dict[str, str]:
    """An item, by their key."""
    return {"locale": "tr", "conversationId": key, "paymentTransactionId": provider_item_key}


def refund(provider_item_key: str, amount: Money, key: str, because: str) -> dict[str, str]:
    """Part or all of an item; they want a reason with a description."""
    asked = {**item(provider_item_key, key), "price": lira(amount), "currency": "TRY"}
    return {**asked, "reason": "OTHER", "description": because[:200]}


def cancel(provider_payment_key: str, key: str, because: str) -> dict[str, str]:
    """A whole payment."""
    asked = {"locale": "tr", "conversationId": key, "paymentId": provider_payment_key}
    return {**asked, "reason": "OTHER", "description": because[:200]}


def payment_state(body: dict[str, Any]) -> PaymentState:
    """What they say has become of a payment."""
    words = f"{body.get('paymentStatus')}/{body.get('fraudStatus')}"
    truth = _truth(body)
    if truth is PaymentTruth.PAID and not (body.get("paymentId") and body.get("itemTransactions")):
        raise UnknownWords("iyzico", {"paid, but what": sorted(body)})
    return PaymentState(
        truth=truth,
        provider_payment_key=str(body.get("paymentId") or ""),
        # Their conversationId only echoes the question; the basket id is kept with the payment.
        attempt_key=str(body.get("basketId") or ""),
        paid=_money(body.get("paidPrice")),
        provider_fee=_money(body.get("iyziCommissionFee")) + _money(body.get("iyziCommissionRateAmount")),
        items=tuple(_paid_item(row) for row in body.get("itemTransactions") or ()),
        why=str(body.get("errorMessage") or ""),
        words=words,
    )


def _truth(body: dict[str, Any]) -> PaymentTruth:
    """Fulfil only on SUCCESS with fraudStatus 1: 0 is still under review, -1 rejected."""
    match body.get("paymentStatus"), body.get("fraudStatus"):
        case "SUCCESS", 1:
            return PaymentTruth.PAID
        case "SUCCESS", 0:
            return PaymentTruth.WAITING
        case ("SUCCESS", -1) | ("FAILURE", _):
            return PaymentTruth.FAILED
        case None, _:
            return PaymentTruth.WAITING
        case word, _ if word in UNDECIDED:
            return PaymentTruth.WAITING
    raise UnknownWords("iyzico", {name: body.get(name) for name in ("paymentStatus", "fraudStatus")})


def _paid_item(row: dict[str, Any]) -> PaidItem:
    status = row.get("transactionStatus")
    if status not in (ITEM_WAITS, ITEM_APPROVED, ITEM_REVIEWED, ITEM_REJECTED):
        raise UnknownWords("iyzico", {"transactionStatus": status})
    return PaidItem(
        item_key=str(row["itemId"]),
        provider_item_key=str(row["paymentTransactionId"]),
        amount=_money(row["price"]),
        seller_share=_money(row["subMerchantPrice"]),
        approved=status == ITEM_APPROVED,
    )


def refund_facts(body: dict[str, Any]) -> tuple[tuple[RefundFact, ...], bool]:
    """Every refund of a payment from the reporting service, and whether it was cancelled whole."""
    facts = []
    cancelled = False
    for payment in body.get("payments") or ():
        cancelled = cancelled or bool(payment.get("cancels"))
        for row in payment.get("itemTransactions") or ():
            facts += [_refund_fact(row, given) for given in row.get("refunds") or ()]
    return tuple(facts), cancelled


def _refund_fact(row: dict[str, Any], given: dict[str, Any]) -> RefundFact:
    return RefundFact(
        our_key=str(given.get("refundConversationId") or ""),
        provider_item_key=str(row["paymentTransactionId"]),
        amount=_money(given["refundPrice"]),
        succeeded=given.get("refundStatus") in (1, "1", "SUCCESS"),
    )


def sub_merchant(seller: Seller, key: str) -> dict[str, str]:
    """A seller as they want to know him: a company."""
    return {
        "locale": "tr",
        "conversationId": key,
        "subMerchantExternalId": seller.external_key,
        "subMerchantType": "LIMITED_OR_JOINT_STOCK_COMPANY",
        "name": seller.legal_title,
        "legalCompanyTitle": seller.legal_title,
        "taxOffice": seller.tax_office,
        "taxNumber": seller.tax_number,
        "iban": seller.iban,
        "email": seller.email,
        "gsmNumber": seller.phone,
        "address": seller.address,
        "currency": "TRY",
    }


def known_seller(seller: Seller, key: str) -> dict[str, str]:
    """The question after a seller, by our own key of him."""
    return {"locale": "tr", "conversationId": key, "subMerchantExternalId": seller.external_key}


def payout_rows(body: dict[str, Any], day: date) -> tuple[PaidOut, ...]:
    """What reached bank accounts on a day."""
    return tuple(
        PaidOut(
            provider_item_key=str(row["paymentTransactionId"]),
            amount=_money(row["payoutAmount"]),
            seller_key=str(row.get("subMerchantKey") or ""),
            paid_on=day,
        )
        for row in body.get("payoutCompletedTransactions") or ()
    )


def midnight(day: date) -> str:
    """A day in their text form. (Unsure whether they filter by calendar day: the days before are read again anyway.)"""
    return f"{datetime(day.year, day.month, day.day, tzinfo=ISTANBUL):%Y-%m-%d %H:%M:%S}"


def _money(value: Any) -> Money:
    return from_lira(Decimal(str(value))) if value not in (None, "") else Money(0)
