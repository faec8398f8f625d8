"""iyzico's answers, field by field."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import msgspec

from portal.sandbox.iyzico import signing
from portal.sandbox.iyzico.books import Books
from portal.sandbox.store import Row

ENCODER = msgspec.json.Encoder(decimal_format="number")


def lira(kurus: int) -> Decimal:
    """As a JSON number with two decimals."""
    return Decimal(kurus).scaleb(-2)


def envelope(**fields: Any) -> dict[str, Any]:
    """What every successful answer carries."""
    return {"status": "success", "locale": "tr", "systemTime": time.time_ns() // 1_000_000, **fields}


def failure(code: str, words: str) -> dict[str, Any]:
    """What every failure carries; the HTTP status is 200 all the same, as on their older endpoints."""
    return {
        "status": "failure",
        "errorCode": code,
        "errorMessage": words,
        "errorGroup": "SANDBOX",
        "locale": "tr",
        "systemTime": time.time_ns() // 1_000_000,
    }


def form_opened(form: Row, page_url: str, secret: str) -> dict[str, Any]:
    """A payment page."""
    conversation = str(form["asked"].get("conversationId", ""))
    return envelope(
        conversationId=conversation,
        token=form["token"],
        paymentPageUrl=page_url,
        checkoutFormContent="",
        tokenExpireTime=1800,
        signature=signing.of_answer(secret, conversation, form["token"]),
    )


def form_result(form: Row, books: Books, secret: str) -> dict[str, Any]:
    """What became of a payment page."""
    if form["status"] == "PAID":
        payment = books.payment(form["payment_id"])
        body = payment_detail(payment, books)
        values = [
            body[n]
            for n in ("paymentStatus", "paymentId", "currency", "basketId", "conversationId", "paidPrice", "price")
        ]
        return {**body, "token": form["token"], "signature": signing.of_answer(secret, *values, form["token"])}
    status = {"OPEN": "INIT_THREEDS", "DECLINED": "FAILURE"}[form["status"]]
    basket = str(form["asked"].get("basketId", ""))
    words = "Kart limiti yetersiz" if status == "FAILURE" else ""
    return envelope(token=form["token"], paymentStatus=status, basketId=basket, errorMessage=words)


def payment_detail(payment: Row, books: Books, secret: str = "") -> dict[str, Any]:
    """A payment with its items."""
    body = envelope(
        paymentStatus="SUCCESS",
        fraudStatus=1,
        paymentId=payment["id"],
        conversationId=payment["conversationId"],
        basketId=payment["basketId"],
        currency="TRY",
        price=lira(payment["price"]),
        paidPrice=lira(payment["paid"]),
        installment=1,
        iyziCommissionRateAmount=lira(payment["fee"]),
        iyziCommissionFee=lira(payment["fee_fixed"]),
        itemTransactions=[_item(books.item(item_id)) for item_id in payment["items"]],
    )
    if secret:
        names = ("paymentId", "currency", "basketId", "conversationId", "paidPrice", "price")
        body["signature"] = signing.of_answer(secret, *[body[name] for name in names])
    return body


def _item(item: Row) -> dict[str, Any]:
    return {
        "itemId": item["basket_item"],
        "paymentTransactionId": item["id"],
        "transactionStatus": item["status"],
        "price": lira(item["price"]),
        "paidPrice": lira(item["price"]),
        "subMerchantKey": item["seller_key"],
        "subMerchantPrice": lira(item["seller_price"]),
        "subMerchantPayoutAmount": lira(item["seller_price"] - item["refunded_seller"]),
    }


def report_of(payment: Row, books: Books) -> dict[str, Any]:
    """The reporting service's view of one payment."""
    items = [books.item(item_id) for item_id in payment["items"]]
    refunded = sum(item["refunded"] for item in items)
    whole = "TOTALLY_REFUNDED" if refunded == payment["price"] else "PARTIALLY_REFUNDED"
    return envelope(
        payments=[
            {
                "paymentId": payment["id"],
                "paymentStatus": 1,
                "paymentRefundStatus": whole if refunded else "NOT_REFUNDED",
                "price": lira(payment["price"]),
                "paidPrice": lira(payment["paid"]),
                "cancels": [{"cancelConversationId": c} for c in payment["cancels"]],
                "itemTransactions": [_reported_item(item) for item in items],
            }
        ]
    )


def _reported_item(item: Row) -> dict[str, Any]:
    return {
        "paymentTransactionId": item["id"],
        "transactionStatus": item["status"],
        "refunds": [
            {
                "refundTxId": refund["id"],
                "refundConversationId": refund["conversation"],
                "refundPrice": lira(refund["amount"]),
                "refundStatus": 1,
                "isAfterSettlement": refund["after_payout"],
            }
            for refund in item["refunds"]
        ],
    }


def journal(rows: list[Row]) -> dict[str, Any]:
    """A day's transactions, all on one page."""
    return envelope(
        currentPage=1,
        totalPageCount=1,
        transactions=[
            {
                "transactionType": row["type"],
                "paymentId": row["payment"],
                "paymentTxId": row["item"],
                "price": lira(row["amount"]),
                "transactionCurrency": "TRY",
            }
            for row in rows
        ],
    )


def payouts(rows: list[Row]) -> dict[str, Any]:
    """What reached banks on a day."""
    return envelope(
        payoutCompletedTransactions=[
            {
                "paymentTransactionId": row["item"],
                "payoutAmount": lira(row["amount"]),
                "payoutType": "PAYOUT",
                "subMerchantKey": row["seller_key"],
                "currency": "TRY",
            }
            for row in rows
        ]
    )
