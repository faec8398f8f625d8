"""What is asked about arguments over commission."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from portal.accounts.models import Person
from portal.commission.models import (
    CommissionDispute,
    CommissionDisputeAttachment,
    CommissionDisputeMessage,
    CommissionSnapshot,
    CommissionSnapshotLine,
    Deal,
)
from portal.commission.states import (
    CommissionDisputeState,
)
from portal.core.database import db
from portal.core.errors import NotFound


class CommissionDisputeRow(NamedTuple):
    """An argument in a list."""

    dispute: CommissionDispute
    person: str
    title: str
    snapshot_id: int


def disputes(*, person_id: int | None = None, state: str = "") -> Any:
    """Arguments, the most urgent first; the caller pages and wraps rows in CommissionDisputeRow."""
    wanted = (
        select(CommissionDispute, Person.full_name, Deal.title, CommissionSnapshot.id)
        .join(Person, Person.id == CommissionDispute.person_id)
        .join(CommissionSnapshotLine, CommissionSnapshotLine.id == CommissionDispute.line_id)
        .join(CommissionSnapshot, CommissionSnapshot.id == CommissionSnapshotLine.snapshot_id)
        .join(Deal, Deal.id == CommissionSnapshot.deal_id)
        .order_by(
            CommissionDispute.state == CommissionDisputeState.RESOLVED,
            CommissionDispute.answer_by_on,
            CommissionDispute.id,
        )
    )
    if person_id is not None:
        wanted = wanted.where(CommissionDispute.person_id == person_id)
    return wanted.where(CommissionDispute.state == state) if state else wanted


def dispute(dispute_id: int, *, person_id: int | None = None) -> CommissionDisputeRow:
    """One argument; with `person_id` only if it is theirs."""
    wanted = disputes(person_id=person_id).where(CommissionDispute.id == dispute_id)
    found = db.session.execute(wanted).one_or_none() if 0 < dispute_id < 2**63 else None
    if found is None:
        raise NotFound
    return CommissionDisputeRow(*found)


def dispute_counts(*, person_id: int | None = None) -> dict[str, int]:
    """How many arguments are in each state."""
    rows = select(CommissionDispute.state, func.count()).group_by(CommissionDispute.state)
    if person_id is not None:
        rows = rows.where(CommissionDispute.person_id == person_id)
    return {state: count for state, count in db.session.execute(rows)}


def disputes_past_their_day(today: date, limit: int = 500) -> list[int]:
    """Arguments whose answer is late and which nobody has escalated yet."""
    late = (CommissionDispute.state == CommissionDisputeState.OPEN) & (CommissionDispute.answer_by_on < today)
    return list(
        db.session.scalars(select(CommissionDispute.id).where(late).order_by(CommissionDispute.id).limit(limit))
    )


def conversation(dispute_id: int) -> list[CommissionDisputeMessage]:
    """What was said, oldest first."""
    said = CommissionDisputeMessage
    return list(db.session.scalars(select(said).where(said.dispute_id == dispute_id).order_by(said.id)))


def papers(dispute_id: int) -> list[CommissionDisputeAttachment]:
    """The pictures, without their content; what was forgotten in time is none any more."""
    kept = CommissionDisputeAttachment
    mine = (kept.dispute_id == dispute_id, func.octet_length(kept.jpeg) > 0)
    return list(db.session.scalars(select(kept).where(*mine).order_by(kept.id)))


def paper(dispute_id: int, paper_id: int) -> CommissionDisputeAttachment:
    """One picture with its content."""
    kept = CommissionDisputeAttachment
    wanted = select(kept).where(kept.id == paper_id, kept.dispute_id == dispute_id).options(undefer(kept.jpeg))
    found: CommissionDisputeAttachment | None = (
        db.session.execute(wanted).scalar_one_or_none() if 0 < paper_id < 2**63 else None
    )
    if found is None or not found.jpeg:
        raise NotFound
    return found
