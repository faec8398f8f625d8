"""The sweeper: finds what a lost wake-up left lying. Needs no Redis; with Redis down everything is only a little later."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask
from loguru import logger
from sqlalchemy.exc import OperationalError

from jobs.drain import drain
from portal.core.database import db
from portal.despatch import queries as despatch
from portal.inbox import queries as inbox
from portal.mail import queries as mail
from portal.outbox import queries as outbox
from portal.reports import queries as reports
from portal.shipping import queries as shipping

PAUSE_SECONDS = 2
# Due for longer than this and nobody took it: the wake-up was lost.
OVERDUE_SECONDS = 2

OVERDUE: dict[str, Callable[[int], bool]] = {
    "inbox": inbox.overdue,
    "provider_calls": outbox.overdue,
    "shipment_sync": shipping.sync_overdue,
    "despatch": despatch.overdue,
    "mail": mail.overdue,
    "reports": reports.overdue,
}


def sweep(app: Flask) -> list[str]:
    """One look: drain every table in which something has been due for a while."""
    with app.app_context():
        topics = [topic for topic, overdue in OVERDUE.items() if overdue(OVERDUE_SECONDS)]
        db.session.rollback()
        for topic in topics:
            drain(topic)
    return topics


def keep(app: Flask) -> None:
    """Sweep for ever. A database that is away for a moment is not a reason to stop."""
    while True:
        try:
            sweep(app)
        except OperationalError as away:
            logger.warning("sweeper waits for the database: {}", type(away.orig).__name__)
        time.sleep(PAUSE_SECONDS)
