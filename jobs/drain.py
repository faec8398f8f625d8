"""One entry for every wake-up: look at a table and work it empty."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, current_app
from loguru import logger

from portal.core import queue
from portal.reports import making
from portal.workflows import (
    aging_fetch,
    despatch,
    marketplace_jobs,
    post,
    provider_calls,
    stock_push,
    tracking,
    webhooks,
)

# Rows in one lane; more than these are no bad luck.
MOST_BROKEN = 10
STEPS: dict[str, Callable[[], bool]] = {
    "inbox": webhooks.handle_next,
    "provider_calls": provider_calls.dispatch_next,
    "shipment_sync": tracking.ask_next,
    "despatch": despatch.ask_next,
    "mail": post.send_next,
    "storefront_orders": marketplace_jobs.next_step,
    "stock_push": stock_push.push_next,
    "reports": making.make_next,
    "aging_fetch": aging_fetch.read_next,
}


def run(topic: str) -> None:
    """What RQ calls. Run twice, it does the work once; run late, it does today's work."""
    with queue.working_app().app_context():
        queue.answered(topic)
        drain(topic)


def drain(topic: str) -> None:
    """Work a table empty, in a few lanes: a slow provider must not hold up everybody behind it."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    lanes = int(app.config["DRAIN_LANES"])
    name = f"{topic}-{secrets.token_hex(4)}"
    with ThreadPoolExecutor(max_workers=lanes, thread_name_prefix=topic) as pool:
        for lane in [pool.submit(_lane, app, topic, name) for _ in range(lanes)]:
            lane.result()


def _lane(app: Flask, topic: str, name: str) -> None:
    """Row after row until nothing is due. A row that breaks the code is left to its lease: the others go on."""
    step, broken, more = STEPS[topic], 0, True
    while more:
        try:
            with app.app_context(), logger.contextualize(job=name):
                more = step()
        except Exception:
            broken += 1
            logger.exception("{}: a row broke the code", topic)
            if broken == MOST_BROKEN:  # not this row, everything is broken
                raise
