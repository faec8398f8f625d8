"""Örnek Kargo's notifications: signed over their bytes, a little late, and again until somebody says 2xx."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import time
import uuid
from threading import Thread
from typing import Any

import httpx

from portal.sandbox.carriers.books import wall_clock
from portal.sandbox.carriers.mock import status_of
from portal.sandbox.carriers.who import MOCK_WEBHOOK_SECRET
from portal.sandbox.store import Row
from portal.sandbox.world import World

AGAIN_SECONDS = 60
TRIES = 5
ADDRESS = "/api/webhooks/shipments/mock"


def announce(world: World, key: str, scan: Row) -> None:
    """A parcel was scanned: write the notification down, to be sent by the courier."""
    fault = world.faults.take("mock", "webhook")
    mode = fault.mode if fault else ""
    if mode == "lost_webhook":
        return
    delay = world.settings.webhook_delay_seconds
    if mode == "late_webhook":
        delay += fault.seconds if fault else 0
    elif mode == "reorder_webhooks":
        delay += random.uniform(0, 5)  # noqa: S311 (disorder, not a secret)
    body = {
        "event_id": str(uuid.uuid4()),
        "key": key,
        "status": status_of(scan["event"]),
        "at": wall_clock(scan["at"]).isoformat(timespec="seconds"),
    }
    for _copy in range(3 if mode == "duplicate_webhook" else 1):
        _write_down(world, json.dumps(body), delay)


def _write_down(world: World, body: str, delay: float) -> None:
    number = str(world.store.serial("carrier_webhook", 0))
    row = {"id": number, "body": body, "signature": signature(body), "tries": 0, "answers": [], "done": False}
    world.store.put("carrier_webhook", number, {**row, "due": world.now().timestamp() + delay})


def signature(body: str) -> str:
    """Hex HMAC-SHA256 over the body's bytes."""
    return hmac.new(MOCK_WEBHOOK_SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()


def send(world: World, row: Row) -> Row:
    """One try. Whatever the other side says is kept."""
    try:
        answer: Any = httpx.post(
            f"{world.settings.portal_url}{ADDRESS}",
            content=row["body"].encode(),
            headers={"Content-Type": "application/json", "X-Ornek-Signature": row["signature"]},
            timeout=10,
        ).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as silence:
        answer = type(silence).__name__
    tries = row["tries"] + 1
    done = isinstance(answer, int) and 200 <= answer < 300
    changed = {"tries": tries, "answers": [*row["answers"], answer], "done": done or tries >= TRIES}
    again = world.now().timestamp() + AGAIN_SECONDS
    return world.store.put("carrier_webhook", row["id"], {**row, **changed, "due": row["due"] if done else again})


def start_carrier_courier(world: World) -> None:
    """A thread that carries what is due; without a portal to carry it to, notifications are only collected."""
    if world.settings.portal_url:
        Thread(target=_carry, args=(world,), daemon=True, name="carrier-courier").start()


def _carry(world: World) -> None:
    while True:
        now = world.now().timestamp()
        for row in world.store.all("carrier_webhook"):
            if not row["done"] and row["due"] <= now:
                send(world, row)
        time.sleep(0.2)
