"""Slots: which there are, whatever clocks do, and how people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask
from flask_babel import force_locale

from portal.core.errors import BadInput
from portal.schedules.rules import MOST_SLOTS, Plan, Timing, checked, next_slots, plan
from portal.schedules.states import CatchUp
from portal.schedules.words import instant_in_words, timing_in_words

NIGHTLY = Timing("0 3 * * *", None, "Europe/Istanbul")
EVERY_TEN = Timing("", 600, "Europe/Istanbul")
NOON = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)


def planned(timing: Timing, since: datetime | None, now: datetime, catch_up: CatchUp) -> Plan:
    """What a look does."""
    return plan(timing, dealt_until=since, now=now, catch_up=catch_up, late_after=FIVE_MINUTES)


def test_a_daily_slot_is_an_istanbul_hour() -> None:
    assert next_slots(NIGHTLY, NOON, 2) == [
        datetime(2026, 11, 22, 0, 0, tzinfo=UTC),
        datetime(2026, 11, 23, 0, 0, tzinfo=UTC),
    ]


def test_at_the_first_look_only_the_latest_slot_counts() -> None:
    assert planned(NIGHTLY, None, NOON, CatchUp.EACH) == Plan([datetime(2026, 11, 21, 0, 0, tzinfo=UTC)], [])


@pytest.mark.parametrize(
    ("catch_up", "run", "missed"), [(CatchUp.EACH, 3, 0), (CatchUp.ONCE, 1, 2), (CatchUp.SKIP, 1, 2)]
)
def test_after_half_an_hour_away(catch_up: CatchUp, run: int, missed: int) -> None:
    todo = planned(EVERY_TEN, NOON - timedelta(minutes=29), NOON, catch_up)
    assert (len(todo.run), len(todo.missed)) == (run, missed)
    assert todo.run[-1] == datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    assert sorted([*todo.run, *todo.missed]) == [*todo.missed, *todo.run]


def test_skip_runs_nothing_that_is_late() -> None:
    later = NOON + timedelta(minutes=6)
    todo = planned(EVERY_TEN, NOON - timedelta(minutes=29), later, CatchUp.SKIP)
    assert (len(todo.run), len(todo.missed)) == (0, 3)


def test_a_look_right_on_the_slot_sees_it_once() -> None:
    slot = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
    assert planned(NIGHTLY, slot - timedelta(seconds=1), slot, CatchUp.EACH).run == [slot]
    assert planned(NIGHTLY, slot, slot + timedelta(hours=1), CatchUp.EACH) == Plan([], [])


@pytest.mark.parametrize("timing", [EVERY_TEN, NIGHTLY, Timing("* * * * *", None, "UTC")])
def test_a_clock_that_goes_back_finds_nothing_new(timing: Timing) -> None:
    assert planned(timing, NOON, NOON - timedelta(days=3), CatchUp.EACH) == Plan([], [])


def test_however_long_the_house_slept_it_does_not_choke() -> None:
    todo = planned(Timing("* * * * *", None, "UTC"), NOON - timedelta(days=3650), NOON, CatchUp.EACH)
    assert len(todo.run) == MOST_SLOTS


def slots_of(timing: Timing, first: datetime, last: datetime) -> list[datetime]:
    """Everything a scheduler runs that looks every minute."""
    found, since, now = [], first, first
    while now < last:
        now += timedelta(minutes=1)
        found += planned(timing, since, now, CatchUp.EACH).run
        since = now
    return found


@pytest.mark.parametrize(
    ("cron", "day", "expected"),
    [
        # Berlin springs forward on 29 March 2026 at 02:00 and falls back on 25 October at 03:00.
        ("30 2 * * *", datetime(2026, 3, 28, 12, tzinfo=UTC), ["01:00", "00:30"]),
        ("30 2 * * *", datetime(2026, 10, 24, 12, tzinfo=UTC), ["00:30", "01:30"]),
        ("0 */12 * * *", datetime(2026, 10, 24, 12, tzinfo=UTC), ["22:00", "11:00", "23:00", "11:00"]),
    ],
)
def test_summer_time_neither_loses_nor_doubles_a_slot(cron: str, day: datetime, expected: list[str]) -> None:
    found = slots_of(Timing(cron, None, "Europe/Berlin"), day, day + timedelta(days=2))
    assert [f"{slot:%H:%M}" for slot in found] == expected
    assert len(set(found)) == len(found)


def test_an_interval_knows_no_summer_time() -> None:
    first = datetime(2026, 10, 24, 12, tzinfo=UTC)
    found = slots_of(Timing("", 3600, "Europe/Berlin"), first, first + timedelta(days=1))
    assert {later - sooner for sooner, later in pairwise(found)} == {timedelta(hours=1)}
    assert len(found) == 24


@pytest.mark.parametrize(
    ("cron", "every", "zone", "field"),
    [
        ("x", None, "UTC", "cron"), ("0 0 30 2 *", None, "UTC", "cron"), ("", None, "UTC", "cron"),
        ("0 3 * * *", 60, "UTC", "cron"), ("", 5, "UTC", "every"), ("0 3 * * *", None, "Mars/Olympus", "zone"),
        ("* * * * * *", 60, "UTC", "cron"),
    ],
)  # fmt: skip
def test_a_timing_nobody_can_keep_is_refused(cron: str, every: int | None, zone: str, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked(cron, every, zone)
    assert field in refused.value.fields


@pytest.mark.parametrize(
    ("timing", "tr", "en"),
    [
        (Timing("0 3 * * *", None, "UTC"), "her gün 03:00", "every day at 03:00"),
        (Timing("30 8 * * 1-5", None, "UTC"), "hafta içi 08:30", "on weekdays at 08:30"),
        (Timing("0 9 * * 1", None, "UTC"), "her Pazartesi 09:00", "every Monday at 09:00"),
        (Timing("0 9 * * 0", None, "UTC"), "her Pazar 09:00", "every Sunday at 09:00"),
        (Timing("0 7 1 * *", None, "UTC"), "her ayın 1. günü 07:00", "on day 1 of every month at 07:00"),
        (Timing("*/7 * 3 * *", None, "UTC"), "*/7 * 3 * * cron satırına göre", "by the cron line */7 * 3 * *"),
        (Timing("", 600, "UTC"), "10 dakikada bir", "every 10 minutes"),
        (Timing("", 3600, "UTC"), "saatte bir", "every hour"),
        (Timing("", 86400, "UTC"), "her gün", "every day"),
        (Timing("", 45, "UTC"), "45 saniyede bir", "every 45 seconds"),
    ],
)
def test_a_timing_as_people_say_it(app: Flask, timing: Timing, tr: str, en: str) -> None:
    with force_locale("tr"):
        assert timing_in_words(timing) == tr
    with force_locale("en"):
        assert timing_in_words(timing) == en


def test_the_next_times_are_said_as_the_wall_clock_shows_them(app: Flask) -> None:
    slot = next_slots(NIGHTLY, NOON, 1)[0]
    with force_locale("tr"):
        assert instant_in_words(slot, NIGHTLY.zone) == "Pazar 22 Kasım 2026 03:00"
    with force_locale("en"):
        assert instant_in_words(slot, "UTC") == "Sunday 22 November 2026 00:00"
