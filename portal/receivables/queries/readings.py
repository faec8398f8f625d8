"""Readings of the ERP's ledger: which one is shown, which is under way, which is doubted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, case, func, select

from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.receivables.models import AgingFetch, AgingOverride, AgingReason
from portal.receivables.ports import Side
from portal.receivables.states import UNFINISHED, FetchState, Severity


def current(side: Side) -> AgingFetch | None:
    """The last good data."""
    return db.session.execute(
        select(AgingFetch).where(AgingFetch.side == side.value, AgingFetch.is_current)
    ).scalar_one_or_none()


def newest(side: Side) -> AgingFetch | None:
    """The latest reading of today's ledger, however it went or is going."""
    wanted = select(AgingFetch).where(AgingFetch.side == side.value, AgingFetch.live).order_by(AgingFetch.id.desc())
    return db.session.execute(wanted.limit(1)).scalar_one_or_none()


def under_way(side: Side) -> AgingFetch | None:
    """The reading somebody is waiting for."""
    wanted = select(AgingFetch).where(AgingFetch.side == side.value, AgingFetch.state.in_(UNFINISHED))
    return db.session.execute(wanted).scalar_one_or_none()


def fetch(fetch_id: int) -> AgingFetch:
    """One reading; refuses with 404 when there is none."""
    found = db.session.get(AgingFetch, fetch_id, populate_existing=True)
    if found is None:
        raise NotFound
    return found


class Situation(NamedTuple):
    """What a page says about its data: the last good ones, and what came or is coming after them."""

    current: AgingFetch | None
    under_way: AgingFetch | None
    newest: AgingFetch | None  # of today's ledger, ended
    doubted: AgingFetch | None


def situation(side: Side) -> Situation:
    """The last good data and every reading since, in one question."""
    good = select(func.max(AgingFetch.id)).where(AgingFetch.side == side.value, AgingFetch.is_current)
    wanted = (
        select(AgingFetch)
        .where(AgingFetch.side == side.value, AgingFetch.id >= func.coalesce(good.scalar_subquery(), 0))
        .order_by(AgingFetch.id.desc())
        .limit(100)
    )
    since = list(db.session.scalars(wanted))
    ended = [found for found in since if found.live and found.state not in UNFINISHED]
    whole = next((found for found in ended if found.state != FetchState.FAILED), None)
    return Situation(
        next((found for found in since if found.is_current), None) or current(side),
        next((found for found in since if found.state in UNFINISHED), None),
        ended[0] if ended else None,
        whole if whole is not None and whole.state == FetchState.SUSPICIOUS else None,
    )


def fetches(side: Side) -> Select[Any]:
    """Readings, newest first. The caller pages."""
    return select(AgingFetch).where(AgingFetch.side == side.value).order_by(AgingFetch.id.desc())


def doubted(side: Side) -> AgingFetch | None:
    """The newest whole reading, when it does not reconcile: the analysis has stopped."""
    whole = (FetchState.DONE, FetchState.SUSPICIOUS)
    wanted = (
        select(AgingFetch)
        .where(AgingFetch.side == side.value, AgingFetch.live, AgingFetch.state.in_(whole))
        .order_by(AgingFetch.id.desc())
        .limit(1)
    )
    found = db.session.execute(wanted).scalar_one_or_none()
    return found if found is not None and found.state == FetchState.SUSPICIOUS else None


def reasons(*fetch_ids: int) -> list[AgingReason]:
    """Why readings are doubted, and what is to be said of good ones; the gravest first."""
    grave = case((AgingReason.severity == Severity.STOP, 0), (AgingReason.severity == Severity.VIEW, 1), else_=2)
    wanted = select(AgingReason).where(AgingReason.fetch_id.in_(fetch_ids)).order_by(grave, AgingReason.id)
    return list(db.session.scalars(wanted))


def overrides(fetch_id: int) -> list[AgingOverride]:
    """Who looks at a doubted reading anyway, and why."""
    return list(db.session.scalars(select(AgingOverride).where(AgingOverride.fetch_id == fetch_id)))


def overdue(seconds: int) -> bool:
    """Whether a reading waits, or its reader died, and nobody has noticed."""
    waiting = (AgingFetch.state == FetchState.ASKED) & (AgingFetch.asked_at < DB_NOW - timedelta(seconds=seconds))
    dead = (AgingFetch.state == FetchState.RUNNING) & (AgingFetch.leased_until < DB_NOW)
    return db.session.scalar(select(AgingFetch.id).where(waiting | dead).limit(1)) is not None
