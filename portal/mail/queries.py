"""What operators ask of the post."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.mail.models import MailEnclosure, MailMessage


def mails(*, state: str | None = None, recipient: str = "") -> Select[Any]:
    """Letters, newest first; the caller pages."""
    wanted = select(MailMessage).order_by(MailMessage.id.desc())
    if state:
        wanted = wanted.where(MailMessage.state == state)
    if recipient:
        wanted = wanted.where(MailMessage.recipient.icontains(recipient, autoescape=True))
    return wanted


def counts() -> dict[str, int]:
    """How many letters are in each state."""
    rows = db.session.execute(select(MailMessage.state, func.count()).group_by(MailMessage.state))
    return {state: count for state, count in rows}


def mail(mail_id: int) -> MailMessage:
    """One letter."""
    found = db.session.get(MailMessage, mail_id)
    if found is None:
        raise NotFound
    return found


def mail_for_update(mail_id: int) -> MailMessage:
    """One letter, held until the unit of work ends."""
    found = db.session.get(MailMessage, mail_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def enclosure_name(mail: MailMessage) -> str:
    """The name of the file that goes with a letter; empty when there is none."""
    wanted = select(MailEnclosure.name).where(MailEnclosure.id == mail.enclosure_id)
    return str(db.session.scalar(wanted) or "") if mail.enclosure_id else ""


def mails_about(kind: str, subject_ids: list[str]) -> list[MailMessage]:
    """Every letter about some things, oldest first."""
    return list(
        db.session.scalars(
            select(MailMessage)
            .where(MailMessage.about_kind == kind, MailMessage.about_id.in_(subject_ids))
            .order_by(MailMessage.id)
        )
    )


def overdue(seconds: int) -> bool:
    """Whether a letter has been due for longer than this: a lost wake-up."""
    due = MailMessage.next_attempt_at <= DB_NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    return db.session.scalar(select(MailMessage.id).where(due).limit(1)) is not None
