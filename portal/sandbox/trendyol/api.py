"""Trendyol's endpoints: key and name first, then how often, then mishaps, then the books."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from portal.sandbox.faults import Fault, hang
from portal.sandbox.trendyol import pulls, webhooks
from portal.sandbox.trendyol.books import Books
from portal.sandbox.trendyol.limits import Calls
from portal.sandbox.trendyol.rules import API_KEY, API_SECRET, SELLER_ID, Refused, bad_request, rule
from portal.sandbox.world import World

ORDERS = "/integration/order/sellers/<seller>"
PACKAGE = f"{ORDERS}/shipment-packages/<key>"
PRODUCTS = "/integration/product/sellers/<seller>/products"
STOCK = "/integration/inventory/sellers/<seller>/products/price-and-inventory"
WEBHOOKS = "/integration/webhook/sellers/<seller>/webhooks"
Act = Callable[[str], Any]


def endpoints(world: World, books: Books, calls: Calls) -> Blueprint:
    """Every endpoint of theirs that the portal uses, and the one they switched off."""
    bp = Blueprint("trendyol", __name__, url_prefix="/trendyol")

    def endpoint(rule: str, name: str, operation: str, method: str = "GET") -> Callable[[Act], None]:
        def wrap(act: Act) -> None:
            def view(seller: str, key: str = "") -> Response:
                return _served(world, calls, (name, operation, seller), lambda: act(key))

            bp.add_url_rule(rule, endpoint=name, view_func=view, methods=[method])

        return wrap

    _pulls(endpoint, books)
    _changes(endpoint, books)
    _stock(endpoint, books)
    _webhooks(endpoint, world)
    return bp


Endpoint = Callable[..., Callable[[Act], None]]


def _pulls(endpoint: Endpoint, books: Books) -> None:
    @endpoint(f"{ORDERS}/v2/orders", "orders", "orders")
    def _orders(_key: str) -> Any:
        return pulls.listed(books, request.args)

    @endpoint(f"{ORDERS}/orders/stream", "stream", "orders")
    def _stream(_key: str) -> Any:
        return pulls.streamed(books, request.args)

    @endpoint(f"{ORDERS}/orders", "retired", "orders")
    def _retired(_key: str) -> Any:
        raise Refused(426, "upgrade.required", "Bu servis 15 Ekim 2026'da kapatıldı: v2/orders kullanın.")


def _changes(endpoint: Endpoint, books: Books) -> None:
    @endpoint(PACKAGE, "update", "update", "PUT")
    def _update(key: str) -> None:
        books.update(key, _asked())

    @endpoint(f"{PACKAGE}/items/unsupplied", "unsupplied", "update", "PUT")
    def _unsupplied(key: str) -> None:
        books.unsupplied(key, _asked())

    @endpoint(f"{PACKAGE}/quantity-split", "split", "update", "POST")
    def _split(key: str) -> None:
        books.split(key, _asked())


def _stock(endpoint: Endpoint, books: Books) -> None:
    @endpoint(STOCK, "stock", "stock", "POST")
    def _submit(_key: str) -> Any:
        return {"batchRequestId": books.shelf.submit(_asked())["key"]}

    @endpoint(f"{PRODUCTS}/batch-requests/<key>", "batch", "batch")
    def _batch(key: str) -> Any:
        return books.shelf.result(key)

    @endpoint(f"{PRODUCTS}/approved/inventory-and-price", "read", "read")
    def _read(_key: str) -> Any:
        barcodes = [code for value in request.args.getlist("barcodes") for code in value.split(",") if code]
        token, size = request.args.get("nextPageToken", ""), int(request.args.get("size") or 20)
        return books.shelf.read(barcodes, min(size, 100), token)


def _webhooks(endpoint: Endpoint, world: World) -> None:
    """Changes are answered in plain text; passwords are never told."""

    @endpoint(WEBHOOKS, "webhooks", "webhooks")
    def _listed(_key: str) -> Any:
        return webhooks.subscriptions(world)

    @endpoint(WEBHOOKS, "subscribe", "webhook change", "POST")
    def _subscribe(_key: str) -> Any:
        return {"id": webhooks.subscribe(world, _asked())["id"]}

    @endpoint(f"{WEBHOOKS}/<key>/activate", "webhook on", "webhook change", "PUT")
    def _on(key: str) -> None:
        webhooks.switch(world, key, webhooks.ACTIVE)


def _asked() -> Any:
    content = json.loads(request.get_data())
    if not isinstance(content, dict):
        raise bad_request("JSON parse error")
    return content


def _served(world: World, calls: Calls, where: tuple[str, str, str], act: Callable[[], Any]) -> Response:
    """The order of their doors: who, under which name, how often. A refused call had no effect."""
    name, operation, seller = where
    try:
        _insist_on_who(seller)
        served = calls.one_more(name, limited=bool(rule(world, "limits")))
        if not served or calls.is_nth(int(rule(world, "throttle_every"))):
            raise Refused(429, "too.many.requests", "Too many requests")
    except Refused as no:
        return _json(no.body(), no.status)
    fault = world.faults.take("trendyol", operation)
    return _with_mishap(fault, act) if fault else _done(act)


def _insist_on_who(seller: str) -> None:
    wanted = "Basic " + base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode()
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted.encode()):
        raise Refused(401, "ClientApiAuthenticationException", "Yetkisiz erişim.")
    if not request.headers.get("User-Agent", "").startswith(f"{SELLER_ID} - "):
        raise Refused(403, "forbidden", "User-Agent zorunludur.")
    if seller != SELLER_ID:
        raise Refused(403, "forbidden", "Bu satıcı için yetkiniz yok.")


def _done(act: Callable[[], Any]) -> Response:
    try:
        answer = act()
    except Refused as no:
        return _json(no.body(), no.status)
    except (KeyError, TypeError, AttributeError, ValueError) as wrong:
        refusal = bad_request(f"alan eksik ya da geçersiz: {wrong!r}")
        return _json(refusal.body(), refusal.status)
    return Response(status=200) if answer is None else _json(answer)


def _with_mishap(fault: Fault, act: Callable[[], Any]) -> Response:
    """Before or after the effect: that is the whole difference, and the caller cannot see it."""
    match fault.mode:
        case "refuse":
            no = bad_request("Sandbox böyle istedi")
            return _json(no.body(), no.status)
        case "error_500":
            return Response("oops", status=500)
        case "timeout_before_effect":
            hang(fault.seconds)
            return Response(status=504)
    answer = _done(act)
    match fault.mode:
        case "slow" | "timeout_after_effect":
            hang(fault.seconds)
        case "error_500_after_effect":
            return Response("oops", status=500)
        case "malformed":
            whole = answer.get_data() or b'{"ok": true}'
            return Response(whole[: len(whole) // 2], mimetype="application/json")
    return answer


def _json(body: Any, code: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status=code, mimetype="application/json")
