"""Calendar months as whole numbers: 202502 is February 2025. Pure."""

from __future__ import annotations

from datetime import date, timedelta

CARRIED_IN = 0  # the month of what was owed before all we read: it sorts before every month
NAMES = ("Oca", "Sub", "Mar", "Nis", "May", "Haz", "Tem", "Agu", "Eyl", "Eki", "Kas", "Ara")
FIRST_YEAR, LAST_YEAR = 1990, 2199


def month_of(day: date | None) -> int:
    """The month a day falls in; nothing is what was carried in."""
    return CARRIED_IN if day is None else day.year * 100 + day.month


def first_day(month: int) -> date:
    """The first of a month."""
    return date(month // 100, month % 100, 1)


def last_day(month: int) -> date:
    """The last of a month, leap years included."""
    return first_day(later(month, 1)) - timedelta(days=1)


def later(month: int, by: int) -> int:
    """So many months later (or, below zero, earlier)."""
    whole = month // 100 * 12 + month % 100 - 1 + by
    return whole // 12 * 100 + whole % 12 + 1


def run_of(first: int, last: int) -> tuple[int, ...]:
    """Every month from the first to the last, both included."""
    count = (last // 100 - first // 100) * 12 + last % 100 - first % 100 + 1
    return tuple(later(first, place) for place in range(count))


def up_to(last: int, count: int) -> tuple[int, ...]:
    """So many months, the last of them given."""
    return run_of(later(last, 1 - count), last)


def name(month: int) -> str:
    """A month as the API's columns are called (spec §5): Sub25."""
    return f"{NAMES[month % 100 - 1]}{month // 100 % 100:02d}"
