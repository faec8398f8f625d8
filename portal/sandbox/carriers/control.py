"""How a test, or a person, moves parcels along. Loopback only; asks nobody's permission."""

from __future__ import annotations

import json
from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from portal.sandbox.carriers import webhooks
from portal.sandbox.carriers.books import CARRIERS, Books, NotPossible
from portal.sandbox.store import Row
from portal.sandbox.world import ISTANBUL, World


def control(world: World, books: Books) -> Blueprint:
    """Parcels, scans, notifications."""
    bp = Blueprint("carriers_control", __name__, url_prefix="/_sandbox/carriers")

    @bp.get("/<carrier>")
    def _parcels(carrier: str) -> tuple[Response, int]:
        if carrier not in CARRIERS:
            return jsonify(error="no such carrier", carriers=CARRIERS), 404
        return jsonify(books.parcels(carrier)), 200

    @bp.post("/<carrier>/<key>/scans")
    def _scan(carrier: str, key: str) -> tuple[Response, int]:
        asked = request.get_json(silent=True) or request.form.to_dict()
        if carrier not in CARRIERS or not books.parcel(carrier, key):
            return jsonify(error="no such parcel"), 404
        try:
            event, at = str(asked["event"]), asked.get("at")
            moment = datetime.fromisoformat(str(at)) if at else None
            return jsonify(advance(books, carrier, key, event, moment)), 201
        except (NotPossible, KeyError, TypeError, AttributeError, ValueError) as wrong:
            return jsonify(error=str(wrong)), 422

    @bp.get("/webhooks")
    def _webhooks() -> Response:
        # The body is also given as it was sent: the signature is over those bytes.
        return jsonify(
            [{**row, "body": json.loads(row["body"]), "raw": row["body"]} for row in world.store.all("carrier_webhook")]
        )

    @bp.post("/webhooks/<number>/send")
    def _send(number: str) -> tuple[Response, int]:
        row = world.store.get("carrier_webhook", number)
        if row is None or not world.settings.portal_url:
            return jsonify(error="no such notification, or no portal to send it to"), 404
        return jsonify(webhooks.send(world, row)), 200

    return bp


def advance(books: Books, carrier: str, key: str, event: str, at: datetime | None = None) -> Row:
    """Something happened to a parcel; Örnek Kargo says so without being asked. A bare time is Istanbul's."""
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=ISTANBUL)
    parcel = books.advance(carrier, key, event, at)
    if carrier == "mock":
        webhooks.announce(books.world, key, parcel["scans"][-1])
    return parcel
