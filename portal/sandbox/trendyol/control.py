"""How a test, or a person, buys, cancels and carries in Trendyol's place. Loopback only; asks nobody's permission."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from portal.sandbox.store import Row
from portal.sandbox.trendyol import webhooks
from portal.sandbox.trendyol.books import STATUSES, Books
from portal.sandbox.trendyol.limits import Calls
from portal.sandbox.trendyol.rules import SWITCHES, Refused, pull, rule
from portal.sandbox.trendyol.words import package
from portal.sandbox.world import World

Answer = tuple[Response, int]


def control(world: World, books: Books, calls: Calls) -> Blueprint:
    """Packages, stock, switches, calls, notifications."""
    bp = Blueprint("trendyol_control", __name__, url_prefix="/_sandbox/trendyol")
    _package_levers(bp, books)
    _stock_levers(bp, books)
    _switches(bp, world, calls)
    _notifications(bp, world)
    return bp


def _package_levers(bp: Blueprint, books: Books) -> None:
    @bp.post("/orders")
    def _order() -> Answer:
        return _tried(lambda asked: order(books, asked), 201)

    @bp.get("/packages")
    def _packages() -> Response:
        return _json([package(row, old_names=False) for row in books.packages()])

    @bp.post("/packages/<key>/status")
    def _status(key: str) -> Answer:
        return _tried(lambda asked: package(books.set_status(key, str(asked["status"])), old_names=False))

    @bp.post("/packages/<key>/cancel")
    def _cancel(key: str) -> Answer:
        return _tried(lambda asked: package(books.cancel(key, asked.get("lines") or []), old_names=False))


def _stock_levers(bp: Blueprint, books: Books) -> None:
    @bp.get("/stock")
    def _stock() -> Response:
        return jsonify({row["barcode"]: row["quantity"] for row in books.shelf.items()})

    @bp.get("/items")
    def _items() -> Response:
        return jsonify(books.shelf.items())

    @bp.post("/items")
    def _know() -> Answer:
        return _tried(lambda asked: [_known(books, row) for row in asked.get("items") or [asked]], 201)


def _known(books: Books, row: Row) -> Row:
    return books.shelf.know(str(row["barcode"]), int(row.get("quantity") or 0))


def _switches(bp: Blueprint, world: World, calls: Calls) -> None:
    def pulled(asked: Row) -> Row:
        for name, value in asked.items():
            pull(world, name, value)
        return {name: rule(world, name) for name in SWITCHES}

    @bp.post("/rules")
    def _rules() -> Answer:
        return _tried(pulled)

    @bp.get("/calls")
    def _calls() -> Response:
        return jsonify(calls.told())

    @bp.delete("/calls")
    def _forget() -> Response:
        calls.forget()
        return jsonify({})


def _notifications(bp: Blueprint, world: World) -> None:
    @bp.get("/webhooks")
    def _webhooks() -> Response:
        rows = world.store.all(webhooks.KIND)
        return _json([{**row, "body": json.loads(row["body"]), "raw": row["body"]} for row in rows])

    @bp.get("/subscriptions")
    def _subscriptions() -> Response:
        return jsonify(webhooks.subscriptions(world))

    @bp.post("/subscriptions/<number>")
    def _switch(number: str) -> Answer:
        return _tried(lambda asked: webhooks.switch(world, number, str(asked["status"])))

    @bp.post("/webhooks/<number>/send")
    def _send(number: str) -> Answer:
        row = world.store.get(webhooks.KIND, number)
        if row is None or not world.settings.portal_url:
            return jsonify(error="no such notification, or no portal to send it to"), 404
        return jsonify(webhooks.send(world, row)), 200


def order(books: Books, asked: Row) -> list[dict[str, Any]]:
    """So many packages of the same lines."""
    status = str(asked.get("status") or "Created")
    if status not in STATUSES:
        raise ValueError(f"unknown status; known are {', '.join(STATUSES)}")
    times, ago = int(asked.get("times") or 1), int(asked.get("ago_seconds") or 0)
    rows = [books.order(asked["lines"], status, ago) for _time in range(times)]
    return [package(row, old_names=False) for row in rows]


def _tried(act: Callable[[Row], Any], code: int = 200) -> Answer:
    try:
        return _json(act(request.get_json(silent=True) or {})), code
    except (Refused, KeyError, TypeError, AttributeError, ValueError) as wrong:
        return jsonify(error=str(wrong)), 422


def _json(body: Any) -> Response:
    """Python's own writer: it keeps numbers whole, however wide."""
    return Response(json.dumps(body, ensure_ascii=False), mimetype="application/json")
