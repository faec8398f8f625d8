"""What time it is. Instants are UTC and end in `_at`; business days are Istanbul dates and end in `_on`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from flask import current_app, g
from sqlalchemy import CheckConstraint, SmallInteger, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Model, db

ISTANBUL = ZoneInfo("Europe/Istanbul")


class ClockShift(Model):
    """How far the demo company's clock has been moved: one row, or none."""

    __tablename__ = "clock_shift"
    __table_args__ = (CheckConstraint("id = 1", name="there_is_only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    seconds: Mapped[int]


def shift() -> timedelta:
    """How far the clock has been moved; zero for everybody but the demo company.

    Kept in the database, because web, worker and scheduler must agree. Only the provider sandbox moves it.
    Looked up once per request or job.
    """
    if not current_app.config.get("DEMO"):
        return timedelta(0)
    if "clock_shift" not in g:
        g.clock_shift = timedelta(seconds=db.session.scalar(select(ClockShift.seconds)) or 0)
    return cast("timedelta", g.clock_shift)


def move_to(seconds: int) -> None:
    """Set the demo clock this many seconds away from the real one."""
    db.session.merge(ClockShift(id=1, seconds=seconds))
    g.pop("clock_shift", None)


def now() -> datetime:
    """The instant the business lives in."""
    return datetime.now(UTC) + shift()


def today() -> date:
    """The business day in Istanbul."""
    return day_of(now())


def day_of(instant: datetime) -> date:
    """The Istanbul calendar day an instant falls on."""
    return instant.astimezone(ISTANBUL).date()
