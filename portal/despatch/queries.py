"""What pages and jobs ask about despatch notes."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.despatch.models import DespatchNote
from portal.despatch.services import to_ask


def notes_of(shipment_ids: list[int]) -> dict[int, DespatchNote]:
    """The notes of some parcels, by parcel."""
    wanted = select(DespatchNote).where(DespatchNote.shipment_id.in_(shipment_ids))
    return {note.shipment_id: note for note in db.session.scalars(wanted.execution_options(populate_existing=True))}


def note_with_text(shipment_id: int) -> DespatchNote:
    """A parcel's note with its document."""
    wanted = select(DespatchNote).where(DespatchNote.shipment_id == shipment_id)
    found = db.session.execute(
        wanted.options(undefer(DespatchNote.ubl), undefer(DespatchNote.document))
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def note_for_update(note_id: int) -> DespatchNote:
    """A note, held until the unit of work ends."""
    return db.session.get_one(DespatchNote, note_id, with_for_update=True, populate_existing=True)


def overdue(seconds: int) -> bool:
    """Whether a note has been due for asking longer than this: a lost wake-up."""
    due = DespatchNote.next_ask_at <= DB_NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    return db.session.scalar(select(DespatchNote.id).where(to_ask(), due).limit(1)) is not None
