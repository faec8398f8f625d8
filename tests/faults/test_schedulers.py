"""Four scheduler processes, simulated slots, and the winner killed or frozen again and again: each slot runs once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, g
from sqlalchemy import func, select

from portal.core import clock
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.mail.models import MailMessage
from portal.reports import services as reports
from portal.reports.models import ReportRun
from portal.schedules import queries
from portal.schedules import services as schedules
from portal.schedules.models import Schedule, ScheduleTick
from portal.settings import Settings
from tests import story
from tests.cast import Cast, actor
from tests.faults.conftest import Processes, eventually

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults"), pytest.mark.timeout(1200)]

# 60 in `make faults` (RUNS=300): every third slot its winner is killed, every third it is frozen.
SLOTS = max(6, int(os.environ.get("RUNS", "0")) // 5)
SCHEDULERS = 4
LEASE_SECONDS = 2


@pytest.fixture
def four(settings: Settings, tmp_path: Path) -> Iterator[Processes]:
    """Four schedulers with little patience."""
    started = Processes(replace(settings, slot_lease_seconds=LEASE_SECONDS), tmp_path)
    yield started
    for process in started.running.values():
        os.killpg(process.pid, signal.SIGCONT)
    started.stop()


def test_each_slot_runs_once_whoever_dies_or_freezes(app: Flask, cast: Cast, four: Processes) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}, {SLOTS} slots")
    dice = random.Random(seed)
    schedule = report_every_ten_minutes(cast)
    for number in range(SCHEDULERS):
        four.job(f"scheduler-{number}", "schedule")
    eventually("somebody sits in the seat", lambda: seat() is not None, 120)
    hurt = {"killed": 0, "frozen": 0}
    for number in range(SLOTS):
        ten_minutes_pass()
        time.sleep(dice.uniform(0, 0.4))  # somewhere in the middle of its look
        if number % 3 == 0:
            hurt["killed"] += kill_the_winner(four)
        elif number % 3 == 1:
            hurt["frozen"] += freeze_the_winner(four)
        eventually(f"slot {number + 1} has run", lambda: done(schedule.id) >= number + 1, 120)  # noqa: B023
        thaw(four)
    print(hurt)
    assert min(hurt.values()) >= SLOTS // 3, hurt
    everybody_looks_again()
    slots = expected(schedule.id)
    assert len(slots) >= SLOTS  # the test's own minutes may have brought one more
    assert due_times(schedule) == slots
    assert done(schedule.id) == len(slots)
    story.drain("reports")
    assert db.session.scalar(select(func.count()).select_from(ReportRun)) == len(slots)
    mine = select(func.count()).where(MailMessage.about_kind == "report run")
    assert db.session.scalar(mine) == len(slots)


def report_every_ten_minutes(cast: Cast) -> Schedule:
    """Each slot is a run and a letter: what is doubled or lost can be counted."""
    with atomic():
        schedule = schedules.open_schedule(
            name="stok", kind="REPORT", task="stock", parameters={}, cron="", every_seconds=600,
            zone="Europe/Istanbul", catch_up="EACH", by=actor(cast.gul),
        )  # fmt: skip
        reports.subscribe(schedule, cast.ayse, by=actor(cast.gul))
    return schedule


def ten_minutes_pass() -> None:
    """For everybody: the clock is in the database."""
    db.session.rollback()
    g.pop("clock_shift", None)
    with atomic():
        clock.move_to(int((clock.shift() + timedelta(minutes=10)).total_seconds()))


def seat() -> int | None:
    """The process in the seat."""
    db.session.rollback()
    who = queries.leader()
    return int(who.rsplit(":", 1)[1]) if who else None


def winner(four: Processes) -> str:
    """Its name; after a death the seat may be empty for a moment."""
    found: list[str] = []

    def sits() -> bool:
        pid = seat()
        found[:] = [name for name, process in four.running.items() if process.pid == pid]
        return bool(found)

    eventually("somebody sits in the seat", sits, 120)
    return found[0]


def kill_the_winner(four: Processes) -> int:
    """Without a word; another process takes its place in the row of four."""
    name = winner(four)
    four.kill(name)
    four.job(name, "schedule")
    return 1


def freeze_the_winner(four: Processes) -> int:
    """It keeps its connections and its memory, and does nothing."""
    os.killpg(four.running[winner(four)].pid, signal.SIGSTOP)
    return 1


def thaw(four: Processes) -> None:
    """The frozen one goes on as if nothing had happened."""
    for process in four.running.values():
        os.killpg(process.pid, signal.SIGCONT)


def everybody_looks_again() -> None:
    """Long enough for each to look several times."""
    time.sleep(LEASE_SECONDS + 2)
    db.session.rollback()


def done(schedule_id: int) -> int:
    """Slots that ended well."""
    db.session.rollback()
    mine = (ScheduleTick.schedule_id == schedule_id, ScheduleTick.outcome == "DONE")
    return db.session.scalar(select(func.count()).where(*mine)) or 0


def due_times(schedule: Schedule) -> list[datetime]:
    """Every slot there is a row for."""
    mine = select(ScheduleTick.due_at).where(ScheduleTick.schedule_id == schedule.id).order_by(ScheduleTick.due_at)
    return list(db.session.scalars(mine))


def expected(schedule_id: int) -> list[datetime]:
    """The slots there should be: every ten minutes from the beginning until the last look, none missing, none twice."""
    schedule = db.session.get_one(Schedule, schedule_id, populate_existing=True)
    assert schedule.dealt_until_at
    first = int(schedule.created_at.timestamp()) // 600 * 600 + 600
    last = int(schedule.dealt_until_at.timestamp())
    return [datetime.fromtimestamp(at, schedule.created_at.tzinfo) for at in range(first, last + 1, 600)]
