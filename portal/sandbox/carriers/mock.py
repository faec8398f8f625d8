"""Örnek Kargo, played: a small JSON service behind a token."""

from __future__ import annotations

import hmac
import json
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from portal.sandbox.carriers.books import Books, strange, wall_clock
from portal.sandbox.carriers.mishaps import served
from portal.sandbox.carriers.who import MOCK_TOKEN
from portal.sandbox.store import Row
from portal.sandbox.world import World

WORDS = {
    "picked_up": "Teslim alındı",
    "in_transit": "Yolda",
    "out_for_delivery": "Dağıtımda",
    "delivered": "Teslim edildi",
    "returned": "Göndericiye iade edildi",
    "lost": "Kayboldu",
    "attempt_failed": "Alıcı adreste bulunamadı",
    "cancelled": "İptal edildi",
}


def endpoints(world: World, books: Books) -> Blueprint:
    """Announce, look, take back."""
    bp = Blueprint("carrier_mock", __name__, url_prefix="/mock")
    refuse = partial(_json, {"error": "Sandbox böyle istedi"}, 422)

    @bp.before_request
    def _let_in() -> Response | None:
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        return None if hmac.compare_digest(given, f"Bearer {MOCK_TOKEN}".encode()) else _json({"error": "token"}, 401)

    @bp.post("/consignments")
    def _announce() -> Response:
        return served(world, "mock", "create", act=partial(_create, books), refuse=refuse)

    @bp.get("/consignments/<key>")
    def _look(key: str) -> Response:
        return served(world, "mock", "track", act=partial(_show, books, key), refuse=refuse)

    @bp.delete("/consignments/<key>")
    def _withdraw(key: str) -> Response:
        return served(world, "mock", "cancel", act=partial(_cancel, books, key), refuse=refuse)

    return bp


def _create(books: Books) -> Response:
    asked = request.get_json(silent=True)
    if not isinstance(asked, dict) or not isinstance(asked.get("receiver"), dict):
        return _json({"error": "gönderi bilgisi eksik"}, 422)
    key = str(asked.get("key") or "")
    if not 0 < len(key) <= 20 or not asked["receiver"].get("name"):
        return _json({"error": "key ya da receiver hatalı"}, 422)
    if not books.announce("mock", key, {**asked, "town": asked["receiver"].get("district", "")}):
        return _json({"error": "bu anahtar kayıtlı", "key": key}, 409)
    return _json({"key": key, "status": "announced"}, 201)


def _show(books: Books, key: str) -> Response:
    parcel = books.parcel("mock", key)
    if parcel is None:
        return _json({"error": "gönderi bulunamadı", "key": key}, 404)
    scans = [_scan(scan) for scan in parcel["scans"]]
    known = {"key": key, "tracking_number": parcel["tracking_number"] or None, "receiver": parcel["asked"]["receiver"]}
    return _json({**known, "scans": scans})


def _cancel(books: Books, key: str) -> Response:
    match books.cancel("mock", key):
        case "unknown":
            return _json({"error": "gönderi bulunamadı", "key": key}, 404)
        case "again":
            return _json({"error": "daha önce iptal edildi", "key": key}, 410)
        case "on its way":
            return _json({"error": "gönderi yolda, iptal edilemez", "key": key}, 409)
    return _json({"key": key, "status": "cancelled"})


def status_of(event: str) -> str:
    """Their word for what happened."""
    return strange(event)[0] if event.startswith("unknown:") else event


def _scan(scan: Row) -> dict[str, str]:
    event = scan["event"]
    words = strange(event)[1] if event.startswith("unknown:") else WORDS[event]
    at = wall_clock(scan["at"]).isoformat(timespec="seconds")
    return {"status": status_of(event), "words": words, "at": at, "place": scan["place"]}


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status=status, mimetype="application/json")
