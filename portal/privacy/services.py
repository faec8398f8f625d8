"""Forgetting in time (KVKK art. 7), and telling somebody what we know of them (art. 11)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, select, text, update

from portal.accounts.models import Organisation, Person
from portal.core import audit
from portal.core.actor import Actor
from portal.core.database import DB_NOW, db
from portal.core.troubles import Trouble
from portal.inbox.models import InboxMessage
from portal.inbox.states import Message
from portal.mail.models import MailEnclosure, MailMessage
from portal.privacy import history
from portal.schedules.services import database_now
from portal.shipping.models import CarrierScan, Shipment

# Rows forgotten in one transaction; what is left waits for the next one.
BATCH = 5000
# What nobody may export: secrets that would let the reader sign in as somebody.
NEVER_EXPORTED = ("password_hash", "token_hash", "jti", "data", "thumbnail", "content", "raw_body")
MOST_ROWS = 5000


class Period(NamedTuple):
    """How long something is kept, in days, and by which setting."""

    setting: str
    what: Any


PERIODS = (
    Period("RETENTION_WEBHOOK_DAYS", _l("Raw messages of providers")),
    Period("RETENTION_NOTE_DAYS", _l("Providers' words in the history of tries")),
    Period("RETENTION_SCAN_DAYS", _l("Carriers' own words about parcels")),
    Period("RETENTION_PHOTO_DAYS", _l("Pictures of settled disputes")),
    Period("RETENTION_LETTER_DAYS", _l("Texts of letters")),
    Period("RETENTION_FILE_DAYS", _l("Files of reports")),
    Period("RETENTION_ERROR_DAYS", _l("Errors")),
    Period("RETENTION_CUSTOMER_DAYS", _l("Names and addresses of marketplaces' customers")),
    Period("RETENTION_PUSH_DAYS", _l("What storefronts were told of each barcode")),
)


def forget_some() -> dict[str, int]:
    """One batch of everything whose time is over; how much of each was forgotten. All nothing: done."""
    return {
        "messages": _messages(_before("RETENTION_WEBHOOK_DAYS")),
        "letters": _letters(_before("RETENTION_LETTER_DAYS")),
        "files": _files(_before("RETENTION_FILE_DAYS")),
        "errors": _errors(_before("RETENTION_ERROR_DAYS")),
        "parcels": _parcels(_before("RETENTION_SCAN_DAYS")),
        **history.forget_some(),
    }


def known_of(person: Person) -> dict[str, Any]:
    """Every row that names a person, by table, and the company's; without secrets."""
    found: dict[str, Any] = {
        "person": _row(Person.__table__, Person.id == person.id)[0],
        "organisation": _row(Organisation.__table__, Organisation.id == person.organisation_id)[0],
    }
    for table in db.metadata.sorted_tables:
        for column in table.columns:
            if any(key.column.table.name == "person" for key in column.foreign_keys):
                rows = _row(table, column == person.id)
                if rows:
                    found[f"{table.name}.{column.name}"] = rows
    found["sign_in_attempt.email"] = _row(
        db.metadata.tables["sign_in_attempt"], text("email = :mail").bindparams(mail=person.email)
    )
    return found


def export(person: Person, *, by: Actor, because: str) -> dict[str, Any]:
    """What we know of somebody, handed out; who asked for it, and why, is written down."""
    audit.write_down("personal data exported", by=by, about=("person", person.id), because=because)
    db.session.flush()
    return known_of(person)


def _row(table: Any, which: ColumnElement[bool] | Any) -> list[dict[str, Any]]:
    columns = [column for column in table.columns if column.name not in NEVER_EXPORTED]
    rows = db.session.execute(select(*columns).where(which).limit(MOST_ROWS)).mappings()
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, str, dict, list)) else str(value)


def _before(setting: str) -> Any:
    return database_now() - timedelta(days=current_app.config[setting])


def _batch(table: Any, *which: Any) -> Any:
    return select(table.id).where(*which).order_by(table.id).limit(BATCH).with_for_update(skip_locked=True)


def _messages(before: Any) -> int:
    over = (InboxMessage.raw_body.is_not(None), InboxMessage.received_at < before)
    settled = InboxMessage.state.not_in((Message.RECEIVED, Message.WAITING))  # what still waits is still needed
    wanted = _batch(InboxMessage, *over, settled)
    return _count(
        update(InboxMessage).where(InboxMessage.id.in_(wanted)).values(raw_body=None, headers={}), InboxMessage.id
    )


def _letters(before: Any) -> int:
    over = (MailMessage.created_at < before, MailMessage.next_attempt_at.is_(None), MailMessage.text_body != "")
    wanted = _batch(MailMessage, *over)
    return _count(
        update(MailMessage).where(MailMessage.id.in_(wanted)).values(text_body="", html_body=""), MailMessage.id
    )


def _files(before: Any) -> int:
    waiting = select(MailMessage.enclosure_id).where(
        MailMessage.enclosure_id.is_not(None), MailMessage.next_attempt_at.is_not(None)
    )
    over = (MailEnclosure.recorded_at < before, MailEnclosure.content.is_not(None), MailEnclosure.id.not_in(waiting))
    wanted = _batch(MailEnclosure, *over)
    values = {"content": None, "forgotten_at": DB_NOW}
    return _count(update(MailEnclosure).where(MailEnclosure.id.in_(wanted)).values(**values), MailEnclosure.id)


def _errors(before: Any) -> int:
    return _count(delete(Trouble).where(Trouble.id.in_(_batch(Trouble, Trouble.at < before))), Trouble.id)


def _parcels(before: Any) -> int:
    """The furthest word a carrier said, as the parcel repeats it: gone with the carrier's other words."""
    newer = select(CarrierScan.id).where(CarrierScan.shipment_id == Shipment.id, CarrierScan.heard_at >= before)
    wanted = _batch(Shipment, Shipment.carrier_words != "", Shipment.created_at < before, ~newer.exists())
    return _count(update(Shipment).where(Shipment.id.in_(wanted)).values(carrier_words=""), Shipment.id)


def _count(change: Any, key: Any) -> int:
    return len(db.session.execute(change.returning(key).execution_options(synchronize_session=False)).all())
