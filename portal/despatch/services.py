"""e-Despatch notes are written, laid down at the office, sent, taken, and answered by the receiver."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.core import clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import DB_NOW, db
from portal.core.i18n import noted
from portal.despatch import ubl
from portal.despatch.models import DespatchNote, DespatchSeries
from portal.despatch.ports import DespatchDocument, DespatchFacts, OfficeState
from portal.despatch.rules import next_number
from portal.despatch.states import NOTE, Note

TOPIC = "despatch"
# The office documents no webhook: a note on its way is asked about every few minutes, one that waits for the
# receiver's answer (seven days) a few times a day.
ASK_OPEN, ASK_ANSWER = timedelta(minutes=3), timedelta(hours=6)
LEASE = timedelta(minutes=2)
SERIES = "EMN"


def next_in_series(seller_organisation_id: int, *, year: int) -> str:
    """The seller's next number, without gaps: two at once wait for one another."""
    serial = db.session.execute(
        insert(DespatchSeries)
        .values(seller_organisation_id=seller_organisation_id, series=SERIES, year=year, last_serial=1)
        .on_conflict_do_update(
            index_elements=["seller_organisation_id", "series", "year"],
            set_={"last_serial": DespatchSeries.last_serial + 1},
        )
        .returning(DespatchSeries.last_serial)
    ).scalar_one()
    return next_number(SERIES, year, serial)


def write(document: DespatchDocument, *, shipment_id: int, seller_organisation_id: int, by: Actor) -> DespatchNote:
    """The note of a parcel, once and for all: the same document is sent at every try."""
    note = DespatchNote(
        uuid=document.uuid,
        shipment_id=shipment_id,
        seller_organisation_id=seller_organisation_id,
        number=document.number,
        state=Note.WRITTEN,
        document=msgspec.to_builtins(document),
        ubl=ubl.render(document).decode(),
        issued_at=document.issued_at,
    )
    db.session.add(note)
    NOTE.begin(note, actor=by, reason=noted("handed over"))
    return note


def rewrite(note: DespatchNote, document: DespatchDocument) -> None:
    """The note once more, mended, as long as nobody has it."""
    assert note.state in (Note.WRITTEN, Note.FAILED)
    note.document = msgspec.to_builtins(document)
    note.ubl = ubl.render(document).decode()
    db.session.flush()


def document_of(note: DespatchNote) -> DespatchDocument:
    """The document as it was written."""
    return msgspec.convert(note.document, DespatchDocument)


def drafted(note: DespatchNote) -> None:
    """It lies at the office."""
    if note.state in (Note.WRITTEN, Note.FAILED):
        NOTE.move(note, Note.DRAFTED, actor=SYSTEM, reason=noted("laid down at the office"))


def sent(note: DespatchNote) -> None:
    """It was signed and sent."""
    if note.state in (Note.DRAFTED, Note.FAILED):
        NOTE.move(note, Note.SENT, actor=SYSTEM, reason=noted("signed and sent"), next_ask_at=DB_NOW)


def failed(note: DespatchNote, why: str) -> None:
    """The office or the tax office will not have it."""
    if NOTE.allows(note.state, Note.FAILED):
        NOTE.move(note, Note.FAILED, actor=SYSTEM, reason=why[:500], office_words=why[:500])


def learn(note: DespatchNote, facts: DespatchFacts) -> None:
    """Bring our row to what the office says; the receiver's answer is kept as it came, once."""
    match facts.state:
        case OfficeState.SUCCEEDED if NOTE.allows(note.state, Note.TAKEN):
            NOTE.move(note, Note.TAKEN, actor=SYSTEM, reason=facts.words, office_words=facts.words)
        case OfficeState.SENT | OfficeState.WAITING if NOTE.allows(note.state, Note.SENT):
            NOTE.move(note, Note.SENT, actor=SYSTEM, reason=facts.words, office_words=facts.words)
        case OfficeState.FAILED:
            failed(note, facts.words or facts.why)
    if facts.answer is not None and note.verdict is None:
        note.verdict = facts.answer.verdict.value
        note.answer = msgspec.to_builtins(facts.answer)
        note.answered_at = facts.answer.answered_at or clock.now()
        db.session.flush()


def claim_to_ask() -> DespatchNote | None:
    """Take the next note the office is to be asked about; others skip it meanwhile."""
    due = (
        select(DespatchNote.id)
        .where(to_ask(), DespatchNote.next_ask_at <= DB_NOW)
        .order_by(DespatchNote.next_ask_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return db.session.execute(
        update(DespatchNote)
        .where(DespatchNote.id == due.scalar_subquery())
        .values(asked=DespatchNote.asked + 1, next_ask_at=DB_NOW + LEASE)
        .returning(DespatchNote)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def asked(note: DespatchNote) -> None:
    """Asked, answered or not: look again later. A week after the last answer could have come, never again."""
    waits_for_receiver = note.state == Note.TAKEN
    pause = ASK_ANSWER if waits_for_receiver else ASK_OPEN * min(note.asked, 20)
    over = waits_for_receiver and clock.now() - note.issued_at > timedelta(days=9)
    db.session.execute(
        update(DespatchNote)
        .where(DespatchNote.id == note.id)
        .values(next_ask_at=DB_NOW + (timedelta(days=3650) if over else pause))
        .execution_options(synchronize_session=False)
    )


def to_ask() -> ColumnElement[bool]:
    """Which notes are still to be asked about."""
    return DespatchNote.state.in_((Note.DRAFTED, Note.SENT)) | (
        (DespatchNote.state == Note.TAKEN) & DespatchNote.verdict.is_(None)
    )
