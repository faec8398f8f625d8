"""Business days in Türkiye: weekends and public holidays do not count, half holidays do."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import holidays

SATURDAY = 5


@cache
def _public_holidays(year: int) -> frozenset[date]:
    # The religious ones move with the moon; the package knows the announced dates and reckons the rest.
    return frozenset(holidays.country_holidays("TR", years=year))


def is_business_day(day: date) -> bool:
    """Whether offices are open."""
    return day.weekday() < SATURDAY and day not in _public_holidays(day.year)


def business_days_after(day: date, count: int) -> date:
    """The day on which so many business days have passed; the day itself does not count."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_business_day(day)
    return day


def business_days_left(today: date, until: date) -> int:
    """How many business days are left; below zero when it is late."""
    step = 1 if until >= today else -1
    first, last = (today, until) if step > 0 else (until, today)
    days = sum(is_business_day(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))
    return step * days
