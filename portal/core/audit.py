"""Who looked at or did what, beyond the moves a state machine already writes down."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock
from portal.core.actor import Actor
from portal.core.database import Json, Model, PrimaryKey, db, recorded_now


class AuditEvent(Model):
    """An act worth remembering. Append-only; a trigger agrees."""

    __tablename__ = "audit_event"
    __table_args__ = (Index(None, "subject_kind", "subject_id", "id"), Index(None, "at"))

    id: Mapped[PrimaryKey]
    at: Mapped[datetime]
    actor: Mapped[str]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    details: Mapped[Json]
    recorded_at: Mapped[datetime] = recorded_now()


# Acts by which somebody saw what is masked for everybody else.
LOOKS = ("inbox body seen", "letter text seen", "personal data exported")


def write_down(action: str, *, by: Actor, about: tuple[str, object], **details: Any) -> None:
    """Remember an act, in the same transaction as the act itself."""
    kind, subject_id = about
    db.session.add(
        AuditEvent(
            at=clock.now(),
            actor=by.name,
            actor_person_id=by.person_id,
            action=action,
            subject_kind=kind,
            subject_id=str(subject_id),
            details=details,
        )
    )


def events(*, words: str = "") -> Select[Any]:
    """Acts, newest first; `words` finds actor, action or subject."""
    wanted = select(AuditEvent).order_by(AuditEvent.id.desc())
    if words:
        wanted = wanted.where(
            AuditEvent.actor.icontains(words, autoescape=True)
            | AuditEvent.action.icontains(words, autoescape=True)
            | (AuditEvent.subject_kind + " " + AuditEvent.subject_id).icontains(words, autoescape=True)
        )
    return wanted


def looks() -> Select[Any]:
    """Who saw masked data, and why; newest first."""
    return select(AuditEvent).where(AuditEvent.action.in_(LOOKS)).order_by(AuditEvent.id.desc())
