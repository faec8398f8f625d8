"""How a test, or a person, buys, cancels and carries in N11's place. Loopback only; asks nobody's permission."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from portal.sandbox.n11.api import package
from portal.sandbox.n11.books import ITEM, MOST_ROWS, STATUSES, Books, Refused
from portal.sandbox.store import Row

Answer = tuple[Response, int]


def control(books: Books) -> Blueprint:
    """Packages, stock, one switch."""
    bp = Blueprint("n11_control", __name__, url_prefix="/_sandbox/n11")

    @bp.post("/orders")
    def _order() -> Answer:
        return _tried(lambda asked: order(books, asked), 201)

    @bp.get("/packages")
    def _packages() -> Response:
        return jsonify([package(row) for row in books.packages()])

    @bp.post("/packages/<key>/status")
    def _status(key: str) -> Answer:
        return _tried(lambda asked: package(books.changed(books.find(key), str(asked["status"]))))

    @bp.post("/packages/<key>/cancel")
    def _cancel(key: str) -> Answer:
        return _tried(lambda asked: package(books.cancel(key, asked.get("lines") or [])))

    @bp.post("/packages/<key>/split")
    def _split(key: str) -> Answer:
        return _tried(lambda asked: [package(row) for row in books.split(key, asked["parts"])])

    @bp.post("/items")
    def _know() -> Answer:
        return _tried(lambda asked: books.know(str(asked["barcode"]), int(asked.get("quantity") or 0)), 201)

    @bp.get("/stock")
    def _stock() -> Response:
        return jsonify({row["code"]: row["quantity"] for row in books.store.all(ITEM)})

    @bp.post("/rules")
    def _rules() -> Answer:
        return _tried(lambda asked: books.rule.update(most_rows=int(asked.get("most_rows") or MOST_ROWS)))

    return bp


def order(books: Books, asked: Row) -> list[dict[str, Any]]:
    """So many packages of the same lines."""
    status = str(asked.get("status") or "Created")
    if status not in STATUSES:
        raise ValueError(f"unknown status; known are {', '.join(STATUSES)}")
    times, ago = int(asked.get("times") or 1), int(asked.get("ago_seconds") or 0)
    return [package(books.order(asked["lines"], status, ago)) for _time in range(times)]


def _tried(act: Callable[[Row], Any], code: int = 200) -> Answer:
    try:
        return jsonify(act(request.get_json(silent=True) or {})), code
    except (Refused, KeyError, TypeError, AttributeError, ValueError) as wrong:
        return jsonify(error=str(wrong)), 422
