"""What is asked about payouts, corrections and the diary."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from portal.accounts.models import Person
from portal.commission.models import (
    CommissionAuditEvent,
    CommissionCorrection,
    CommissionCorrectionItem,
    CommissionPayoutBatch,
    CommissionPayoutItem,
    CommissionPolicy,
    CommissionSnapshot,
    CommissionSnapshotLine,
    Deal,
)
from portal.commission.states import (
    BatchState,
    CorrectionState,
    PolicyState,
    SnapshotState,
)
from portal.core.database import db


def batches(*, state: str = "") -> Any:
    """Payout batches, newest first; the caller pages."""
    wanted = select(CommissionPayoutBatch).order_by(CommissionPayoutBatch.id.desc())
    return wanted.where(CommissionPayoutBatch.state == state) if state else wanted


def batch_items(batch_id: int) -> list[tuple[CommissionPayoutItem, str, str, int]]:
    """What a batch pays: item, person, deal, snapshot."""
    wanted = (
        select(CommissionPayoutItem, Person.full_name, Deal.title, CommissionSnapshot.id)
        .join(Person, Person.id == CommissionPayoutItem.person_id)
        .join(CommissionSnapshotLine, CommissionSnapshotLine.id == CommissionPayoutItem.line_id)
        .join(CommissionSnapshot, CommissionSnapshot.id == CommissionSnapshotLine.snapshot_id)
        .join(Deal, Deal.id == CommissionSnapshot.deal_id)
        .where(CommissionPayoutItem.batch_id == batch_id)
        .order_by(CommissionPayoutItem.person_id, CommissionPayoutItem.line_id)
    )
    return [tuple(row) for row in db.session.execute(wanted)]  # type: ignore[misc]


def reserved_lines() -> dict[int, int]:
    """What prepared batches are about to pay, by line, in kuruş."""
    item = CommissionPayoutItem
    wanted = (
        select(item.line_id, func.sum(item.amount_minor))
        .join(CommissionPayoutBatch, CommissionPayoutBatch.id == item.batch_id)
        .where(CommissionPayoutBatch.state == BatchState.PREPARED)
        .group_by(item.line_id)
    )
    return {line_id: int(minor) for line_id, minor in db.session.execute(wanted)}


def corrections(*, state: str = "", snapshot_id: int | None = None) -> list[CommissionCorrection]:
    """Corrections, newest first; two hundred at most."""
    wanted = select(CommissionCorrection).order_by(CommissionCorrection.id.desc()).limit(200)
    if state:
        wanted = wanted.where(CommissionCorrection.state == state)
    if snapshot_id is not None:
        wanted = wanted.where(CommissionCorrection.snapshot_id == snapshot_id)
    return list(db.session.scalars(wanted))


def correction_items(correction_id: int) -> list[CommissionCorrectionItem]:
    """What a correction changes, line by line."""
    item = CommissionCorrectionItem
    wanted = select(item).where(item.correction_id == correction_id).order_by(item.person_id, item.line_id)
    return list(db.session.scalars(wanted))


def diary(*, kind: str = "", subject_id: int | None = None) -> Any:
    """Acts, newest first; the caller pages."""
    wanted = select(CommissionAuditEvent).order_by(CommissionAuditEvent.id.desc())
    if kind:
        wanted = wanted.where(CommissionAuditEvent.subject_kind == kind)
    return wanted if subject_id is None else wanted.where(CommissionAuditEvent.subject_id == subject_id)


def diary_of(kind: str, subject_id: int) -> list[CommissionAuditEvent]:
    """Everything that was done to one thing, oldest first."""
    return list(reversed(db.session.scalars(diary(kind=kind, subject_id=subject_id).limit(100)).all()))


def waiting_for_a_check() -> list[tuple[str, int, int | None]]:
    """What waits for a second person: kind, how many, and who made them."""
    waits: dict[str, tuple[Any, str]] = {
        "snapshot": (CommissionSnapshot, SnapshotState.PENDING_APPROVAL),
        "payout": (CommissionPayoutBatch, BatchState.PREPARED),
        "correction": (CommissionCorrection, CorrectionState.PROPOSED),
        "policy": (CommissionPolicy, PolicyState.PROPOSED),
    }
    found = []
    for kind, (table, state) in waits.items():
        rows = select(table.maker_person_id, func.count()).where(table.state == state)
        found += [(kind, count, maker) for maker, count in db.session.execute(rows.group_by(table.maker_person_id))]
    return found
