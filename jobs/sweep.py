"""The sweeper: finds what a lost wake-up left lying. Needs no Redis; with Redis down everything is only a little later."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from flask import Flask
from loguru import logger
from sqlalchemy.exc import OperationalError

from jobs.drain import drain
from portal.core.database import db
from portal.despatch import queries as despatch
from portal.inbox import queries as inbox
from portal.mail import queries as mail
from portal.marketplace import queries as marketplace
from portal.marketplace.push import queries as push
from portal.outbox import queries as outbox
from portal.receivables import queries as receivables
from portal.reports import queries as reports
from portal.shipping import queries as shipping
from portal.stock import queries as stock

PAUSE_SECONDS = 2
# Due for longer than this and nobody took it: the wake-up was lost.
OVERDUE_SECONDS = 2
# Tables at a time; each takes DRAIN_LANES connections from the pool.
AT_ONCE = 4

OVERDUE: dict[str, Callable[[int], bool]] = {
    "inbox": inbox.overdue,
    "provider_calls": outbox.overdue,
    "shipment_sync": shipping.sync_overdue,
    "despatch": despatch.overdue,
    "mail": mail.overdue,
    "storefront_orders": marketplace.overdue,
    "stock_push": lambda seconds: stock.changes_overdue(seconds) or push.overdue(seconds),
    "reports": reports.overdue,
    "aging_fetch": receivables.overdue,
}


def look(app: Flask) -> list[str]:
    """The topics in which something has been due for a while."""
    with app.app_context():
        topics = [topic for topic, overdue in OVERDUE.items() if overdue(OVERDUE_SECONDS)]
        db.session.rollback()
    return topics


def sweep(app: Flask) -> list[str]:
    """One look, and every table in which something lay is worked empty."""
    topics = look(app)
    for topic in topics:
        work(app, topic)
    return topics


def work(app: Flask, topic: str) -> None:
    """Work one table empty. A database that is away for a moment is not a reason to stop."""
    try:
        with app.app_context():
            drain(topic)
    except OperationalError as away:
        logger.warning("sweeper waits for the database: {}", type(away.orig).__name__)


def keep(app: Flask) -> None:
    """Sweep for ever, each table by itself: money does not wait until an ERP's accounts are read."""
    busy: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sweep") as pool:
        while True:
            try:
                for topic in look(app):
                    if topic not in busy or busy[topic].done():
                        busy[topic] = pool.submit(work, app, topic)
            except OperationalError as away:
                logger.warning("sweeper waits for the database: {}", type(away.orig).__name__)
            time.sleep(PAUSE_SECONDS)
