"""What operators ask of the inbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from portal.core.database import DB_NOW, db
from portal.core.errors import NotFound
from portal.inbox.models import InboxAttempt, InboxMessage
from portal.inbox.states import Message


def messages(*, state: str | None = None, search: str | None = None) -> Select[Any]:
    """Messages, newest first; the caller pages."""
    wanted = select(InboxMessage).order_by(InboxMessage.id.desc())
    if state:
        wanted = wanted.where(InboxMessage.state == state)
    if search:
        wanted = wanted.where(
            InboxMessage.aggregate_key.contains(search, autoescape=True) | (InboxMessage.dedupe_key == search)
        )
    return wanted


def counts() -> dict[str, int]:
    """How many messages are in each state."""
    rows = db.session.execute(select(InboxMessage.state, func.count()).group_by(InboxMessage.state))
    return {state: count for state, count in rows}


def message(message_id: int) -> InboxMessage:
    """One message."""
    found = db.session.get(InboxMessage, message_id)
    if found is None:
        raise NotFound
    return found


def message_for_update(message_id: int) -> InboxMessage:
    """One message, held against other operators until the unit of work ends."""
    found = db.session.get(InboxMessage, message_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def raw_body(message_id: int) -> bytes:
    """The body as it came; empty once the retention period is over."""
    return db.session.scalar(select(InboxMessage.raw_body).where(InboxMessage.id == message_id)) or b""


def attempts(message_id: int) -> list[InboxAttempt]:
    """Every try, oldest first."""
    return list(
        db.session.scalars(
            select(InboxAttempt).where(InboxAttempt.message_id == message_id).order_by(InboxAttempt.number)
        )
    )


def is_thought_about(aggregate_key: str) -> bool:
    """Whether a message about a thing still waits for its answer."""
    open_ = InboxMessage.state.in_((Message.RECEIVED, Message.WAITING))
    wanted = select(InboxMessage.id).where(InboxMessage.aggregate_key == aggregate_key, open_).limit(1)
    return db.session.scalar(wanted) is not None


def overdue(seconds: int) -> bool:
    """Whether a message has been due for longer than this: a lost wake-up."""
    due = InboxMessage.next_attempt_at <= DB_NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    waiting = InboxMessage.state.in_((Message.RECEIVED, Message.WAITING))
    return db.session.scalar(select(InboxMessage.id).where(waiting, due).limit(1)) is not None
