"""Readings of the ERP: asked for, watched, looked at all the same, and compared."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.guard import current_actor, requires
from portal.accounts.roles import Permission
from portal.core import clock, formats
from portal.core.errors import NotFound
from portal.core.unit_of_work import atomic
from portal.core.web import paged, region, wants_region
from portal.portals.aging_desk import SIDES, WORDS, bp, state_of
from portal.receivables import export, queries
from portal.receivables import services as receivables
from portal.receivables.models import AgingFetch
from portal.receivables.ports import Side
from portal.receivables.queries import Change
from portal.receivables.states import FETCH, FetchState

WEEK = timedelta(days=7)


@bp.post("/<any(customers, suppliers):word>/fetches")
@requires(Permission.AGING_FETCH)
def fetch(word: str) -> AnyResponse:
    """ "Anlık Veri Çek": ask for a reading now, or as of a past day. A second click finds the first one's reading."""
    side, typed = SIDES[word], request.form.get("as_of", "").strip()
    as_of = formats.read_day(typed[:20], "as_of") if typed else clock.today()
    with atomic():
        asked = receivables.ask(side, as_of, live=not typed, by=current_actor())
    page = url_for(".progress", fetch_id=asked.id, back=typed or None)
    return region("aging/_state.html", page=page, **state_of(side, queries.situation(side)))


@bp.get("/fetches/<int:fetch_id>")
@requires(Permission.AGING_SEE)
def progress(fetch_id: int) -> AnyResponse | str:
    """How far a reading is; looks again by itself until it has ended."""
    found = queries.fetch(_known(fetch_id))
    side = Side(found.side)
    context = state_of(side, queries.situation(side))
    if not wants_region():
        return render_template("aging/progress.html", fetch=found, machine=FETCH, **context)
    answer = Response(render_template("aging/_state.html", **context), mimetype="text/html")
    if found.state == FetchState.DONE:
        answer.headers["HX-Refresh"] = "true"  # the figures behind it are new
    return answer


@bp.get("/<any(customers, suppliers):word>/fetches")
@requires(Permission.AGING_SEE)
def fetch_list(word: str) -> str:
    """Every reading: when, by whom, how it ended."""
    side = SIDES[word]
    rows = paged(queries.fetches(side))
    return render_template("aging/fetches.html", rows=rows, machine=FETCH, **state_of(side, queries.situation(side)))


@bp.post("/fetches/<int:fetch_id>/look")
@requires(Permission.AGING_OVERRIDE)
def look(fetch_id: int) -> AnyResponse:
    """Look at figures that do not reconcile, for a reason that is kept."""
    with atomic():
        receivables.look_anyway(_known(fetch_id), by=current_actor(), because=request.form.get("because", ""))
    side = Side(queries.fetch(fetch_id).side)
    return region("", page=url_for(f".{WORDS[side]}", data=fetch_id))


@bp.get("/<any(customers, suppliers):word>/changes")
@requires(Permission.AGING_SEE)
def changes(word: str) -> str:
    """What changed since last week, or since any reading that is kept."""
    side = SIDES[word]
    situation = queries.situation(side)
    readings = queries.good_readings(side)
    then = _then(side, readings)
    rows = None
    if situation.current and then and then.id != situation.current.id:
        rows = paged(queries.changes(situation.current, then), row=Change)
    return render_template(
        "aging/changes.html",
        rows=rows,
        then=then,
        readings=[found for found in readings if not found.is_current],
        title=export.SIDE_NAMES[side],
        **state_of(side, situation),
    )


def _then(side: Side, readings: list[AgingFetch]) -> AgingFetch | None:
    chosen = request.args.get("since", "")
    found = next((reading for reading in readings if str(reading.id) == chosen), None)
    return found or queries.reading_before(side, clock.now() - WEEK)


def _known(fetch_id: int) -> int:
    if fetch_id > 2**31 - 1:
        raise NotFound
    return fetch_id
