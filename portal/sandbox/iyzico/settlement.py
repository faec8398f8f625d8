"""What iyzico pays out, and its journal of a day."""

from __future__ import annotations

from portal.sandbox.iyzico.books import APPROVED, Books
from portal.sandbox.store import Row


def payouts_on(books: Books, day: str) -> list[Row]:
    """What reaches banks on a day: the sellers' shares, and what is left for the platform."""
    rows = []
    for item in books.store.all("item"):
        if item["status"] != APPROVED or books.payout_day(item) != day or day > books.world.today():
            continue
        refunded = _refunded_before(item, day)
        seller = item["seller_price"] - item["seller_price"] * refunded // item["price"]
        platform = item["price"] - refunded - seller - _fee_of(books, item)
        rows.append({"item": item["id"], "amount": seller, "seller_key": item["seller_key"]})
        rows.append({"item": item["id"], "amount": platform, "seller_key": ""})
    return [row for row in rows if row["amount"] > 0]


def journal_of(books: Books, day: str) -> list[Row]:
    """Everything of a day: payments, cancels, refunds."""
    rows = []
    for payment in books.store.all("payment"):
        if payment["on"] == day:
            rows.append({"type": "PAYMENT", "payment": payment["id"], "item": "", "amount": payment["paid"]})
            rows += [
                {"type": "CANCEL", "payment": payment["id"], "item": "", "amount": payment["paid"]}
                for _cancel in payment["cancels"]
            ]
    for item in books.store.all("item"):
        rows += [
            {"type": "REFUND", "payment": item["payment_id"], "item": item["id"], "amount": refund["amount"]}
            for refund in item["refunds"]
            if refund["on"] == day
        ]
    return rows


def _refunded_before(item: Row, day: str) -> int:
    """What is refunded after the money has left does not change what left."""
    return sum(refund["amount"] for refund in item["refunds"] if refund["on"] < day)


def _fee_of(books: Books, item: Row) -> int:
    """The item's share of the fee; what does not divide is carried by the first item."""
    payment = books.payment(item["payment_id"])
    whole = payment["fee"] + payment["fee_fixed"]
    shares = {i: whole * books.item(i)["price"] // payment["price"] for i in payment["items"]}
    first = payment["items"][0]
    shares[first] += whole - sum(shares.values())
    return int(shares[item["id"]])
