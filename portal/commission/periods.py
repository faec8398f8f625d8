"""What is asked about months: open or locked, what locking one would mean, and the seal over its rows."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.commission.models import (
    CommissionCorrection,
    CommissionLedgerEntry,
    CommissionLockRelease,
    CommissionPayoutBatch,
    CommissionPeriodLock,
    CommissionSnapshot,
    CommissionSnapshotLine,
    Deal,
)
from portal.commission.states import BatchState, CorrectionState, LockState, SnapshotState
from portal.core.database import Json, db
from portal.core.errors import NotFound


class Seal(NamedTuple):
    """How many rows a month has, their sum in kuruş, and a chain of fingerprints over them in order."""

    rows: int
    minor: int
    digest: str


def month_of(day: date) -> date:
    """The first day of a day's month: a period's name."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def read_month(text: str) -> date | None:
    """2026-10 as a month; None for anything else."""
    year, _, month = text.strip().partition("-")
    known = len(year) == 4 and year.isascii() and year.isdigit() and len(month) == 2 and month.isascii()
    if not known or not month.isdigit() or not 1 <= int(month) <= 12 or int(year) < 2000:
        return None
    return date(int(year), int(month), 1)


def active_lock(day: date) -> CommissionPeriodLock | None:
    """The lock on a day's month, if there is one."""
    wanted = select(CommissionPeriodLock).where(
        CommissionPeriodLock.period_on == month_of(day), CommissionPeriodLock.state == LockState.ACTIVE
    )
    found: CommissionPeriodLock | None = db.session.execute(wanted).scalar_one_or_none()
    return found


def locked_months() -> set[date]:
    """Every month that is locked now."""
    wanted = select(CommissionPeriodLock.period_on).where(CommissionPeriodLock.state == LockState.ACTIVE)
    return set(db.session.scalars(wanted))


def lock_by_id(lock_id: int, *, for_update: bool = False) -> CommissionPeriodLock:
    """One lock; refuses what does not exist."""
    known = 0 < lock_id < 2**63
    found = db.session.get(CommissionPeriodLock, lock_id, with_for_update=for_update or None) if known else None
    if found is None:
        raise NotFound
    return found


class LockRow(NamedTuple):
    """A lock in the list, with the release somebody has asked for."""

    lock: CommissionPeriodLock
    release: CommissionLockRelease | None


def locks() -> list[LockRow]:
    """Every lock there ever was, the latest month first."""
    wanted = (
        select(CommissionPeriodLock, CommissionLockRelease)
        .outerjoin(CommissionLockRelease, CommissionLockRelease.lock_id == CommissionPeriodLock.id)
        .order_by(CommissionPeriodLock.period_on.desc(), CommissionPeriodLock.id.desc())
    )
    return [LockRow(*row) for row in db.session.execute(wanted)]


def release_of(lock_id: int) -> CommissionLockRelease | None:
    """The release of a lock, if somebody has asked for it."""
    wanted = select(CommissionLockRelease).where(CommissionLockRelease.lock_id == lock_id)
    found: CommissionLockRelease | None = db.session.execute(wanted).scalar_one_or_none()
    return found


def what_if(month: date) -> Json:
    """What locking a month would mean: what freezes, what slides into the next open month, which payouts change.

    Plain data, so that the lock can keep it word for word. Amounts in kuruş.
    """
    to = _next_open(month)
    return {
        "period": f"{month:%Y-%m}",
        "freezes": _freezes(month),
        "slides": [{**row, "to": f"{to:%Y-%m}"} for row in [*_pending(month), *_corrections(month)]],
        "payouts": [{**row, "to": f"{to:%Y-%m}"} for row in _batches(month)],
        "people": _people(month),
    }


def _next_open(month: date) -> date:
    locked = locked_months()
    to = next_month(month)
    while to in locked:
        to = next_month(to)
    return to


def _within(column: Any, month: date) -> Any:
    return (column >= month) & (column < next_month(month))


def _freezes(month: date) -> Json:
    entry = CommissionLedgerEntry
    sums = select(entry.type, entry.direction, func.count(), func.sum(entry.amount_minor))
    rows = db.session.execute(sums.where(_within(entry.effective_on, month)).group_by(entry.type, entry.direction))
    found = {f"{kind}/{direction}": (count, int(minor)) for kind, direction, count, minor in rows}
    approved = select(func.count()).where(
        _within(CommissionSnapshot.dated_on, month), CommissionSnapshot.state == SnapshotState.APPROVED
    )
    return {
        "entries": sum(count for count, _minor in found.values()),
        "snapshots": db.session.scalar(approved) or 0,
        "sums": {name: minor for name, (_count, minor) in sorted(found.items())},
    }


