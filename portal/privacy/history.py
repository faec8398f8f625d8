"""What history may forget: one column of a row, after its time. Everything else of the row stays.

The triggers look for a word that is said for one transaction only, and reckon by the database's own clock: the demo's
moved clock must not hurry them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import LargeBinary, func, select, update

from portal.commission.models import CommissionDispute, CommissionDisputeAttachment
from portal.core.database import DB_NOW, db
from portal.disputes.models import DisputePhoto, PieceDispute
from portal.inbox.models import InboxAttempt
from portal.outbox.models import ProviderAttempt
from portal.shipping.models import CarrierScan

# Rows in one transaction; a picture is read once more by its trigger, so fewer of them.
ROWS, PICTURES = 5000, 200


class Forgettable(NamedTuple):
    """A column that is emptied when `born` lies before a day; `over` says what else must lie before it."""

    kind: str
    table: Any
    column: str
    born: Any
    setting: str
    batch: int = ROWS
    over: Callable[[Any], Any] | None = None


def _settled(before: Any) -> Any:
    """A picture may be needed until its dispute has been over for as long."""
    mine = (PieceDispute.id == DisputePhoto.dispute_id, PieceDispute.settled_at < before)
    return select(PieceDispute.id).where(*mine).exists()


def _resolved(before: Any) -> Any:
    mine = (CommissionDispute.id == CommissionDisputeAttachment.dispute_id, CommissionDispute.resolved_at < before)
    return select(CommissionDispute.id).where(*mine).exists()


NOTES, PHOTOS, SCANS = "RETENTION_NOTE_DAYS", "RETENTION_PHOTO_DAYS", "RETENTION_SCAN_DAYS"
FORGETTABLE = (
    Forgettable("notes", InboxAttempt, "note", InboxAttempt.ended_at, NOTES),
    Forgettable("notes", ProviderAttempt, "note", ProviderAttempt.ended_at, NOTES),
    Forgettable("photos", DisputePhoto, "jpeg", DisputePhoto.added_at, PHOTOS, PICTURES, _settled),
    Forgettable(
        "photos", CommissionDisputeAttachment, "jpeg", CommissionDisputeAttachment.added_at, PHOTOS, PICTURES, _resolved
    ),
    Forgettable("scans", CarrierScan, "words", CarrierScan.heard_at, SCANS),
)


def forget_some() -> Counter[str]:
    """One batch of every column; how much of each kind was emptied."""
    found: Counter[str] = Counter({one.kind: 0 for one in FORGETTABLE})
    db.session.execute(select(func.set_config("emanet.retention", "on", True)))
    for one in FORGETTABLE:
        found[one.kind] += _empty(one)
    db.session.execute(select(func.set_config("emanet.retention", "", True)))
    return found


def _empty(one: Forgettable) -> int:
    before = DB_NOW - timedelta(days=current_app.config[one.setting])
    table, column = one.table, getattr(one.table, one.column)
    which = [one.born < before, func.octet_length(column) > 0]
    if one.over is not None:
        which.append(one.over(before))
    nothing: str | bytes = b"" if isinstance(column.type, LargeBinary) else ""
    wanted = select(table.id).where(*which).order_by(table.id).limit(one.batch)
    change = update(table).where(table.id.in_(wanted)).values({one.column: nothing}).returning(table.id)
    return len(db.session.execute(change.execution_options(synchronize_session=False)).all())
