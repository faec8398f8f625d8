"""Where everybody stands: earned − paid − reversed (+ adjusted) = outstanding, per person, for a period, as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, select

from portal.accounts.models import Person
from portal.commission.models import (
    CommissionAgent,
    CommissionLedgerEntry,
    CommissionPersonAccount,
    CommissionPolicy,
    CommissionSnapshot,
    CommissionSnapshotLine,
    Deal,
)
from portal.commission.rules import Sums
from portal.core.database import db


class Window(NamedTuple):
    """Which entries count: dated from a day, before another, and written down by an instant. None: no limit.

    The days are the books' days; `known_at` is the time machine: what we knew then.
    """

    from_on: date | None = None
    until_on: date | None = None
    known_at: datetime | None = None
    team: str = ""
    person_id: int | None = None


class PersonRow(NamedTuple):
    """One person's sums in kuruş, and what is argued about now."""

    person_id: int
    name: str
    team: str
    sums: Sums
    blocked: int


class EntryRow(NamedTuple):
    """An entry of somebody's statement."""

    entry: CommissionLedgerEntry
    title: str
    snapshot_id: int
    policy: str
    role: str | None
    person: str


_ENTRY = CommissionLedgerEntry
_SIGNED = case((_ENTRY.direction == "CREDIT", _ENTRY.amount_minor), else_=-_ENTRY.amount_minor)


def people(window: Window) -> list[PersonRow]:
    """Everybody with something in the window, and every agent of the team; by name."""
    sums = (
        select(
            _ENTRY.person_id,
            func.coalesce(func.sum(_ENTRY.amount_minor).filter(_ENTRY.type == "EARN"), 0).label("earned"),
            func.coalesce(func.sum(_ENTRY.amount_minor).filter(_ENTRY.type == "PAYOUT"), 0).label("paid"),
            func.coalesce(func.sum(_ENTRY.amount_minor).filter(_ENTRY.type == "REVERSAL"), 0).label("reversed"),
            func.coalesce(func.sum(_SIGNED).filter(_ENTRY.type == "ADJUSTMENT"), 0).label("adjusted"),
        )
        .where(_counts(window))
        .group_by(_ENTRY.person_id)
        .subquery()
    )
    zero = func.coalesce
    wanted = (
        select(
            Person.id,
            Person.full_name,
            CommissionAgent.team,
            zero(sums.c.earned, 0),
            zero(sums.c.paid, 0),
            zero(sums.c.reversed, 0),
            zero(sums.c.adjusted, 0),
            zero(CommissionPersonAccount.blocked_minor, 0),
        )
        .join(CommissionAgent, CommissionAgent.person_id == Person.id)
        .outerjoin(sums, sums.c.person_id == Person.id)
        .outerjoin(CommissionPersonAccount, CommissionPersonAccount.person_id == Person.id)
        .order_by(Person.full_name, Person.id)
    )
    if window.team:
        wanted = wanted.where(CommissionAgent.team == window.team)
    if window.person_id is not None:
        wanted = wanted.where(Person.id == window.person_id)
    return [
        PersonRow(row[0], row[1], row[2], Sums(*(int(part) for part in row[3:7])), int(row[7]))
        for row in db.session.execute(wanted)
    ]


def total(rows: Sequence[PersonRow]) -> Sums:
    """All of them together."""
    return Sums(*(sum(part) for part in zip(*(row.sums for row in rows), strict=True))) if rows else Sums()


def sums_of(person_id: int, window: Window) -> Sums:
    """One person's sums."""
    found = people(window._replace(person_id=person_id))
    return found[0].sums if found else Sums()


def entries(window: Window, *, newest_first: bool = False) -> Any:
    """The entries behind the sums; the caller pages and wraps rows in EntryRow."""
    order = (_ENTRY.effective_on.desc(), _ENTRY.id.desc()) if newest_first else (_ENTRY.effective_on, _ENTRY.id)
    return (
        select(
            _ENTRY,
            Deal.title,
            CommissionSnapshot.id,
            CommissionPolicy.name,
            CommissionSnapshotLine.role,
            Person.full_name,
        )
        .join(CommissionSnapshotLine, CommissionSnapshotLine.id == _ENTRY.line_id)
        .join(CommissionSnapshot, CommissionSnapshot.id == CommissionSnapshotLine.snapshot_id)
        .join(CommissionPolicy, CommissionPolicy.id == CommissionSnapshot.policy_id)
        .join(Deal, Deal.id == CommissionSnapshot.deal_id)
        .join(Person, Person.id == _ENTRY.person_id)
        .where(_counts(window))
        .order_by(*order)
    )


def entries_of_line(line_id: int) -> list[CommissionLedgerEntry]:
    """Everything that was ever booked on a line, oldest first."""
    return list(db.session.scalars(select(_ENTRY).where(_ENTRY.line_id == line_id).order_by(_ENTRY.id)))


def _counts(window: Window) -> Any:
    limits = [
        _ENTRY.effective_on >= window.from_on if window.from_on else None,
        _ENTRY.effective_on < window.until_on if window.until_on else None,
        _ENTRY.recorded_at <= window.known_at if window.known_at else None,
        _ENTRY.person_id == window.person_id if window.person_id is not None else None,
    ]
    return and_(True, *(limit for limit in limits if limit is not None))
