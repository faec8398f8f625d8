"""The fifteen-minute rule: sales happen, money is due, and none has left. Nights, Sundays and holidays do not count."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple

import holidays
from sqlalchemy import func, select

from portal.core import clock
from portal.core.database import db
from portal.escrow.models import EscrowHold, NetworkPayment
from portal.orders.models import Order
from portal.outbox.models import ProviderIntent
from portal.outbox.states import Intent

PATIENCE = timedelta(minutes=15)
OPENS, CLOSES = time(8), time(20)
SUNDAY = 6
SALES_WITHIN = timedelta(hours=24)
APPROVE = "approve_item"
FURTHEST_BACK_DAYS = 14


class MoneyWatch(NamedTuple):
    """What the rule saw. `stuck` is the alarm; `waited` counts only the hours in which somebody works."""

    due: int
    oldest_due_at: datetime | None
    last_left_at: datetime | None
    sales: int
    waited: timedelta

    @property
    def stuck(self) -> bool:
        """Sales happen, money is due for a quarter of an hour of working time, and none has left since."""
        return self.due > 0 and self.sales > 0 and self.waited > PATIENCE


def watch(now: datetime) -> MoneyWatch:
    """Look at releases that were asked for and not yet answered, at what left last, and at sales."""
    waiting = (
        ProviderIntent.operation == APPROVE,
        ProviderIntent.state.in_((Intent.READY, Intent.SENDING, Intent.UNKNOWN)),
    )
    asked = select(func.count(), func.min(ProviderIntent.created_at)).where(*waiting)
    due, oldest = db.session.execute(asked).one()
    open_orders, oldest_order = db.session.execute(_orders_whose_money_is_due()).one()
    last_left = db.session.scalar(select(func.max(EscrowHold.released_at)))
    paid = NetworkPayment.recorded_at > now - clock.shift() - SALES_WITHIN
    sales = db.session.scalar(select(func.count()).where(paid, NetworkPayment.state == "PAID")) or 0
    # Rows carry the database's clock, what left carries the business's: compared in the business's.
    oldest_due = min((at for at in (oldest + clock.shift() if oldest else None, oldest_order) if at), default=None)
    since = max(oldest_due, last_left or oldest_due) if oldest_due else now
    return MoneyWatch(max(due, open_orders), oldest_due, last_left, sales, working_time(since, now))


def _orders_whose_money_is_due() -> Any:
    wanted: Any = select(func.count(), func.min(Order.completed_at))
    return wanted.where(Order.state == "COMPLETED", Order.payout_status != "RELEASED")


def working_time(since: datetime, now: datetime) -> timedelta:
    """How much of a span lay in working hours: Monday to Saturday, 08:00 to 20:00 in Istanbul, no public holidays."""
    since = max(since, now - timedelta(days=FURTHEST_BACK_DAYS))
    total, day = timedelta(0), clock.day_of(since)
    while day <= clock.day_of(now):
        if is_working_day(day):
            opens = datetime.combine(day, OPENS, clock.ISTANBUL).astimezone(UTC)
            closes = datetime.combine(day, CLOSES, clock.ISTANBUL).astimezone(UTC)
            total += max(timedelta(0), min(now, closes) - max(since, opens))
        day += timedelta(days=1)
    return total


def is_working_day(day: date) -> bool:
    """Neither a Sunday nor a Turkish public holiday."""
    return day.weekday() != SUNDAY and day not in _holidays(day.year)


@cache
def _holidays(year: int) -> holidays.HolidayBase:
    return holidays.country_holidays("TR", years=year)
