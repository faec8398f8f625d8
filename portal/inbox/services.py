"""Receive first, think later."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.core import audit, clock
from portal.core.actor import SYSTEM, Actor
from portal.core.database import DB_NOW, db
from portal.core.errors import BadInput
from portal.core.queue import wake
from portal.inbox.models import InboxAttempt, InboxMessage
from portal.inbox.states import MESSAGE, Message

TOPIC = "inbox"
# After each failed try: 10 s, 1 min, 5 min, 30 min, 2 h, 6 h; then a person decides.
PATIENCE_SECONDS = (10, 60, 300, 1800, 7200, 21600)
# While one worker has a message, others leave it alone this long; a worker that died loses it afterwards.
LEASE = timedelta(seconds=60)


class Arrival(NamedTuple):
    """What came in, verified, before anybody thinks about it."""

    provider: str
    topic: str
    event_type: str
    dedupe_key: str
    aggregate_key: str
    signed: bool
    headers: dict[str, str]
    raw_body: bytes


def store(arrival: Arrival) -> bool:
    """Keep a message; True when it is new. A repeat only raises the count."""
    new: bool = db.session.execute(
        insert(InboxMessage)
        .values(**arrival._asdict())
        .on_conflict_do_update(
            constraint="a_repeat_is_not_a_second_event",
            set_={"seen_count": InboxMessage.seen_count + 1, "last_seen_at": DB_NOW},
        )
        .returning(literal_column("xmax = 0"))
    ).scalar_one()
    if new:
        wake(TOPIC)
    return new


def claim() -> InboxMessage | None:
    """Take the next due message for one try; others skip it while we think."""
    due = (
        select(InboxMessage.id)
        .where(InboxMessage.state.in_((Message.RECEIVED, Message.WAITING)), InboxMessage.next_attempt_at <= DB_NOW)
        .order_by(InboxMessage.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return db.session.execute(
        update(InboxMessage)
        .where(InboxMessage.id == due.scalar_subquery())
        .values(attempts=InboxMessage.attempts + 1, next_attempt_at=DB_NOW + LEASE)
        .returning(InboxMessage)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def still_mine(message: InboxMessage) -> bool:
    """The fence: whether this try is still the latest one, and nobody has finished the message meanwhile.

    Takes the aggregate's lock first, so that two messages about one payment are applied one after the other.
    """
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"inbox:{message.aggregate_key}", 0))))
    now = db.session.execute(
        select(InboxMessage.state, InboxMessage.attempts).where(InboxMessage.id == message.id).with_for_update()
    ).one()
    return now.attempts == message.attempts and now.state in (Message.RECEIVED, Message.WAITING)


def applied(message: InboxMessage, note: str) -> None:
    """The truth behind the message is in our books."""
    _ended(message, Message.APPLIED, note)
    message.applied_at = clock.now()


def set_aside(message: InboxMessage, note: str, *, by: Actor = SYSTEM) -> None:
    """It will not be applied, and the reason is kept."""
    _ended(message, Message.SET_ASIDE, note, by=by)


def try_later(message: InboxMessage, note: str) -> None:
    """Too early, or the provider is silent. After the last try a person decides."""
    if message.attempts > len(PATIENCE_SECONDS):
        _ended(message, Message.DEAD, note)
        return
    wait = PATIENCE_SECONDS[message.attempts - 1] * random.uniform(0.8, 1.2)  # noqa: S311 (jitter, not a secret)
    _tried(message, "LATER", note)
    if message.state == Message.RECEIVED:
        MESSAGE.move(message, Message.WAITING, actor=SYSTEM, reason=note)
    _due_in(message, timedelta(seconds=wait))


def replay(message: InboxMessage, *, by: Actor, because: str) -> None:
    """An operator asks for another look, with the original event id; asking the provider again decides what is true."""
    _needs_reason(because)
    MESSAGE.move(message, Message.RECEIVED, actor=by, reason=because, attempts=0, next_attempt_at=DB_NOW)
    audit.write_down("inbox replay", by=by, about=("inbox message", message.id), because=because)
    wake(TOPIC)


def set_aside_by_hand(message: InboxMessage, *, by: Actor, because: str) -> None:
    """An operator decides that this one will not be applied."""
    _needs_reason(because)
    set_aside(message, because, by=by)
    audit.write_down("inbox set aside", by=by, about=("inbox message", message.id), because=because)


def _due_in(message: InboxMessage, wait: timedelta) -> None:
    db.session.execute(
        update(InboxMessage)
        .where(InboxMessage.id == message.id)
        .values(next_attempt_at=DB_NOW + wait)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(message, ["next_attempt_at"])


def _needs_reason(because: str) -> None:
    if not because.strip():
        raise BadInput(fields={"because": _l("Say why, so that others understand it later.")})


def _ended(message: InboxMessage, state: Message, note: str, *, by: Actor = SYSTEM) -> None:
    _tried(message, state.value, note)
    MESSAGE.move(message, state, actor=by, reason=note)


def _tried(message: InboxMessage, outcome: str, note: str) -> None:
    message.last_note = note
    number = db.session.scalar(
        select(func.coalesce(func.max(InboxAttempt.number), 0) + 1).where(InboxAttempt.message_id == message.id)
    )
    values: dict[str, Any] = {"message_id": message.id, "number": number, "outcome": outcome, "note": note}
    db.session.add(InboxAttempt(**values))
