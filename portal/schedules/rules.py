"""Which slots there are, and what is done about those nobody was there for. Pure sums; time is handed in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from flask_babel import lazy_gettext as _l

from portal.core.errors import BadInput
from portal.schedules.states import CatchUp

# However long the house slept: so many slots of one schedule are looked at, and as many may be caught up.
MOST_SLOTS = 100
LEAST_SECONDS = 10


class Timing(NamedTuple):
    """A cron line in a time zone, or an interval in seconds counted from the epoch (which knows no summer time)."""

    cron: str
    every_seconds: int | None
    zone: str

    def after(self, instant: datetime) -> Iterator[datetime]:
        """The slots after an instant, soonest first, in UTC. A cron line in a skipped hour fires at its end."""
        if self.every_seconds is not None:
            first = int(instant.timestamp()) // self.every_seconds * self.every_seconds
            while True:
                first += self.every_seconds
                yield datetime.fromtimestamp(first, UTC)
        yield from _utc(CronSim(self.cron, instant.astimezone(ZoneInfo(self.zone))))

    def until(self, instant: datetime) -> Iterator[datetime]:
        """The slots up to and including an instant, latest first, in UTC."""
        if self.every_seconds is not None:
            last = int(instant.timestamp()) // self.every_seconds * self.every_seconds
            while True:
                yield datetime.fromtimestamp(last, UTC)
                last -= self.every_seconds
        # Cron counts in whole minutes: one past the instant's own minute, so that it is included.
        start = instant.replace(second=0, microsecond=0) + timedelta(minutes=1)
        yield from _utc(CronSim(self.cron, start.astimezone(ZoneInfo(self.zone)), reverse=True))


class Plan(NamedTuple):
    """What to do about the slots between two looks: run these (oldest first), and write these off."""

    run: list[datetime]
    missed: list[datetime]


def plan(timing: Timing, *, dealt_until: datetime | None, now: datetime, catch_up: str, late_after: timedelta) -> Plan:
    """The slots since the last look, by the schedule's policy.

    At the very first look only the latest slot counts. A clock that went back finds nothing new.
    """
    if dealt_until is None:
        latest = next(timing.until(now), None)
        return Plan([latest] if latest else [], [])
    found = list(islice(takewhile(lambda slot: slot > dealt_until, timing.until(now)), MOST_SLOTS))[::-1]
    match catch_up:
        case CatchUp.EACH:
            return Plan(found, [])
        case CatchUp.ONCE:
            return Plan(found[-1:], found[:-1])
        case _:
            in_time = [slot for slot in found[-1:] if now - slot <= late_after]
            return Plan(in_time, found[: len(found) - len(in_time)])


def next_slots(timing: Timing, now: datetime, count: int = 5) -> list[datetime]:
    """The next few slots."""
    return list(islice(timing.after(now), count))


def checked(cron: str, every_seconds: int | None, zone: str) -> Timing:
    """A timing somebody typed; refuses what nobody can keep, and says what is wrong with it."""
    wrong: dict[str, object] = {}
    if zone not in available_timezones():
        wrong["zone"] = _l("There is no such time zone.")
    if bool(cron) == (every_seconds is not None):
        wrong["cron"] = _l("Give a cron line or an interval, not both.")
    elif cron:
        try:
            next(CronSim(cron, datetime.now(UTC)))
        except (CronSimError, StopIteration):
            wrong["cron"] = _l("This cron line cannot be read. Five fields: minute, hour, day, month, weekday.")
    elif every_seconds is not None and not LEAST_SECONDS <= every_seconds <= 366 * 86400:
        wrong["every"] = _l("Between ten seconds and a year.")
    if wrong:
        raise BadInput(fields=wrong)
    return Timing(cron, every_seconds, zone)


def _utc(slots: Iterator[datetime]) -> Iterator[datetime]:
    return (slot.astimezone(UTC) for slot in slots)
