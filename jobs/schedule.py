"""The process that keeps the schedules. Any number of them may run: one sits in the seat, and a slot runs once."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from flask import Flask
from loguru import logger
from sqlalchemy.exc import OperationalError

from portal.accounts import services as accounts
from portal.core.actor import Actor
from portal.core.i18n import noted
from portal.core.timetable import Periodic
from portal.core.unit_of_work import atomic
from portal.media import looking
from portal.privacy import forgetting
from portal.reports import services as reports
from portal.schedules import services as schedules
from portal.schedules.services import Claimed, SlotLost
from portal.schedules.states import TickOutcome
from portal.workflows import (
    aging_fetch,
    arguments,
    delivery,
    marketplace_forgetting,
    marketplace_jobs,
    notices,
    payouts,
    sales,
    set_aside,
    stock_push,
)

NIGHTLY = Actor(noted("nightly reconciliation"))
MORNING = Actor(noted("the morning's reading of the ERP"))


def put_away() -> int:
    """Ended sessions and forgotten tries."""
    with atomic():
        return accounts.put_away_what_is_over()


def tell_of_troubles() -> int:
    """New errors, in one letter."""
    with atomic():
        return notices.tell_of_troubles()


TIMETABLE = [
    Periodic(noted("accept undisputed deliveries"), delivery.accept_undisputed, timedelta(minutes=5)),
    Periodic(noted("send unsettled disputes to finance"), arguments.escalate_overdue, timedelta(minutes=15)),
    Periodic(noted("let go of goods nobody paid for"), set_aside.look_after, timedelta(minutes=1)),
    Periodic(noted("escalate overdue commission disputes"), sales.escalate_overdue, timedelta(minutes=15)),
    Periodic(noted("make missing commission snapshots"), sales.make_missing_ready, timedelta(hours=1)),
    Periodic(noted("find lost payments"), payouts.look_for_lost_payments, timedelta(minutes=10)),
    Periodic(noted("ask storefronts for orders"), marketplace_jobs.ask_everybody, timedelta(minutes=5)),
    Periodic(noted("look for gaps in storefront orders"), marketplace_jobs.compare_everybody, timedelta(hours=1)),
    Periodic(
        noted("compare stock with storefronts"),
        stock_push.compare_everything,
        timedelta(minutes=10),
        first_after=timedelta(minutes=3),
    ),
    Periodic(noted("put away ended sessions"), put_away, timedelta(hours=1)),
    Periodic(noted("look through the media folder"), looking.look_through, timedelta(minutes=10)),
    Periodic(noted("forget personal data in time"), forgetting.forget, timedelta(days=1), at_hour=4),
    Periodic(noted("forget old packages and pushes"), marketplace_forgetting.forget, timedelta(days=1), at_hour=4),
    Periodic(noted("tell administrators of errors"), tell_of_troubles, timedelta(minutes=15)),
    Periodic(noted("payout reconciliation"), lambda: payouts.reconcile(by=NIGHTLY), timedelta(days=1), at_hour=3),
    Periodic(
        noted("read the accounts from the ERP"),
        lambda: aging_fetch.read_every_side(by=MORNING),
        timedelta(days=1),
        at_hour=6,
    ),
]

LANES = 4
Slots = dict["Future[None]", Claimed]


def keep(app: Flask) -> None:
    """Keep the schedules for ever, while this process sits in the seat. A database that is away is waited for."""
    me = f"{socket.gethostname()}:{os.getpid()}"
    pause = float(app.config["SCHEDULE_PAUSE_SECONDS"])
    seated, slots = False, dict["Future[None]", Claimed]()
    with ThreadPoolExecutor(LANES, thread_name_prefix="slot") as lanes:
        while True:
            try:
                with app.app_context():
                    was, seated = seated, look(app, me, lanes, slots, new=not seated)
                if seated and not was:
                    logger.info("Scheduler started (ENABLE_JOBS=on, leader ok).")
            except OperationalError as away:
                seated = False
                logger.warning("scheduler waits for the database: {}", type(away.orig).__name__)
            _rest(slots, pause)


def _rest(slots: Slots, pause: float) -> None:
    """A pause; a short one when every lane is taken, because more may wait for the first that is free."""
    if len(slots) == LANES:
        wait(slots, timeout=pause, return_when=FIRST_COMPLETED)
    else:
        time.sleep(pause)


def look(app: Flask, me: str, lanes: ThreadPoolExecutor, slots: Slots, *, new: bool = False) -> bool:
    """One look: renew what runs, and from the seat begin what is due. Whether we sit there; `new`: not so far."""
    for ended in [work for work in slots if work.done()]:
        del slots[ended]
    for mine in slots.values():
        with atomic():
            schedules.still_alive(mine)
    with atomic():
        if not schedules.sit_down(me):
            return False
    with atomic():
        schedules.seed(TIMETABLE)
        if new:
            schedules.begin_gently(TIMETABLE)
        schedules.write_down_due_slots()
    while len(slots) < LANES and (claimed := _claim(me)) is not None:
        slots[lanes.submit(run, app, claimed)] = claimed
    return True


def run(app: Flask, claimed: Claimed) -> None:
    """One slot. What it does ends in a row, whatever happens; a slot that was taken over meanwhile is not ours to end."""
    with app.app_context(), logger.contextualize(job=f"slot-{claimed.schedule_id}-{claimed.due_at:%H%M%S}"):
        try:
            if claimed.kind == "REPORT":
                with atomic():
                    reports.slot(claimed)
                return
            note = str(work_of(claimed)())
            with atomic():
                schedules.finish(claimed, TickOutcome.DONE, note)
        except SlotLost:
            logger.warning("slot {} of {} was taken over by somebody else", claimed.due_at, claimed.task)
        except OperationalError as away:
            # The database's trouble (a lost line, somebody's lock) is not the job's: its lease ends, and it is begun again.
            logger.warning("slot {} of {} waits for the database: {}", claimed.due_at, claimed.task, away.orig)
        except Exception as trouble:  # the slot is marked FAILED with its reason; the others must go on
            logger.exception("{} failed", claimed.task)
            _failed(claimed, f"{type(trouble).__name__}: {trouble}")


def tick(app: Flask) -> list[str]:
    """One look without lanes: everything that is due runs here and now, one after the other. Names what ran."""
    ran = []
    with app.app_context():
        with atomic():
            schedules.seed(TIMETABLE)
            schedules.write_down_due_slots()
        while (claimed := _claim("here")) is not None:
            run(app, claimed)
            ran.append(claimed.task)
    return ran


def work_of(claimed: Claimed) -> Callable[[], object]:
    """What a slot does."""
    known = {periodic.job: periodic.run for periodic in TIMETABLE}
    return known.get(claimed.task) or _unknown(claimed.task)


def _unknown(task: str) -> Callable[[], object]:
    def refuse() -> object:
        raise LookupError(f"there is no job {task!r} in this version")

    return refuse


def _claim(me: str) -> Claimed | None:
    with atomic():
        return schedules.claim(me)


def _failed(claimed: Claimed, note: str) -> None:
    try:
        with atomic():
            schedules.finish(claimed, TickOutcome.FAILED, note)
    except SlotLost:
        logger.warning("slot {} of {} was taken over by somebody else", claimed.due_at, claimed.task)
