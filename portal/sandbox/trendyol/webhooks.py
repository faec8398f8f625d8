"""Trendyol's notifications: Basic auth and no signature, again every five minutes until somebody says 2xx."""

from __future__ import annotations

import json
import random
import time
from threading import Thread
from typing import Any

import httpx

from portal.sandbox.store import Row
from portal.sandbox.trendyol.rules import WEBHOOK_PASSWORD, WEBHOOK_USER, rule
from portal.sandbox.trendyol.words import package
from portal.sandbox.world import World

KIND = "trendyol_webhook"
AGAIN_SECONDS = 300
TRIES = 13  # unsure: about so many, then theirs is switched off
SUBSCRIPTION, MOST = "trendyol_subscription", 15
ACTIVE, PASSIVE = "ACTIVE", "PASSIVE"
ADDRESS = "/api/webhooks/storefronts/trendyol"  # where the portal listens


def announce(world: World, row: Row) -> None:
    """A package changed: write the notification down, to be sent by the courier."""
    if not any(row["status"] == ACTIVE for row in subscriptions(world)):
        return
    fault = world.faults.take("trendyol", "webhook")
    mode = fault.mode if fault else ""
    if mode == "lost_webhook":
        return
    delay = world.settings.webhook_delay_seconds
    if mode == "late_webhook":
        delay += fault.seconds if fault else 0
    elif mode == "reorder_webhooks":
        delay += random.uniform(0, 5)  # noqa: S311 (disorder, not a secret)
    told = package(row, old_names=bool(rule(world, "old_names")))
    envelope = {"totalElements": 1, "totalPages": 1, "page": 0, "size": 1, "content": [told]}
    body = json.dumps(envelope if rule(world, "webhook_envelope") else told, ensure_ascii=False)
    for _copy in range(3 if mode == "duplicate_webhook" else 1):
        _write_down(world, body, delay)


def subscriptions(world: World) -> list[Row]:
    """Who is told. At first the portal is, as if its address had been typed into their panel."""
    if not world.store.all(SUBSCRIPTION):
        _put(world, {"url": f"{world.settings.portal_url}{ADDRESS}", "authenticationType": "BASIC_AUTHENTICATION"})
    return world.store.all(SUBSCRIPTION)


def subscribe(world: World, asked: Row) -> Row:
    """One more address; fifteen at most."""
    rows = subscriptions(world)
    if len(rows) >= MOST or not asked["url"] or asked["authenticationType"] not in ("BASIC_AUTHENTICATION", "API_KEY"):
        raise ValueError("webhook")
    return _put(world, {name: asked[name] for name in ("url", "authenticationType", "subscribedStatuses")})


def switch(world: World, number: str, status: str) -> Row:
    """On or off, by somebody's wish or because nobody answered for too long."""
    row = {row["id"]: row for row in subscriptions(world)}[number]
    return world.store.put(SUBSCRIPTION, number, {**row, "status": status})


def _put(world: World, row: Row) -> Row:
    number = str(world.store.serial(SUBSCRIPTION, 0))
    return world.store.put(SUBSCRIPTION, number, {**row, "id": number, "status": ACTIVE})


def _write_down(world: World, body: str, delay: float) -> None:
    number = str(world.store.serial(KIND, 0))
    row = {"id": number, "body": body, "tries": 0, "answers": [], "done": False}
    world.store.put(KIND, number, {**row, "due": world.now().timestamp() + delay})


def send(world: World, row: Row) -> Row:
    """One try. Whatever the other side says is kept."""
    try:
        answer: Any = httpx.post(
            f"{world.settings.portal_url}{ADDRESS}",
            content=row["body"].encode(),
            headers={"Content-Type": "application/json"},
            auth=(WEBHOOK_USER, WEBHOOK_PASSWORD),
            timeout=10,
        ).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as silence:
        answer = type(silence).__name__
    tries = row["tries"] + 1
    heard = isinstance(answer, int) and 200 <= answer < 300
    done = heard or tries >= TRIES
    changed = {"tries": tries, "answers": [*row["answers"], answer], "done": done}
    if tries >= TRIES and not heard:
        for subscription in subscriptions(world):
            switch(world, subscription["id"], PASSIVE)
    again = world.now().timestamp() + AGAIN_SECONDS
    return world.store.put(KIND, row["id"], {**row, **changed, "due": row["due"] if done else again})


def start_trendyol_courier(world: World) -> None:
    """A thread that carries what is due; without a portal to carry it to, notifications are only collected."""
    if world.settings.portal_url:
        Thread(target=_carry, args=(world,), daemon=True, name="trendyol-courier").start()


def _carry(world: World) -> None:
    while True:
        now = world.now().timestamp()
        for row in world.store.all(KIND):
            if not row["done"] and row["due"] <= now:
                send(world, row)
        time.sleep(0.2)
