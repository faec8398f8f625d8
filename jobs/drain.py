"""One entry for every wake-up: look at a table and work it empty."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, current_app
from loguru import logger

from portal.core import queue
from portal.reports import making
from portal.workflows import despatch, post, provider_calls, tracking, webhooks

STEPS: dict[str, Callable[[], bool]] = {
    "inbox": webhooks.handle_next,
    "provider_calls": provider_calls.dispatch_next,
    "shipment_sync": tracking.ask_next,
    "despatch": despatch.ask_next,
    "mail": post.send_next,
    "reports": making.make_next,
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
    step = STEPS[topic]
    more = True
    while more:
        with app.app_context(), logger.contextualize(job=name):
            more = step()
