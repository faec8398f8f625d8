"""How a test, or a person, plays with the world. Loopback only; asks nobody's permission."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import httpx
from flask import Blueprint, Response, jsonify, request

from portal.sandbox.faults import MODES, Fault
from portal.sandbox.iyzico import webhooks
from portal.sandbox.iyzico.books import Books, Refused
from portal.sandbox.store import Row
from portal.sandbox.world import World

PROVIDERS = ("iyzico", "yurtici", "aras", "mock", "nilvera", "smtp", "trendyol", "hana", "tds")


def control(world: World, books: Books) -> Blueprint:
    """Faults, effects, clock, payments without a browser."""
    bp = Blueprint("control", __name__, url_prefix="/_sandbox")

    @bp.get("/ping")
    def _ping() -> Response:
        return jsonify(ok=True)

    @bp.post("/faults")
    def _add_fault() -> tuple[Response, int]:
        asked = request.get_json(silent=True) or request.form.to_dict()
        if asked.get("mode") not in MODES or asked.get("provider") not in (*PROVIDERS, "*"):
            return jsonify(error="unknown provider or mode", modes=MODES), 422
        try:
            world.faults.add(_fault(asked))
        except (TypeError, ValueError):
            return jsonify(error="times, every and seconds are numbers"), 422
        return jsonify(planned=len(world.faults.waiting)), 201

    @bp.delete("/faults")
    def _clear_faults() -> Response:
        world.faults.clear()
        return jsonify(planned=0)

    @bp.get("/faults")
    def _faults() -> Response:
        return jsonify([vars(fault) for fault in world.faults.waiting])

    @bp.get("/<provider>/effects")
    def _effects(provider: str) -> Response:
        return jsonify(provider=provider, effects=world.store.all("effect"))

    @bp.post("/clock")
    def _clock() -> Response:
        moved = move_clock(world, request.get_json(silent=True) or request.form.to_dict())
        return jsonify(now=world.now().isoformat(), shift_seconds=world.shift_seconds(), portal=moved)

    @bp.get("/clock")
    def _time() -> Response:
        return jsonify(now=world.now().isoformat(), shift_seconds=world.shift_seconds())

    @bp.post("/iyzico/pay/<token>")
    def _pay(token: str) -> tuple[Response, int]:
        asked: dict[str, Any] = request.get_json(silent=True) or {}
        try:
            form = pay(world, books, token, success=asked.get("result", "success") == "success")
        except Refused as no:
            return jsonify(error=str(no)), 409
        return jsonify(status=form["status"], payment_id=form["payment_id"]), 200

    @bp.get("/iyzico/webhooks")
    def _webhooks() -> Response:
        return jsonify([{**row, "body": json.loads(row["body"])} for row in world.store.all("webhook")])

    @bp.post("/iyzico/webhooks/<key>/send")
    def _send(key: str) -> Response:
        row = world.store.get("webhook", key)
        return jsonify(webhooks.send(world, row) if row else {})

    @bp.post("/reset")
    def _reset() -> Response:
        world.faults.clear()
        world.store.forget()
        return jsonify(ok=True)

    return bp


def _fault(asked: Row) -> Fault:
    return Fault(
        asked["provider"],
        asked.get("operation") or "*",
        asked["mode"],
        int(asked.get("times") or 1),
        max(1, int(asked.get("every") or 1)),
        float(asked.get("seconds") or 30),
        code=int(asked.get("code") or 0),
    )


def pay(world: World, books: Books, token: str, *, success: bool) -> Row:
    """Pay a form and announce it."""
    form = books.pay(token, success=success)
    payment = books.payment(form["payment_id"]) if success else None
    webhooks.announce(world, form, payment)
    return form


def move_clock(world: World, asked: dict[str, Any]) -> Any:
    """Move our time, and the portal's demo clock with it."""
    if asked.get("reset"):
        world.move_clock(0)
    elif asked.get("set"):
        wanted = datetime.fromisoformat(str(asked["set"]))
        world.move_clock(world.shift_seconds() + int((wanted - world.now()).total_seconds()))
    else:
        world.move_clock(world.shift_seconds() + int(asked.get("advance_seconds") or 0))
    settings = world.settings
    if not (settings.portal_url and settings.cron_secret):
        return None
    try:
        return httpx.post(
            f"{settings.portal_url}/api/demo/clock",
            json={"shift_seconds": world.shift_seconds()},
            headers={"X-Cron-Secret": settings.cron_secret},
            timeout=10,
        ).status_code
    except httpx.HTTPError as silence:
        return type(silence).__name__
