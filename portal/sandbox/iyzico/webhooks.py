"""iyzico's notifications: signed (V3), a little late, and again every 15 minutes until somebody says 2xx; three tries."""

from __future__ import annotations

import json
import random
import time
import uuid
from threading import Thread
from typing import Any

import httpx

from portal.sandbox.iyzico import signing
from portal.sandbox.store import Row
from portal.sandbox.world import World

AGAIN_SECONDS = 15 * 60
TRIES = 3


def announce(world: World, form: Row, payment: Row | None) -> None:
    """Something happened on a payment page: write the notification down, to be sent by the courier."""
    fault = world.faults.take("iyzico", "webhook")
    mode = fault.mode if fault else ""
    if mode == "lost_webhook":
        return
    delay = world.settings.webhook_delay_seconds
    if mode == "late_webhook":
        delay += fault.seconds if fault else 0
    elif mode == "reorder_webhooks":
        delay += random.uniform(0, 5)  # noqa: S311 (disorder, not a secret)
    for _copy in range(3 if mode == "duplicate_webhook" else 1):
        _write_down(world, form, payment, delay)


def _write_down(world: World, form: Row, payment: Row | None, delay: float) -> None:
    status = "SUCCESS" if payment else "FAILURE"
    payment_id = payment["id"] if payment else ""
    conversation = str(form["asked"].get("conversationId", ""))
    body = {
        "paymentConversationId": conversation,
        "merchantId": 340000,
        "token": form["token"],
        "status": status,
        "iyziReferenceCode": str(uuid.uuid4()),
        "iyziEventType": "CHECKOUT_FORM_AUTH",
        "iyziEventTime": int(world.now().timestamp() * 1000),
        "iyziPaymentId": payment_id,
    }
    signature = signing.of_webhook(
        world.settings.secret_key, "CHECKOUT_FORM_AUTH", payment_id, form["token"], conversation, status
    )
    key = str(world.store.serial("webhook", 0))
    row = {"id": key, "body": json.dumps(body), "signature": signature, "tries": 0, "answers": [], "done": False}
    world.store.put("webhook", key, {**row, "due": world.now().timestamp() + delay})


def send(world: World, row: Row) -> Row:
    """One try. Whatever the other side says is kept."""
    try:
        answer: Any = httpx.post(
            world.settings.webhook_url,
            content=row["body"].encode(),
            headers={"Content-Type": "application/json", "X-IYZ-SIGNATURE-V3": row["signature"]},
            timeout=10,
        ).status_code
    except httpx.HTTPError as silence:
        answer = type(silence).__name__
    tries = row["tries"] + 1
    done = isinstance(answer, int) and 200 <= answer < 300
    changed = {"tries": tries, "answers": [*row["answers"], answer], "done": done or tries >= TRIES}
    again = world.now().timestamp() + AGAIN_SECONDS
    return world.store.put("webhook", row["id"], {**row, **changed, "due": row["due"] if done else again})


def start_courier(world: World) -> None:
    """A thread that carries what is due."""
    Thread(target=_carry, args=(world,), daemon=True, name="courier").start()


def _carry(world: World) -> None:
    while True:
        now = world.now().timestamp()
        for row in world.store.all("webhook"):
            if not row["done"] and row["due"] <= now:
                send(world, row)
        time.sleep(0.2)
