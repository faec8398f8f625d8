"""The schedules' pages: what runs when, how it went, and switching it on and off."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, NamedTuple

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.core import clock, formats
from portal.core.errors import BadInput
from portal.core.unit_of_work import atomic
from portal.core.web import paged, region, wants_region
from portal.schedules import queries, rules, words
from portal.schedules import services as schedules
from portal.schedules.models import Schedule
from portal.schedules.states import CATCH_UP_NAMES, OUTCOME_MEANINGS

bp = Blueprint("schedules", __name__, url_prefix="/admin/schedules")

ZONES = ("Europe/Istanbul", "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Dubai")
SECONDS = {"minutes": 60, "hours": 3600, "days": 86400}


class TypedTiming(NamedTuple):
    """A timing as it was typed into the form."""

    cron: str
    every_seconds: int | None
    zone: str
    catch_up: str


@bp.get("/")
@requires(Permission.SCHEDULE_SEE)
def show_all() -> str:
    """Every schedule, how it went and when it is due again; looks again by itself."""
    template = "schedules/_list.html" if wants_region() else "schedules/list.html"
    return render_template(template, rows=queries.rows(), leader=queries.leader(), meanings=OUTCOME_MEANINGS)


@bp.get("/<int:schedule_id>")
@requires(Permission.SCHEDULE_SEE)
def show(schedule_id: int) -> str:
    """One schedule: its timing in words, its next five slots, its history."""
    return _page(queries.schedule(schedule_id))


@bp.post("/<int:schedule_id>/timing")
@requires(Permission.SCHEDULE_ACT)
def retime(schedule_id: int) -> Response:
    """Another timing, from now on."""
    typed = typed_timing()
    with atomic():
        found = queries.schedule_for_update(schedule_id)
        schedules.retime(found, **typed._asdict(), parameters=found.parameters, by=current_actor())
    return _back(schedule_id, _("Changed. The next times are below."))


@bp.post("/<int:schedule_id>/runs")
@requires(Permission.SCHEDULE_ACT)
def run_now(schedule_id: int) -> Response:
    """Run it now, by hand."""
    with atomic():
        schedules.run_now(queries.schedule_for_update(schedule_id), by=current_actor())
    return _back(schedule_id, _("It runs as soon as the scheduler looks, within seconds."))


@bp.post("/<int:schedule_id>/pause")
@requires(Permission.SCHEDULE_ACT)
def switch_off(schedule_id: int) -> Response:
    """Off, with a reason, and if wished until a day."""
    because = request.form.get("because", "").strip()[:500]
    if not because:
        raise BadInput(fields={"because": _("Say why, so that others understand it later.")})
    until = _until(request.form.get("until", ""))
    with atomic():
        schedules.switch_off(
            queries.schedule_for_update(schedule_id), because=because, until=until, by=current_actor()
        )  # fmt: skip
    return _back(schedule_id, _("Switched off."))


@bp.post("/<int:schedule_id>/resumption")
@requires(Permission.SCHEDULE_ACT)
def switch_on(schedule_id: int) -> Response:
    """On again, from now on."""
    with atomic():
        schedules.switch_on(queries.schedule_for_update(schedule_id), by=current_actor())
    return _back(schedule_id, _("Switched on."))


def typed_timing() -> TypedTiming:
    """What the timing form says; refuses numbers that are none."""
    form = request.form
    zone, catch_up = form.get("zone", "Europe/Istanbul"), form.get("catch_up", "ONCE")
    if form.get("how") == "cron":
        return TypedTiming(" ".join(form.get("cron", "").split())[:100], None, zone, catch_up)
    every = form.get("every", "")
    if not (every.isascii() and every.isdigit() and len(every) < 9):
        raise BadInput(fields={"every": _("Write a whole number.")})
    return TypedTiming("", int(every) * SECONDS.get(form.get("unit", ""), 60), zone, catch_up)


def timing_context(schedule: Schedule | None = None) -> dict[str, Any]:
    """What the timing form needs to draw itself."""
    seconds = schedule.every_seconds if schedule else None
    unit = next((u for u, size in reversed(SECONDS.items()) if seconds and seconds % size == 0), "minutes")
    every = seconds // SECONDS[unit] if seconds else ""
    return {"zones": ZONES, "catch_ups": CATCH_UP_NAMES, "unit": unit, "every": every}


def _page(found: Schedule) -> str:
    now = schedules.database_now()
    return render_template(
        "schedules/show.html",
        schedule=found,
        timing=words.timing_in_words(found.timing),
        coming=[words.instant_in_words(at, found.zone) for at in rules.next_slots(found.timing, now)],
        ticks=paged(queries.history(found.id)),
        meanings=OUTCOME_MEANINGS,
        **timing_context(found),
    )


def _until(typed: str) -> datetime | None:
    """The start of a day in Istanbul."""
    if not typed.strip():
        return None
    day = formats.read_day(typed, "until")
    if day <= clock.today():
        raise BadInput(fields={"until": _("That day is over.")})
    return datetime.combine(day, time(), clock.ISTANBUL)


def _back(schedule_id: int, toast: str) -> Response:
    return region("", page=url_for("schedules.show", schedule_id=schedule_id), toast=toast)
