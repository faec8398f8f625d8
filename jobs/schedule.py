"""The timetable, and the process that keeps it. Any number of them may run: one holds the seat, and a slot runs once."""

from __future__ import annotations

import time
from datetime import timedelta

from flask import Flask
from loguru import logger
from sqlalchemy import text

from portal.accounts import services as accounts
from portal.core.actor import Actor
from portal.core.database import db
from portal.core.i18n import noted
from portal.core.timetable import LEADER_LOCK, Periodic, run_due
from portal.core.unit_of_work import atomic
from portal.workflows import aging_fetch, arguments, delivery, payouts

NIGHTLY = Actor(noted("nightly reconciliation"))
MORNING = Actor(noted("the morning's reading of the ERP"))


def put_away() -> int:
    """Ended sessions and forgotten tries."""
    with atomic():
        return accounts.put_away_what_is_over()


TIMETABLE = [
    Periodic(noted("accept undisputed deliveries"), delivery.accept_undisputed, timedelta(minutes=5)),
    Periodic(noted("send unsettled disputes to finance"), arguments.escalate_overdue, timedelta(minutes=15)),
    Periodic(noted("find lost payments"), payouts.look_for_lost_payments, timedelta(minutes=10)),
    Periodic(noted("put away ended sessions"), put_away, timedelta(hours=1)),
    Periodic(noted("payout reconciliation"), lambda: payouts.reconcile(by=NIGHTLY), timedelta(days=1), at_hour=3),
    Periodic(
        noted("read the accounts from the ERP"),
        lambda: aging_fetch.read_every_side(by=MORNING),
        timedelta(days=1),
        at_hour=6,
    ),
]

PAUSE_SECONDS = 5


def keep(app: Flask) -> None:
    """Run the timetable for ever, while this process holds the seat.

    The seat is an advisory lock on a connection of its own: it is free again the moment this process dies.
    """
    with app.app_context():
        engine = db.engine
    seated = False
    with engine.connect() as seat:
        while True:
            if not seated:
                seated = bool(seat.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LEADER_LOCK}))
                seat.commit()
                if seated:
                    logger.info("Scheduler started (ENABLE_JOBS=on, leader ok).")
            else:
                seat.execute(text("SELECT 1"))
                seat.commit()
                tick(app)
            time.sleep(PAUSE_SECONDS)


def tick(app: Flask) -> list[str]:
    """One look at the timetable. A job that crashes is noted with its slot and does not stop the others' next slots."""
    with app.app_context():
        try:
            return run_due(TIMETABLE)
        except Exception:
            # The slot is marked FAILED with its reason; the process must live for the next slot.
            logger.exception("a periodic job failed")
            return []
