"""Timings as people say them."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, get_day_names
from flask_babel import get_locale, gettext

from portal.schedules.rules import Timing


def _(words: str, **values: object) -> str:
    return str(gettext(words, **values))


AT = re.compile(r"(\d{1,2}) (\d{1,2}) (\S+) \* (\S+)")
WEEKDAYS = ("1-5", "MON-FRI")


def timing_in_words(timing: Timing) -> str:
    """Every day at 03:00; a cron line we have no words for is shown as it is."""
    if timing.every_seconds is not None:
        return _interval(timing.every_seconds)
    found = AT.fullmatch(" ".join(timing.cron.split()))
    said = _at(*found.groups()) if found else None
    return said or _("by the cron line %(line)s", line=timing.cron)


def instant_in_words(instant: datetime, zone: str) -> str:
    """Saturday 21 November 2026 03:00, as the clock on that zone's wall shows it."""
    local = instant.astimezone(ZoneInfo(zone))
    return str(format_datetime(local, "EEEE d MMMM y HH:mm", locale=str(get_locale() or "tr")))


def _interval(seconds: int) -> str:
    for size, said in ((86400, _days), (3600, _hours), (60, _minutes)):
        if seconds % size == 0:
            return said(seconds // size)
    return _("every %(n)d seconds", n=seconds)


# Two sentences and not two plurals: Turkish has no plural after a number, but "every one minute" is no Turkish.
def _days(count: int) -> str:
    return _("every day") if count == 1 else _("every %(n)d days", n=count)


def _hours(count: int) -> str:
    return _("every hour") if count == 1 else _("every %(n)d hours", n=count)


def _minutes(count: int) -> str:
    return _("every minute") if count == 1 else _("every %(n)d minutes", n=count)


def _at(minute: str, hour: str, day: str, weekday: str) -> str | None:
    time = f"{int(hour):02d}:{int(minute):02d}"
    if day == "*" and weekday == "*":
        return _("every day at %(time)s", time=time)
    if day == "*" and weekday in WEEKDAYS:
        return _("on weekdays at %(time)s", time=time)
    if day == "*" and weekday.isdigit() and int(weekday) <= 7:
        names = get_day_names("wide", locale=str(get_locale() or "tr"))
        return _("every %(weekday)s at %(time)s", weekday=names[(int(weekday) - 1) % 7], time=time)
    if weekday == "*" and day.isdigit():
        return _("on day %(day)s of every month at %(time)s", day=day, time=time)
    return None
