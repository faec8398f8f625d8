"""A schedule for every test."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from portal.core import clock
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.schedules import services as schedules
from portal.schedules.models import Schedule
from portal.schedules.services import Claimed
from tests.cast import Cast, actor

EVERY = 600  # seconds


class Clockwork:
    """One schedule every ten minutes, and the time."""

    def __init__(self, schedule: Schedule) -> None:
        self.id = schedule.id

    def passes(self, **time: int) -> None:
        """Time passes; it may also go back."""
        with atomic():
            clock.move_to(int((clock.shift() + timedelta(**time)).total_seconds()))

    def look(self) -> int:
        """One look of a scheduler; how many slots will run."""
        with atomic():
            return schedules.write_down_due_slots()

    def claim(self) -> Claimed | None:
        """Somebody takes the next slot."""
        with atomic():
            return schedules.claim("test")

    def set(self, **values: object) -> None:
        """Another policy, another timing."""
        with atomic():
            db.session.execute(update(Schedule).where(Schedule.id == self.id).values(**values))


@pytest.fixture
def clockwork(app: Flask, cast: Cast) -> Clockwork:
    """A stock report every ten minutes; all code's own jobs are left out. It is now the middle between two slots."""
    with atomic():
        past_the_slot = int(schedules.database_now().timestamp()) % EVERY
        clock.move_to(int(clock.shift().total_seconds()) + EVERY + EVERY // 2 - past_the_slot)
    with atomic():
        schedule = schedules.open_schedule(
            name="stok", kind="REPORT", task="stock", parameters={}, cron="", every_seconds=EVERY,
            zone="Europe/Istanbul", catch_up="EACH", by=actor(cast.gul),
        )  # fmt: skip
    return Clockwork(schedule)
