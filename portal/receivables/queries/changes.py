"""What changed between two readings: since last week, or since any that is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from portal.core.database import db
from portal.receivables.models import AgingFetch, AgingStanding, CurrentAccount
from portal.receivables.ports import Side
from portal.receivables.states import FetchState


class Change(NamedTuple):
    """An account's balance then and now, in kuruş."""

    account_id: int
    code: str
    name: str
    then: int
    now: int
    difference: int


def good_readings(side: Side, most: int = 60) -> list[AgingFetch]:
    """Readings that can be compared with, newest first."""
    wanted = (
        select(AgingFetch)
        .where(AgingFetch.side == side.value, AgingFetch.live, AgingFetch.state == FetchState.DONE)
        .order_by(AgingFetch.id.desc())
        .limit(most)
    )
    return list(db.session.scalars(wanted))


def reading_before(side: Side, instant: datetime) -> AgingFetch | None:
    """The last good reading of that time; where none is so old, the oldest there is but the current one."""
    good = (AgingFetch.side == side.value) & AgingFetch.live & (AgingFetch.state == FetchState.DONE)
    before = select(AgingFetch).where(good, AgingFetch.read_at <= instant).order_by(AgingFetch.id.desc()).limit(1)
    oldest = select(AgingFetch).where(good, ~AgingFetch.is_current).order_by(AgingFetch.id).limit(1)
    return db.session.execute(before).scalar_one_or_none() or db.session.execute(oldest).scalar_one_or_none()


def changes(now: AgingFetch, then: AgingFetch) -> Select[Any]:
    """Accounts whose balance differs between two readings, the largest differences first. The caller pages."""
    here = select(AgingStanding).where(AgingStanding.fetch_id == now.id).subquery()
    there = select(AgingStanding).where(AgingStanding.fetch_id == then.id).subquery()
    was = func.coalesce(there.c.owed_kurus - there.c.paid_kurus, 0)
    is_ = func.coalesce(here.c.owed_kurus - here.c.paid_kurus, 0)
    return (
        select(CurrentAccount.id, CurrentAccount.code, CurrentAccount.name, was, is_, is_ - was)
        .select_from(here.join(there, here.c.account_id == there.c.account_id, full=True))
        .join(CurrentAccount, CurrentAccount.id == func.coalesce(here.c.account_id, there.c.account_id))
        .where(is_ != was)
        .order_by(func.abs(is_ - was).desc(), CurrentAccount.code)
    )
