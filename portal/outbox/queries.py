"""What operators ask of the outbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.outbox.models import ProviderAttempt, ProviderIntent
from portal.outbox.states import Intent


def intents(*, state: str | None = None, needs_person: bool = False) -> Select[Any]:
    """Intents, newest first; the caller pages."""
    wanted = select(ProviderIntent).order_by(ProviderIntent.id.desc())
    if state:
        wanted = wanted.where(ProviderIntent.state == state)
    if needs_person:
        wanted = wanted.where(ProviderIntent.needs_person)
    return wanted


def counts() -> dict[str, int]:
    """How many intents are in each state."""
    rows = db.session.execute(select(ProviderIntent.state, func.count()).group_by(ProviderIntent.state))
    return {state: count for state, count in rows}


def waiting_for_a_person() -> int:
    """Calls that only a person may decide about."""
    return db.session.scalar(select(func.count()).where(ProviderIntent.needs_person)) or 0


def intent(intent_id: int) -> ProviderIntent:
    """One intent."""
    found = db.session.get(ProviderIntent, intent_id)
    if found is None:
        raise NotFound
    return found


def intent_for_update(intent_id: int) -> ProviderIntent:
    """One intent, held until the unit of work ends."""
    found = db.session.get(ProviderIntent, intent_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def intents_about(kind: str, subject_ids: list[str]) -> list[ProviderIntent]:
    """Every call about some things, oldest first."""
    return list(
        db.session.scalars(
            select(ProviderIntent)
            .where(ProviderIntent.subject_kind == kind, ProviderIntent.subject_id.in_(subject_ids))
            .order_by(ProviderIntent.id)
        )
    )


def attempts(intent_id: int) -> list[ProviderAttempt]:
    """Every call and every question, oldest first."""
    return list(
        db.session.scalars(
            select(ProviderAttempt).where(ProviderAttempt.intent_id == intent_id).order_by(ProviderAttempt.number)
        )
    )


def overdue(seconds: int) -> bool:
    """Whether a call has been due for longer than this: a lost wake-up."""
    due = ProviderIntent.next_attempt_at <= DB_NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    open_ = ProviderIntent.state.in_((Intent.READY, Intent.SENDING, Intent.UNKNOWN))
    wanted = select(ProviderIntent.id).where(open_, due, ~ProviderIntent.needs_person).limit(1)
    return db.session.scalar(wanted) is not None