def _pending(month: date) -> list[Json]:
    wanted = (
        select(CommissionSnapshot.id, Deal.title, CommissionSnapshot.pool_amount_minor)
        .join(Deal, Deal.id == CommissionSnapshot.deal_id)
        .where(
            _within(CommissionSnapshot.effective_on, month), CommissionSnapshot.state == SnapshotState.PENDING_APPROVAL
        )
        .order_by(CommissionSnapshot.id)
    )
    return [
        {"kind": "snapshot", "id": snapshot_id, "title": title, "minor": minor, "from": f"{month:%Y-%m}"}
        for snapshot_id, title, minor in db.session.execute(wanted)
    ]


def _corrections(month: date) -> list[Json]:
    correction = CommissionCorrection
    wanted = (
        select(correction.id, correction.because, correction.total_minor)
        .where(_within(correction.dated_on, month), correction.state == CorrectionState.PROPOSED)
        .order_by(correction.id)
    )
    return [
        {"kind": "correction", "id": correction_id, "title": because, "minor": minor, "from": f"{month:%Y-%m}"}
        for correction_id, because, minor in db.session.execute(wanted)
    ]


def _batches(month: date) -> list[Json]:
    batch = CommissionPayoutBatch
    wanted = (
        select(batch.id, batch.pay_on, batch.total_minor)
        .where(_within(batch.pay_on, month), batch.state == BatchState.PREPARED)
        .order_by(batch.id)
    )
    return [{"id": batch_id, "pay_on": f"{day}", "minor": minor} for batch_id, day, minor in db.session.execute(wanted)]


def _people(month: date) -> list[Json]:
    """Per person: what the month's earnings would have been with everything approved, and what they are if it closes."""
    line, snapshot, entry = CommissionSnapshotLine, CommissionSnapshot, CommissionLedgerEntry
    waiting = (
        select(line.person_id, func.sum(line.amount_minor))
        .join(snapshot, snapshot.id == line.snapshot_id)
        .where(
            line.person_id.is_not(None),
            _within(snapshot.effective_on, month),
            snapshot.state == SnapshotState.PENDING_APPROVAL,
        )
        .group_by(line.person_id)
    )
    earned = (
        select(entry.person_id, func.sum(entry.amount_minor))
        .where(_within(entry.effective_on, month), entry.type == "EARN")
        .group_by(entry.person_id)
    )
    pending = {person: int(minor) for person, minor in db.session.execute(waiting)}
    booked = {person: int(minor) for person, minor in db.session.execute(earned)}
    people = select(Person.id, Person.full_name).where(Person.id.in_(pending)).order_by(Person.full_name, Person.id)
    return [
        {"person_id": one, "name": name, "with_all": booked.get(one, 0) + pending[one], "if_locked": booked.get(one, 0)}
        for one, name in db.session.execute(people)
    ]


def seal_of(month: date) -> Seal:
    """Count, sum and chain of fingerprints over the ledger rows of a month (facts: reliability 2d, month seal)."""
    entry = CommissionLedgerEntry
    wanted = (
        select(entry.id, entry.type, entry.direction, entry.person_id, entry.line_id, entry.amount_minor)
        .add_columns(entry.effective_on)
        .where(_within(entry.effective_on, month))
        .order_by(entry.id)
    )
    count, minor, chain = 0, 0, hashlib.sha256()
    for row in db.session.execute(wanted):
        count, minor = count + 1, minor + row.amount_minor
        chain.update("|".join(str(part) for part in row).encode() + b"\n")
    return Seal(count, minor, chain.hexdigest())


def broken_seals() -> list[Json]:
    """Locked months whose rows are no longer what was sealed: must be none."""
    wanted = select(CommissionPeriodLock).where(CommissionPeriodLock.state == LockState.ACTIVE)
    return [
        {"lock": lock.id, "period": f"{lock.period_on:%Y-%m}"}
        for lock in db.session.scalars(wanted)
        if seal_of(lock.period_on) != Seal(lock.seal_rows, lock.seal_minor, lock.seal)
    ]
