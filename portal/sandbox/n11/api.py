"""N11's endpoints: two keys in headers, JSON, and refusals in plain text."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from portal.sandbox.carriers.mishaps import served
from portal.sandbox.n11.books import APP_KEY, APP_SECRET, ITEM, MOST_ROWS, Books, Refused
from portal.sandbox.store import Row
from portal.sandbox.world import World

WINDOW_MS = 15 * 86_400_000
HOUR_MS = 3_600_000


def endpoints(world: World, books: Books) -> Blueprint:
    """What the portal uses of them."""
    bp = Blueprint("n11", __name__, url_prefix="/n11")
    refuse = partial(_text, "Sandbox böyle istedi", 400)

    @bp.before_request
    def _let_in() -> Response | None:
        given = (request.headers.get("appkey", ""), request.headers.get("appsecret", ""))
        fits = [hmac.compare_digest(a.encode("utf-8", "replace"), b.encode()) for a, b in zip(given, (APP_KEY, APP_SECRET), strict=True)]  # fmt: skip
        return None if all(fits) else _text("Forbidden", 403)

    def served_as(operation: str, act: Callable[[], Any]) -> Response:
        return served(world, "n11", operation, act=partial(_done, act), refuse=refuse)

    @bp.get("/rest/delivery/v1/shipmentPackages")
    def _packages() -> Response:
        return served_as("orders", lambda: listed(books))

    @bp.put("/rest/order/v1/update")
    def _update() -> Response:
        return served_as("update", lambda: {"content": books.picking(_line_ids())})

    @bp.post("/ms/product/tasks/price-stock-update")
    def _stock() -> Response:
        return served_as("stock", lambda: {"id": books.submit(_asked()["payload"]["skus"])["id"], "status": "IN_QUEUE"})

    @bp.post("/ms/product/task-details/page-query")
    def _task() -> Response:
        return served_as("batch", lambda: books.task(str(_asked()["taskId"])))

    @bp.get("/ms/product-query")
    def _products() -> Response:
        return served_as("read", lambda: _product(books, request.args.get("stockCode", "")))

    return bp


def listed(books: Books) -> dict[str, Any]:
    """GET shipmentPackages: oldest change first, a hundred rows a page, two weeks and a day at most."""
    size = min(int(request.args.get("size") or 20), MOST_ROWS, books.rule["most_rows"])
    page, keys = int(request.args.get("page") or 0), request.args.get("packageIds", "")
    rows = books.packages()
    if keys:
        rows = [row for row in rows if str(row["id"]) in keys.split(",")]
    else:
        end = int(request.args.get("endDate") or books.now_ms())
        start = max(int(request.args.get("startDate") or 0), end - WINDOW_MS)
        rows = [row for row in rows if start <= row["modified"] <= end]
    newest_first = request.args.get("orderByDirection") == "DESC"
    rows = sorted(rows, key=lambda row: (row["modified"], row["id"]), reverse=newest_first)
    some = [package(row) for row in rows[page * size : (page + 1) * size]]
    return {"pageCount": len(some), "totalPages": -(-len(rows) // size), "page": page, "size": size, "content": some}


def package(row: Row) -> dict[str, Any]:
    """A package as they write it; the spelling of customerfullName is theirs."""
    return {
        "id": str(row["id"]),
        "orderNumber": row["order_number"],
        "customerfullName": "Mehmet Kara",
        "shippingAddress": {
            "fullName": "Mehmet Kara",
            "address": "Ataevler Mah. 3. Sk. No: 7",
            "city": "Bursa",
            "district": "Nilüfer",
            "postalCode": "16140",
        },
        "shipmentCompanyName": "Yurtiçi Kargo",
        "shipmentPackageStatus": row["status"],
        "lastModifiedDate": row["modified"],
        "agreedDeliveryDate": row["ordered"] + 72 * HOUR_MS,
        "packageHistories": [{"createdDate": row["ordered"], "status": "Created"}],
        "lines": [_line(line, row["status"]) for line in row["lines"]],
    }


def _line(line: Row, status: str) -> dict[str, Any]:
    return {
        "orderLineId": line["id"],
        "stockCode": line["code"],
        "barcode": line["code"],
        "productName": line["name"],
        "quantity": line["quantity"],
        "price": float(line["price"]),
        "orderItemLineItemStatusName": status,
    }


def _product(books: Books, code: str) -> dict[str, Any]:
    row = books.store.get(ITEM, code)
    rows = [{"stockCode": row["code"], "quantity": row["quantity"]}] if row else []
    return {"content": rows, "totalPages": 1}


def _line_ids() -> list[int]:
    asked = _asked()
    if asked.get("status") != "Picking":
        raise Refused("status yalnızca Picking olabilir")
    return [int(line["lineId"]) for line in asked["lines"]]


def _asked() -> Any:
    content = json.loads(request.get_data())
    if not isinstance(content, dict):
        raise Refused("JSON parse error")
    return content


def _done(act: Callable[[], Any]) -> Response:
    try:
        return Response(json.dumps(act(), ensure_ascii=False), mimetype="application/json")
    except Refused as no:
        return _text(str(no), 400)
    except (KeyError, TypeError, AttributeError, ValueError) as wrong:
        return _text(f"alan eksik ya da geçersiz: {wrong!r}", 400)


def _text(words: str, code: int) -> Response:
    return Response(words, status=code, mimetype="text/plain")
