"""iyzico's endpoints: signature first, then mishaps, then the books."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from portal.sandbox.faults import Fault, hang
from portal.sandbox.iyzico import settlement, signing, wire
from portal.sandbox.iyzico.books import Books, Refused, kurus
from portal.sandbox.world import World

Body = dict[str, Any]


def endpoints(world: World, books: Books) -> Blueprint:
    """Every endpoint of theirs that the portal uses, and the ones beside them."""
    bp = Blueprint("iyzico", __name__)
    secret = world.settings.secret_key

    def endpoint(rule: str, operation: str, *, method: str = "POST") -> Callable[[Callable[[Body], Body]], None]:
        def wrap(act: Callable[[Body], Body]) -> None:
            def view() -> Response:
                return _served(world, operation, act)

            bp.add_url_rule(rule, endpoint=f"{operation}_{method}", view_func=view, methods=[method])

        return wrap

    @endpoint("/onboarding/submerchant", "submerchant")
    def _register(asked: Body) -> Body:
        return wire.envelope(subMerchantKey=books.register(asked)["subMerchantKey"])

    @endpoint("/onboarding/submerchant", "submerchant_update", method="PUT")
    def _change_seller(asked: Body) -> Body:
        return wire.envelope(subMerchantKey=books.change_seller(asked)["subMerchantKey"])

    @endpoint("/onboarding/submerchant/detail", "submerchant_detail")
    def _seller(asked: Body) -> Body:
        known = books.seller(str(asked.get("subMerchantExternalId")))
        return wire.envelope(subMerchantKey=known["subMerchantKey"], iban=known["iban"], name=known.get("name"))

    @endpoint("/payment/iyzipos/checkoutform/initialize/auth/ecom", "checkout_init")
    def _open(asked: Body) -> Body:
        form = books.open_form(asked)
        return wire.form_opened(form, f"{world.settings.own_url}/pay/{form['token']}", secret)

    @endpoint("/payment/iyzipos/checkoutform/auth/ecom/detail", "checkout_retrieve")
    def _retrieve(asked: Body) -> Body:
        form = world.store.get("form", asked.get("token"))
        if form is None:
            raise Refused("5500", "token bulunamadı")
        return wire.form_result(form, books, secret)

    @endpoint("/payment/detail", "payment_detail")
    def _detail(asked: Body) -> Body:
        known = asked.get("paymentId")
        payment = (
            books.payment(known) if known else books.payment_of_conversation(str(asked.get("paymentConversationId")))
        )
        return wire.payment_detail(payment, books, secret)

    @endpoint("/payment/iyzipos/item/approve", "approve")
    def _approve(asked: Body) -> Body:
        books.approve(asked.get("paymentTransactionId"))
        return wire.envelope(paymentTransactionId=asked["paymentTransactionId"])

    @endpoint("/payment/iyzipos/item/disapprove", "disapprove")
    def _disapprove(asked: Body) -> Body:
        books.disapprove(asked.get("paymentTransactionId"))
        return wire.envelope(paymentTransactionId=asked["paymentTransactionId"])

    @endpoint("/payment/item", "item_update", method="PUT")
    def _share(asked: Body) -> Body:
        return wire.envelope(paymentTransactionId=books.share(asked)["id"])

    @endpoint("/payment/refund", "refund")
    def _refund(asked: Body) -> Body:
        conversation = str(asked.get("conversationId", ""))
        amount = kurus(asked.get("price", "0"))
        item = books.refund(asked.get("paymentTransactionId"), amount, conversation)
        price = wire.lira(amount)
        return wire.envelope(
            paymentId=item["payment_id"],
            paymentTransactionId=item["id"],
            price=price,
            currency="TRY",
            conversationId=conversation,
            signature=signing.of_answer(secret, item["payment_id"], price, "TRY", conversation),
        )

    @endpoint("/payment/cancel", "cancel")
    def _cancel(asked: Body) -> Body:
        payment = books.cancel(asked.get("paymentId"), str(asked.get("conversationId", "")))
        return wire.envelope(paymentId=payment["id"], price=wire.lira(payment["paid"]), currency="TRY")

    @endpoint("/v2/reporting/payment/details", "report_details", method="GET")
    def _report(asked: Body) -> Body:
        return wire.report_of(books.payment(asked.get("paymentId")), books)

    @endpoint("/reporting/settlement/payoutcompleted", "payout_report")
    def _payouts(asked: Body) -> Body:
        return wire.payouts(settlement.payouts_on(books, str(asked.get("date", ""))[:10]))

    @endpoint("/v2/reporting/payment/transactions", "report_transactions", method="GET")
    def _journal(asked: Body) -> Body:
        return wire.journal(settlement.journal_of(books, str(asked.get("transactionDate", ""))))

    @endpoint("/reporting/settlement/bounced", "bounced_report")
    def _bounced(_asked: Body) -> Body:
        return wire.envelope(bouncedRows=[])

    return bp


def _served(world: World, operation: str, act: Callable[[Body], Body]) -> Response:
    raw = request.get_data()
    settings = world.settings
    try:
        signing.verify(
            request.headers.get("Authorization", ""),
            request.path,
            raw,
            api_key=settings.api_key,
            secret=settings.secret_key,
        )
        asked = json.loads(raw, parse_float=str) if raw else request.args.to_dict()
    except signing.BadSignature as wrong:
        return _json(wire.failure(wrong.code, str(wrong)), 401)
    except ValueError:
        return _json(wire.failure("3", "geçersiz istek"), 400)
    if not isinstance(asked, dict):
        return _json(wire.failure("3", "geçersiz istek"), 400)
    fault = world.faults.take("iyzico", operation)
    if fault:
        return _with_mishap(fault, asked, act)
    return _done(asked, act)


def _done(asked: Body, act: Callable[[Body], Body]) -> Response:
    try:
        return _json(act(asked))
    except Refused as no:
        return _json(wire.failure(no.code, str(no)))
    except (KeyError, TypeError, AttributeError, ArithmeticError) as missing:
        # The merchant left something out or wrote no number: theirs says which field, so do we.
        return _json(wire.failure("3", f"alan eksik ya da geçersiz: {missing!r}"), 400)


def _with_mishap(fault: Fault, asked: Body, act: Callable[[Body], Body]) -> Response:
    """Before or after the effect: that is the whole difference, and the caller cannot see it."""
    match fault.mode:
        case "refuse":
            return _json(wire.failure("10051", "Sandbox böyle istedi"))
        case "error_500":
            return Response("oops", status=500)
        case "timeout_before_effect":
            hang(fault.seconds)
            return Response(status=504)
    answer = _done(asked, act)
    match fault.mode:
        case "slow" | "timeout_after_effect":
            hang(fault.seconds)
        case "error_500_after_effect":
            return Response("oops", status=500)
        case "malformed":
            return Response(b'{"status": "succ', mimetype="application/json")
    return answer


def _json(body: Body, status: int = 200) -> Response:
    return Response(wire.ENCODER.encode(body), status=status, mimetype="application/json")
