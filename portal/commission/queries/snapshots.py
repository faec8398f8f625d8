"""What is asked about snapshots and their lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.commission.models import (
    CommissionLineAccount,
    CommissionPolicy,
    CommissionSnapshot,
    CommissionSnapshotLine,
    Deal,
)
from portal.commission.states import (
    SnapshotState,
)
from portal.core.database import db
from portal.core.errors import NotFound


class SnapshotRow(NamedTuple):
    """A snapshot in a list."""

    snapshot: CommissionSnapshot
    title: str
    policy: str


class LineRow(NamedTuple):
    """A line with its person and where it stands (None: not earned yet, or the SYSTEM's)."""

    line: CommissionSnapshotLine
    person: str | None
    account: CommissionLineAccount | None


def snapshots(*, state: str = "", person_id: int | None = None, words: str = "") -> Any:
    """Snapshots, newest first; the caller pages and wraps rows in SnapshotRow."""
    wanted = (
        select(CommissionSnapshot, Deal.title, CommissionPolicy.name)
        .join(Deal, Deal.id == CommissionSnapshot.deal_id)
        .join(CommissionPolicy, CommissionPolicy.id == CommissionSnapshot.policy_id)
        .order_by(CommissionSnapshot.id.desc())
    )
    if state:
        wanted = wanted.where(CommissionSnapshot.state == state)
    if person_id is not None:
        line = CommissionSnapshotLine
        mine = select(line.id).where(line.snapshot_id == CommissionSnapshot.id, line.person_id == person_id)
        wanted = wanted.where(mine.exists())
    return wanted.where(Deal.title.icontains(words, autoescape=True)) if words else wanted


def snapshot_counts() -> dict[str, int]:
    """How many snapshots are in each state."""
    rows = select(CommissionSnapshot.state, func.count()).group_by(CommissionSnapshot.state)
    return {state: count for state, count in db.session.execute(rows)}


def snapshots_by_id(ids: Sequence[int]) -> list[CommissionSnapshot]:
    """Some snapshots as they are now, in the order of their ids; refuses when one does not exist."""
    wanted = select(CommissionSnapshot).where(CommissionSnapshot.id.in_(ids)).order_by(CommissionSnapshot.id)
    found = list(db.session.scalars(wanted.execution_options(populate_existing=True)))
    if len(found) != len(set(ids)):
        raise NotFound
    return found


def snapshot_that_counts(deal_id: int) -> CommissionSnapshot | None:
    """A deal's snapshot that waits or was approved, held until the unit of work ends."""
    live = (SnapshotState.PENDING_APPROVAL, SnapshotState.APPROVED)
    wanted = select(CommissionSnapshot).where(CommissionSnapshot.deal_id == deal_id, CommissionSnapshot.state.in_(live))
    return db.session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).one_or_none()


def lines_of(snapshot_ids: Sequence[int]) -> list[CommissionSnapshotLine]:
    """The lines of some snapshots, in their order."""
    line = CommissionSnapshotLine
    return list(
        db.session.scalars(
            select(line).where(line.snapshot_id.in_(snapshot_ids)).order_by(line.snapshot_id, line.line_no)
        )
    )


def line_rows(snapshot_id: int) -> list[LineRow]:
    """The lines of a snapshot with names and where they stand."""
    return _line_rows(CommissionSnapshotLine.snapshot_id == snapshot_id)


def line_row(line_id: int, *, person_id: int | None = None) -> LineRow:
    """One line; with `person_id` only if it is theirs: somebody else's does not exist."""
    found = _line_rows(CommissionSnapshotLine.id == line_id) if 0 < line_id < 2**63 else []
    if not found or (person_id is not None and found[0].line.person_id != person_id):
        raise NotFound
    return found[0]


def lines_of_person(person_id: int) -> list[tuple[LineRow, CommissionSnapshot, str]]:
    """Somebody's lines with snapshot and deal, newest first; two hundred at most."""
    wanted = (
        select(CommissionSnapshotLine, Person.full_name, CommissionLineAccount, CommissionSnapshot, Deal.title)
        .join(Person, Person.id == CommissionSnapshotLine.person_id)
        .outerjoin(CommissionLineAccount, CommissionLineAccount.line_id == CommissionSnapshotLine.id)
        .join(CommissionSnapshot, CommissionSnapshot.id == CommissionSnapshotLine.snapshot_id)
        .join(Deal, Deal.id == CommissionSnapshot.deal_id)
        .where(CommissionSnapshotLine.person_id == person_id)
        .where(CommissionSnapshot.state != SnapshotState.REJECTED)
        .order_by(CommissionSnapshotLine.id.desc())
        .limit(200)
    )
    return [(LineRow(*row[:3]), row[3], row[4]) for row in db.session.execute(wanted)]


def _line_rows(where: Any) -> list[LineRow]:
    wanted = (
        select(CommissionSnapshotLine, Person.full_name, CommissionLineAccount)
        .outerjoin(Person, Person.id == CommissionSnapshotLine.person_id)
        .outerjoin(CommissionLineAccount, CommissionLineAccount.line_id == CommissionSnapshotLine.id)
        .where(where)
        .order_by(CommissionSnapshotLine.line_no)
        .execution_options(populate_existing=True)
    )
    return [LineRow(*row) for row in db.session.execute(wanted)]
